"""Models of scikit-learn that may stop before they converge."""

import warnings
from contextlib import contextmanager


@contextmanager
def may_stop_early():
    """Context in which it is no warning that a fit ended at its limit of steps, or without an end.

    Each such limit is part of a measure, the same for every model that is compared; and codes that
    are all equal have no ten clusters.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
