"""An autoencoder as a scikit-learn transformer, from features to codes and back.

    reducer = make_pipeline(AutoencoderTransformer(code_dim=16), LogisticRegression())

It works with every variant whose code is a vector, named as in the table of experiments.
"""

import random
from contextlib import contextmanager

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from Code.foundation.names import load


class AutoencoderTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Learn a code for each row of a table.

    Each feature is scaled to [0, 1] by its range in the training data, as the variants expect.

    Parameters
    ----------
    model : import path ``"module:Class"`` of a variant.
    code_dim : units of the code.
    hidden : units of the encoder's hidden layers; the decoder has them in reverse order.
    settings : dict of further keyword arguments of the variant, or None.
    image_shape : (height, width) if the features are an image's pixels, row by row; (height, width,
        channels) if each pixel is followed by its channels; None for a table of other features.
    epochs, batch_size, learning_rate : settings of the training with Adam.
    random_state : seed, ``RandomState`` or None for a new seed each time.
    verbose : as in ``keras.Model.fit``.

    Attributes
    ----------
    model_ : the trained variant; ``model_.encoder`` and ``model_.decoder`` are Keras models.
    history_ : dict of the mean loss and terms by epoch.
    low_, range_ : arrays ``(n_features_in_,)``: minimum and range, which scale features to [0, 1].
    n_iter_ : number of trained epochs.
    classes_ : array of the labels, where the variant's loss reads them: the k-th is its label k.
    """

    def __init__(
        self,
        model="Code.ae:AE",
        *,
        code_dim=2,
        hidden=(64,),
        settings=None,
        image_shape=None,
        epochs=10,
        batch_size=64,
        learning_rate=1e-3,
        random_state=None,
        verbose=0,
    ):
        self.model = model
        self.code_dim = code_dim
        self.hidden = hidden
        self.settings = settings
        self.image_shape = image_shape
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Train on a table.

        Parameters
        ----------
        X : array ``(n, n_features)`` of finite numbers.
        y : labels ``(n,)`` for a variant whose loss reads labels, of any kind that can be sorted;
            ignored by every other variant.

        Raises
        ------
        ValueError
            If ``image_shape`` does not have as many pixels as there are features, or there are more
            labels than the variant knows.
        """
        import keras

        X = validate_data(self, X, dtype=np.float64)
        shape = self.image_shape or (1, X.shape[1])
        if np.prod(shape) != X.shape[1]:
            raise ValueError(
                f"image_shape {shape} has {np.prod(shape)} pixels, X {X.shape[1]} features"
            )
        self.low_ = X.min(axis=0)
        spread = X.max(axis=0) - self.low_
        self.range_ = np.where(spread > 0, spread, 1.0)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        with _seeded(seed):
            self.model_ = load(self.model)(
                image_shape=shape,
                code_dim=self.code_dim,
                hidden=tuple(self.hidden),
                **(self.settings or {}),
            )
            self.model_.compile(keras.optimizers.Adam(self.learning_rate))
            history = self.model_.fit(
                self._images(X), self._labels(y), self.batch_size, self.epochs, verbose=self.verbose
            )
        self.history_ = history.history
        self.n_iter_ = self.epochs
        return self

    def _labels(self, y):
        """Labels 0, 1, … for a variant that reads them, otherwise None."""
        known = self.model_.n_labels_told
        if y is None or known is None:
            return None
        self.classes_, labels = np.unique(column_or_1d(y), return_inverse=True)
        if len(self.classes_) > known:
            raise ValueError(f"{len(self.classes_)} labels, but {self.model} knows {known}")
        return labels

    def transform(self, X):
        """Codes ``(n, units)`` of a table ``(n, n_features)``.

        ``units`` is ``code_dim``, and more where the code holds a label beside z.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self._in_full_batches(self._codes, self._images(X)).astype(np.float64)

    def _codes(self, images, batch_size):
        # Not `encode`: a new row may lie outside the range of the training data
        return self.model_.in_batches("code", self.model_.code_of, images, batch_size)

    def inverse_transform(self, X):
        """Tables ``(n, n_features)`` in the features' own units from codes ``(n, code_dim)``."""
        check_is_fitted(self)
        codes = np.asarray(X, dtype=np.float32)
        images = self._in_full_batches(self.model_.decode, codes)
        return images.reshape(len(codes), -1).astype(np.float64) * self.range_ + self.low_

    def score(self, X, y=None):
        """Minus the mean squared error of the reconstruction, in the features' own units."""
        restored = self.inverse_transform(self.transform(X))
        return -float(np.mean((np.asarray(X, dtype=np.float64) - restored) ** 2))

    def _images(self, X):
        unit = (X - self.low_) / self.range_
        return unit.reshape(-1, *self.model_.image_shape).astype(np.float32)

    @staticmethod
    def _in_full_batches(function, rows, size=256):
        """Apply ``function`` to the rows, always to ``size`` rows at once.

        The last bits of a matrix product depend on its number of rows, but the code of a row must
        not depend on the other rows.
        """
        full = -(-len(rows) // size) * size
        padded = np.concatenate([rows, np.zeros((full - len(rows), *rows.shape[1:]), rows.dtype)])
        return function(padded, batch_size=size)[: len(rows)]

    @property
    def _n_features_out(self):
        return self.model_.decoder.input_shape[-1]


@contextmanager
def _seeded(seed):
    """Context that seeds Keras and afterwards restores the generators of Python and NumPy."""
    import keras

    states = np.random.get_state(), random.getstate()  # noqa: NPY002 (Keras seeds that one)
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        np.random.set_state(states[0])  # noqa: NPY002
        random.setstate(states[1])
