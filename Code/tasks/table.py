"""Fill the missing values of a table with a denoising autoencoder that is trained on it."""

import math

import numpy as np
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer

from Code.parts.unconverged import may_stop_early
from Code.tasks.fill import impute

ROUNDS, STEPS, BATCH, STEPS_A_ROUND = 8, 3, 64, 400
HIDDEN = 0.1
# Each column is regressed on so many others
PREDICTORS = 30


def fill_table(table, seed=0):
    """Fill the missing values of a table with a denoising autoencoder trained on it.

    Columns are centred and scaled by their known values; missing values start at the mean. The
    autoencoder learns to reconstruct partly masked rows, then fills the missing values (`impute`),
    and in the next rounds continues to learn on the filled table.

    Parameters
    ----------
    table : float array ``(rows, columns)`` with NaN where a value is missing.
    seed : Keras's global seed, which is set.

    Returns
    -------
    float64 array of the same shape; known values are unchanged.

    Raises
    ------
    ValueError
        If the table is not two-dimensional, a value is infinite, or a column has no known value.

    References
    ----------
    Gondara & Wang 2018, "MIDA: Multiple imputation using denoising autoencoders"; they fill
    once, here the rounds repeat it.
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


def hidden_errors(table, seed=0, share=HIDDEN):
    """How well known cells are filled that are hidden for the purpose: `fill_table` and its rivals.

    Parameters
    ----------
    table, seed : as for `fill_table`.
    share : the share of the known cells that is hidden; one cell of each column stays known.

    Returns
    -------
    dict: the root mean squared error in standard deviations of the columns, of ``autoencoder``,
    ``regressions`` (each column on the others, in turn: van Buuren & Groothuis-Oudshoorn 2011) and
    ``column_mean``.
    """
    table = np.asarray(table, np.float64)
    known = ~_checked_gaps(table)
    hidden = known & (np.random.default_rng(seed).random(table.shape) < share)
    hidden[known.argmax(axis=0), np.arange(table.shape[1])] = False
    if not hidden.any():
        return {}
    holey = np.where(hidden, np.nan, table)
    mean, spread = np.nanmean(holey, axis=0), np.nanstd(holey, axis=0)
    spread[spread == 0] = 1
    regressions = IterativeImputer(
        n_nearest_features=min(PREDICTORS, max(1, table.shape[1] - 1)), random_state=seed
    )
    with may_stop_early():
        regressed = regressions.fit_transform((holey - mean) / spread) * spread + mean
    guesses = {
        "autoencoder": fill_table(holey, seed),
        "regressions": regressed,
        "column_mean": np.broadcast_to(mean, table.shape),
    }
    return {
        name: float(np.sqrt(np.mean(np.square((guess - table) / spread)[hidden])))
        for name, guess in guesses.items()
    }


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
    model.any_range = True
    model.compile(keras.optimizers.Adam(3e-3))
    return model


def _table_epochs(rows):
    """The number of epochs that takes about 400 steps."""
    return max(1, STEPS_A_ROUND // math.ceil(rows / BATCH))
