"""A saved Keras model rewritten small: its weights rounded, without its optimiser.

Keras casts what it reads to the dtype of the variable, so that such a file loads like any other.
The bits that a rounded fraction no longer uses are zeros, which compression takes out.
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

FRACTION = {np.float16: 10, np.float32: 23}
"""Bits of the fraction of a number."""

HALF = FRACTION[np.float16]


def rewrite(source, target, bits=HALF):
    """Write the ``.keras`` file ``source`` to ``target`` without what only training needs.

    Parameters
    ----------
    bits : to so many bits of their fraction weights are rounded, in float16 if that has so many,
        else in float32; None leaves all as they are. Integers, states of generators, and weights
        that have no finite value in it stay.

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
                content = _weights(content, bits)
            # A fixed time, so that the same model gives the same file
            new.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)


def same(one, other):
    """Whether two ``.keras`` files hold the same model: all is equal but the date of saving."""
    return _checksums(one) == _checksums(other)


def _checksums(file):
    with zipfile.ZipFile(file) as archive:
        return {i.filename: i.CRC for i in archive.infolist() if i.filename != METADATA}


def _weights(content, bits):
    file = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(file, "w") as new:
        _copy(old, new, bits)
    return file.getvalue()


def _copy(old, new, bits):
    """Copy groups, datasets and their attributes, but for optimisers."""
    new.attrs.update(old.attrs)
    for name, item in old.items():
        if isinstance(item, h5py.Group):
            if name != OPTIMIZER:
                _copy(item, new.create_group(name), bits)
            continue
        values = item[()] if bits is None else rounded(item[()], bits)
        # A single value can be in no chunks, and chunks are what is compressed
        packed = PACKED if np.ndim(values) and np.size(values) else {}
        dataset = new.create_dataset(name, data=values, **packed)
        dataset.attrs.update(item.attrs)


def rounded(values, bits=HALF):
    """Floats with so many bits of the fraction; to even where two numbers are equally near.

    They are float16 if that has so many bits, else float32. What is no float, or has no finite
    value there, stays.
    """
    values = np.asarray(values)
    if values.dtype.kind != "f":
        return values
    kind = np.float16 if bits <= HALF else np.float32
    with np.errstate(over="ignore"):
        small = _without(FRACTION[kind] - bits, values.astype(kind))
    return small if np.isfinite(small).all() else values


def _without(spare, values):
    """The values with their last ``spare`` bits rounded away."""
    if not spare:
        return values
    # As whole numbers, so that a fraction that is rounded up beyond its bits raises the exponent
    whole = values.view(f"u{values.itemsize}").astype(np.uint64)
    odd = (whole >> spare) & 1
    whole = (whole + (1 << (spare - 1)) - 1 + odd) >> spare << spare
    return whole.astype(f"u{values.itemsize}").view(values.dtype)
