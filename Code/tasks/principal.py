"""Principal components with the methods of a trained autoencoder: a baseline in several uses."""

from functools import lru_cache

import numpy as np

from Code.parts.components import WIDEST_IMAGES, fitted_pca
from Code.parts.images import to_unit
from Code.tasks.task import flat


class PrincipalComponents:
    """PCA with the methods of a trained autoencoder; decoded images are clipped to [0, 1].

    Parameters
    ----------
    images : training images ``(n, height, width)``: uint8, or floats in [0, 1].
    code_dim : number of components, fewer if the images do not allow that many.
    """

    has_prior, terms = False, ()

    def __init__(self, images, code_dim=16):
        self.image_shape = images.shape[1:]
        self.code_dim = min(code_dim, *flat(images).shape)
        x = flat(to_unit(images))
        self._pca = fitted_pca(self.code_dim, x, WIDEST_IMAGES)

    def encode(self, x):
        """Codes ``(n, code_dim)`` of images."""
        return self._pca.transform(flat(to_unit(np.asarray(x))))

    def decode(self, codes):
        """Images ``(n, height, width)`` of codes."""
        return np.clip(self._unclipped(codes), 0, 1)

    def reconstruct(self, x):
        """Images reconstructed from their components."""
        return self.decode(self.encode(x))

    def project(self, x):
        """The nearest points of the components' subspace: reconstructions that are not clipped."""
        return self._unclipped(self.encode(x))

    def _unclipped(self, codes):
        images = self._pca.inverse_transform(codes).reshape(-1, *self.image_shape)
        return images.astype(np.float32)


@lru_cache(maxsize=2)
def principal_components(data, code_dim=16):
    """`PrincipalComponents` of a data set's training images, fitted once."""
    return PrincipalComponents(data.x_train, code_dim)
