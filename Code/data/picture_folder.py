"""A folder of pictures: by class, or all together without labels."""

from Code.foundation.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")


class PictureFolderError(UserError, ValueError):
    """A folder of pictures that cannot be used; the message is one line."""


def read_pictures(folder, size=None):
    """Not written yet."""
    raise PictureFolderError(f"{folder}: no IDX files in it")
