"""Principal components of few or of many columns, by whichever way fits into memory."""

from sklearn.decomposition import PCA

# Beyond it the covariance matrix grows to gigabytes, and its eigenvectors take minutes
WIDEST_COVARIANCE = 4096
# Of images every use needs components: a covariance of this width takes half a second
WIDEST_IMAGES = 1024


def unfitted_pca(n_components, shape, widest=WIDEST_COVARIANCE):
    """A scikit-learn ``PCA`` of so many components for a table of this shape, not fitted yet.

    All ways are exact up to rounding: all eigenvectors of the covariance matrix up to ``widest``
    columns; beyond that only the leading ones, by iteration on the table itself (ARPACK, started
    from the same vector each time), or, of few rows, its singular value decomposition.

    Parameters
    ----------
    shape : ``(rows, columns)``.
    """
    rows, columns = shape
    if columns <= widest:
        return PCA(n_components, svd_solver="covariance_eigh")
    if n_components < min(rows, columns):
        return PCA(n_components, svd_solver="arpack", random_state=0)
    return PCA(n_components, svd_solver="full")
