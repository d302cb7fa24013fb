"""A saved Keras model rewritten small: its weights in half precision, without its optimiser.

Keras casts what it reads to the dtype of the variable, so that such a file loads like any other.
"""

import io
import json
import zipfile

import h5py
import numpy as np

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
OPTIMIZER = "optimizer"
# Neighbouring weights have equal exponents: with their bytes apart, these are compressed
PACKED = {"compression": "gzip", "compression_opts": 9, "shuffle": True}


def rewrite(source, target, half=True):
    """Write the ``.keras`` file ``source`` to ``target`` without what only training needs.

    Parameters
    ----------
    half : whether weights become float16. Integers, states of generators, and weights that have no
        finite value in it stay as they are.

    The model that is loaded from it is not compiled.
    """
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == CONFIG:
                config = json.loads(content)
                config.pop("compile_config", None)
                content = json.dumps(config).encode()
            elif name == WEIGHTS:
                content = _weights(content, half)
            # A fixed time, so that the same model gives the same file
            new.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)


def same(one, other):
    """Whether two ``.keras`` files hold the same model: all is equal but the date of saving."""
    return _checksums(one) == _checksums(other)


def _checksums(file):
    with zipfile.ZipFile(file) as archive:
        return {i.filename: i.CRC for i in archive.infolist() if i.filename != METADATA}


def _weights(content, half):
    file = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(file, "w") as new:
        _copy(old, new, half)
    return file.getvalue()


def _copy(old, new, half):
    """Copy groups, datasets and their attributes, but for optimisers."""
    new.attrs.update(old.attrs)
    for name, item in old.items():
        if isinstance(item, h5py.Group):
            if name != OPTIMIZER:
                _copy(item, new.create_group(name), half)
            continue
        values = halved(item[()]) if half else item[()]
        # A single value can be in no chunks, and chunks are what is compressed
        packed = PACKED if np.ndim(values) and np.size(values) else {}
        dataset = new.create_dataset(name, data=values, **packed)
        dataset.attrs.update(item.attrs)


def halved(values):
    """An array in float16 where it holds floats that have finite values there; else as it is."""
    values = np.asarray(values)
    if values.dtype not in (np.float32, np.float64):
        return values
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    return half if np.isfinite(half).all() else values
