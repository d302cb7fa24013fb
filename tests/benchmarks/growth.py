"""How the time of an epoch grows with the data, the code, the width and the batch."""

import statistics

from Code.foundation.own_process import set_xla_flags
from tests.benchmarks.clock import Clock, keras_clock
from tests.benchmarks.networks import BATCH_SIZE, NETWORKS

SHALLOW, DENSE = "784-2-784", "784-512-2-512-784"
HIDDEN = {SHALLOW: (), DENSE: (512,)}
SHARES = (60, 15, 4, 1)  # of 60,000 images: 1,000, 4,000, 15,000 and all
CODES = (2, 16, 128)
WIDTHS = (128, 512, 2048)
BATCHES = (16, 32, 64, 128, 256, 512)


def curves(n_images):
    """What is timed, curve by curve: one setting varies, the others are as published."""

    def point(axis, network, value, **changes):
        usual = {
            "images": n_images,
            "code_dim": 2,
            "hidden": list(HIDDEN[network]),
            "batch_size": BATCH_SIZE,
        }
        return {"axis": axis, "network": network, "value": value, **usual, **changes}

    both = (SHALLOW, DENSE)
    sizes = sorted({max(1, n_images // share) for share in SHARES})
    return [
        *([point("images", network, n, images=n) for n in sizes] for network in both),
        [point("code_dim", SHALLOW, n, code_dim=n) for n in CODES],
        [point("width", DENSE, n, hidden=[n]) for n in WIDTHS],
        *([point("batch_size", network, n, batch_size=n) for n in BATCHES] for network in both),
    ]


def measure(points, rounds, wait):
    """Train every point for ``rounds`` epochs, of which all but the first count.

    Parameters
    ----------
    wait : called before each point.

    Returns
    -------
    dict with the ``points``, their seconds an epoch added.
    """
    from Code.ae import AE

    set_xla_flags()
    images = NETWORKS["ae"].images(max(point["images"] for point in points))
    measured = []
    for point in points:
        wait()
        clock = Clock()
        model = AE(code_dim=point["code_dim"], hidden=point["hidden"])
        model.compile()
        model.fit(
            images[: point["images"]],
            batch_size=point["batch_size"],
            epochs=rounds,
            verbose=0,
            callbacks=[keras_clock(clock)],
        )
        seconds = clock.seconds[1:]
        measured.append({**point, "seconds": statistics.median(seconds), "all_seconds": seconds})
    return {"points": measured}
