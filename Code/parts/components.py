"""Principal components of few or of many columns, by whichever way fits into memory."""

from sklearn.decomposition import PCA

# Beyond it the covariance matrix grows to gigabytes, and its eigenvectors take minutes
WIDEST_COVARIANCE = 4096


def principal_components(n_components, width):
    """An unfitted scikit-learn ``PCA`` of so many components for tables of ``width`` columns.

    Both ways are exact up to rounding: all eigenvectors of the covariance matrix, or only the
    leading ones, by iteration on the table itself (ARPACK, started from the same vector each time).
    """
    if width <= WIDEST_COVARIANCE:
        return PCA(n_components, svd_solver="covariance_eigh")
    return PCA(n_components, svd_solver="arpack", random_state=0)
