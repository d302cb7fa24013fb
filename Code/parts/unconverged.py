"""Linear models that may stop before they converge."""

import warnings
from contextlib import contextmanager


@contextmanager
def may_stop_early():
    """Context in which an iteration that reaches its limit is no warning.

    Each such limit is part of a measure, the same for every model that is compared.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
