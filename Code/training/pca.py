"""Principal components: the linear autoencoder that has a closed form (Bourlard & Kamp 1988).

z = Vᵀ (x − x̄)        x̂ = V z + x̄        V: the leading eigenvectors of the covariance
"""

import time

import numpy as np

from Code.parts.components import WIDEST_IMAGES, fitted_pca
from Code.parts.images import to_unit
from Code.training.measures import in_plane, mean_squared_error, neighbour_accuracy, plane
from Code.training.procedure import SHOWN_DIGITS, Outcome


def run(experiment, data, seed, tell, verbose=0):
    """Fit PCA and measure it in the same way as the autoencoders; see `procedure.run`.

    Raises
    ------
    ValueError
        If there are fewer than two training images.
    """
    stage = "fit"
    flat = {
        "train": to_unit(data.x_train).reshape(len(data.x_train), -1),
        "test": to_unit(data.x_test).reshape(len(data.x_test), -1),
    }
    outcome = Outcome(epochs={stage: 1})
    start = time.perf_counter()
    shape = flat["train"].shape
    if shape[0] < 2:
        raise ValueError("principal components need at least two images")
    n_components = min(experiment.settings["n_components"], shape[0] - 1, shape[1])
    pca = fitted_pca(n_components, flat["train"], WIDEST_IMAGES)
    outcome.seconds[stage] = outcome.epoch_seconds[stage] = time.perf_counter() - start
    tell(1)
    codes = {split: pca.transform(x) for split, x in flat.items()}
    for split, x in flat.items():
        x_hat = pca.inverse_transform(codes[split])
        mse = mean_squared_error(x, x_hat)
        outcome.add(
            stage,
            split,
            mse=mse,
            squared_error=x.shape[1] * mse,
            mean_image_mse=mean_squared_error(x, pca.mean_[None]),
        )
    # As for all other codes, the map is the plane of the first two components
    train_points, test_points = plane(*(codes[split][:, :2] for split in ("train", "test")))
    if data.labelled:
        knn = neighbour_accuracy(train_points, data.y_train, test_points, data.y_test)
        outcome.add(stage, "test", **{in_plane("knn_accuracy", n_components): knn})
    outcome.parameters = pca.components_.size + pca.mean_.size
    shape = (-1, *data.x_test.shape[1:])
    outcome.views = {
        "digits": flat["test"][:SHOWN_DIGITS].reshape(shape),
        f"reconstructions/{stage}": np.clip(x_hat[:SHOWN_DIGITS].reshape(shape), 0, 1),
        f"code/{stage}": test_points.astype(np.float32),
        "code_is_projected": np.array(False),
    }
    if data.labelled:
        outcome.views |= {"labels": data.y_test, "classes": np.array(data.classes)}
    return outcome
