"""Filling the missing values of a table by a denoising autoencoder that is trained on it."""

import math

import numpy as np

from Code.tasks.fill import impute

ROUNDS, STEPS, BATCH, STEPS_A_ROUND = 8, 3, 64, 400


def fill_table(table, seed=0):
    """A table with its missing values filled by a denoising autoencoder trained on it.

    Columns are centred and scaled by what is known of them; gaps start at the mean. The
    autoencoder learns to give back rows of which a part is masked, the gaps are filled by it
    (`impute`), and it goes on learning on the filled table, round after round.

    Parameters
    ----------
    table : float array ``(rows, columns)`` with NaN where a value is missing.
    seed : of Keras, which is set.

    Returns
    -------
    float64 array of the same shape; known values are untouched.

    Raises
    ------
    ValueError
        If the table is not two-dimensional, a value is infinite, or a column holds nothing.

    References
    ----------
    Gondara & Wang 2018, "MIDA: Multiple imputation using denoising autoencoders"; the rounds are
    not theirs.
    """
    table = np.asarray(table, np.float64)
    missing = _checked_gaps(table)
    if not missing.any():
        return table.copy()
    mean, spread = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
    spread[spread == 0] = 1
    rows = ((table - mean) / spread).astype(np.float32)[:, None]
    filled = np.nan_to_num(rows, nan=0.0)
    model = _table_model(table.shape[1], seed)
    for _ in range(ROUNDS):
        model.fit(
            filled, batch_size=min(BATCH, len(rows)), epochs=_table_epochs(len(rows)), verbose=0
        )
        filled = impute(model.reconstruct, rows, filled, STEPS)
    return np.where(missing, filled[:, 0] * spread + mean, table)


def _checked_gaps(table):
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"a table has the shape (rows, columns), not {table.shape}")
    if np.isinf(table).any():
        raise ValueError("the table holds infinite values; a missing value is NaN")
    missing = np.isnan(table)
    if missing.all(axis=0).any():
        column = int(np.argmax(missing.all(axis=0)))
        raise ValueError(f"column {column + 1} of the table holds no value at all; leave it out")
    return missing


def _table_model(columns, seed):
    import keras

    from Code.dae import DAE

    keras.utils.set_random_seed(seed)
    # Each row is an image one pixel high
    model = DAE(
        image_shape=(1, columns),
        code_dim=max(1, min(columns // 2, 32)),
        hidden=(64,),
        activation="tanh",
        output_activation="linear",
        corruption="masking",
        level=0.1,
    )
    model.compile(keras.optimizers.Adam(3e-3))
    return model


def _table_epochs(rows):
    """As many as take about 400 steps."""
    return max(1, STEPS_A_ROUND // math.ceil(rows / BATCH))
