"""The MNIST table of "The Great Autoencoder Bake Off" (Krokotsch 2021), row for row.

`Code.training.bakeoff` has the protocol, and says how it was read. Nothing here was tuned: what the
code of the Bake Off does is set, and the seeds give the spread.
"""

from Code.experiments.row import Z_MEAN, Experiment, Published, Stage

RESULTS = "Krokotsch 2021, The Great Autoencoder Bake Off, results/mnist of its repository"
# 1,024 pixels are twice divided by three
NET = {"hidden": (341, 113), "code_dim": 20, "reconstruction": "binary cross-entropy"}
SHALLOW = {"hidden": (), "code_activation": "relu"}
# Half of the last digit that is printed
LAST_DIGIT = {"summed_bce": 0.005, "probe_550": 0.00005}
EPOCHS, BATCH = 60, 256
N_LEVELS, PIXELS = 3, 32 * 32


def _adam(epsilon):
    return {"class_name": "adam", "config": {"learning_rate": 1e-3, "epsilon": epsilon}}


# PyTorch's ε for a loss that is summed over the pixels. Where the loss is the mean over them, Adam
# takes the same steps with an ε as much smaller
SUMMED = _adam(1e-8)
MEAN = _adam(1e-8 / PIXELS)
LEVELS = tuple(Stage(f"layer-{k}", EPOCHS // N_LEVELS, BATCH, MEAN) for k in range(1, N_LEVELS + 1))


def _whole(optimizer):
    """The one stage in which the whole autoencoder is trained."""
    return (Stage("unsupervised", EPOCHS, BATCH, optimizer),)


def _row(name, title, variant, model, error, accuracy, stages, settings=None, **more):
    """A row, with its summed cross-entropy and its accuracy as published."""
    figures = {"summed_bce": error, "probe_550": accuracy}
    return Experiment(
        f"bakeoff-{name}",
        variant,
        "paper",
        title,
        f"Code.{model}",
        {**NET, **(settings or {})},
        stages,
        group="bakeoff",
        procedure="Code.training.bakeoff:run",
        published=tuple(
            Published(stages[-1].name, metric, value, RESULTS, LAST_DIGIT[metric])
            for metric, value in figures.items()
        ),
        **more,
    )


def _normalised(name, title, variant, model, *figures, optimizer=SUMMED, **more):
    """A row with the deep network, whose hidden layers are normalised over the batch."""
    model = f"normalised:Normalised{model}"
    return _row(name, title, variant, model, *figures, _whole(optimizer), **more)


BAKEOFF_GROUP = (
    _row(
        "shallow",
        "Shallow, one ReLU layer of 20",
        "ae",
        "ae:AE",
        123.15,
        0.4511,
        _whole(MEAN),
        SHALLOW,
    ),
    _normalised("vanilla", "Deep, 1024-341-113-20", "ae", "AE", 63.92, 0.7835, optimizer=MEAN),
    _row(
        "stacked",
        "Stacked, 20 epochs a level",
        "stacked",
        "normalised:NormalisedAE",
        87.87,
        0.6107,
        LEVELS,
    ),
    _normalised(
        "sparse",
        "KL-sparse, rate 0.25",
        "sparse",
        "KLSparse",
        64.27,
        0.2221,
        settings={"rate": 0.25, "weight": 1.0},
    ),
    _normalised(
        "denoising",
        "Denoising, σ = 0.5",
        "dae",
        "DAE",
        75.15,
        0.8049,
        optimizer=MEAN,
        settings={"corruption": "gaussian", "level": 0.5},
    ),
    _normalised("vae", "Variational", "vae", "VAE", 76.12, 0.6016, code_axis=Z_MEAN),
    _normalised(
        "beta-strict",
        "β-VAE, strict, β = 2",
        "beta_vae",
        "BetaVAE",
        86.12,
        0.4536,
        settings={"beta": 2.0},
        code_axis=Z_MEAN,
    ),
    _normalised(
        "beta-loose",
        "β-VAE, loose, β = 0.5",
        "beta_vae",
        "BetaVAE",
        69.51,
        0.6311,
        settings={"beta": 0.5},
        code_axis=Z_MEAN,
    ),
    _normalised(
        "vq",
        "Vector-quantised, 512 entries a unit",
        "vq_vae",
        "UnitVQVAE",
        64.49,
        0.7717,
        settings={"n_entries": 512, "commitment": 1.0},
    ),
)
