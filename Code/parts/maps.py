"""Images as maps for convolutions, and back: an axis of channels, and zeros around odd sides.

A network that halves the sides n times and doubles them again returns multiples of 2ⁿ. Any other
image gets a border of zeros before the first halving, which is cut off after the last doubling. So
the border lies within the network: what goes in and what comes out have the image's own shape, and
a loss sees the image's own pixels alone.
"""

from keras import layers


def halved(shape, halvings):
    """The sides ``(height, width)`` of an image's maps after so many halvings, each rounded up."""
    return tuple(-(-side // 2**halvings) for side in shape[:2])


def n_channels(shape):
    """1 for the shape ``(height, width)``, else the length of its third axis."""
    return 1 if len(shape) == 2 else shape[2]


def border(shape, sides):
    """What an image lacks to have these sides: ``((above, below), (left, right))`` in pixels.

    It is split evenly; of an odd number, the one more is below, or to the right.

    Parameters
    ----------
    shape : ``(height, width)``, further axes are left alone.
    sides : ``(height, width)``, each at least as large.
    """
    lacking = [side - own for side, own in zip(sides, shape, strict=False)]
    return tuple((n // 2, n - n // 2) for n in lacking)


def to_maps(image, halvings):
    """An image tensor as maps whose sides can be halved so many times, zeros around the image.

    Parameters
    ----------
    image : Keras tensor ``(batch, height, width)`` or ``(batch, height, width, channels)``.
    """
    shape = image.shape[1:]
    maps = layers.Reshape((*shape, 1))(image) if len(shape) == 2 else image
    around = border(shape, [side * 2**halvings for side in halved(shape, halvings)])
    # Only where it does something: it would be a box in every picture of the network
    return layers.ZeroPadding2D(around)(maps) if any(map(any, around)) else maps


def to_image(maps, shape):
    """The middle of maps ``(batch, height, width, channels)`` as images ``(batch, *shape)``."""
    around = border(shape, maps.shape[1:3])
    if any(map(any, around)):
        maps = layers.Cropping2D(around)(maps)
    return layers.Reshape(shape)(maps) if len(shape) == 2 else maps
