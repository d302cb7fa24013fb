"""Principal components of few or of many columns, by whichever way fits into memory."""

import numpy as np
from sklearn.decomposition import PCA

# Beyond it the covariance matrix grows to gigabytes, and its eigenvectors take minutes
WIDEST_COVARIANCE = 4096
# Of images every use needs components: a covariance of this width takes half a second
WIDEST_IMAGES = 1024


def fitted_pca(n_components, table, widest=WIDEST_COVARIANCE):
    """A scikit-learn ``PCA`` of so many components, fitted to a table.

    All ways are exact up to rounding: all eigenvectors of the covariance matrix up to ``widest``
    columns; beyond that only the leading ones, by iteration on the table itself (ARPACK, started
    from the same vector each time), or, of few rows, its singular value decomposition.

    Parameters
    ----------
    table : ``(rows, columns)``.
    """
    pca = PCA(n_components, **_way(n_components, *table.shape, widest))
    # Of rows that are all equal the share of the variance is 0 / 0, which nobody asks for
    with np.errstate(invalid="ignore"):
        return pca.fit(table)


def _way(n_components, rows, columns, widest):
    if columns <= widest:
        return {"svd_solver": "covariance_eigh"}
    if n_components < min(rows, columns):
        return {"svd_solver": "arpack", "random_state": 0}
    return {"svd_solver": "full"}
