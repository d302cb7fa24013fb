"""What a row of the table of experiments holds."""

from dataclasses import asdict, dataclass, field

# What ReLU units do to a code and its pictures, measured of plain autoencoders
AXES = ("axis_fraction", "dead_pixels")
# The axes of a map of the means of q(z | x)
Z_MEAN = "z mean {}"

# Corruption of a quarter of the pixels
MASKING = {"corruption": "masking", "level": 0.25}
SALT_AND_PEPPER = {"corruption": "salt_and_pepper", "level": 0.25}


def adam(learning_rate):
    """Adam as Keras's ``optimizers.get`` reads it."""
    return {"class_name": "adam", "config": {"learning_rate": learning_rate}}


def sgd(learning_rate, **settings):
    """Gradient descent, with ``momentum`` and the like, as ``optimizers.get`` reads it."""
    return {"class_name": "sgd", "config": {"learning_rate": learning_rate, **settings}}


def decaying_adam(learning_rate, steps):
    """Adam whose rate falls to 0 over ``steps`` along a cosine, as ``optimizers.get`` reads it."""
    schedule = {
        "module": "keras.optimizers.schedules",
        "class_name": "CosineDecay",
        "config": {"initial_learning_rate": learning_rate, "decay_steps": steps},
        "registered_name": None,
    }
    return adam(schedule)


@dataclass(frozen=True)
class Stage:
    """One call of ``fit``.

    ``name`` is ``"unsupervised"`` (the autoencoder), ``"supervised"`` (encoder and head) or a name
    of the variant's own.
    """

    name: str
    epochs: int
    batch_size: int
    optimizer: dict = field(default_factory=lambda: adam(1e-3))


@dataclass(frozen=True)
class Published:
    """A figure that someone else printed, with where it stands and how near ours should come."""

    stage: str
    metric: str
    value: float
    source: str
    low: float
    high: float


@dataclass(frozen=True)
class Experiment:
    """One row of the table.

    Attributes
    ----------
    model : import path ``"module:Class"`` of the variant; its first part names the module.
    settings : the class's keyword arguments, beside ``image_shape``.
    noise_once : level of the Gaussian noise with which the images are overwritten before training,
        or None. The published denoising experiment does that; the corrected ones draw noise in
        the model.
    procedure : import path ``"module:function"`` of what trains and measures it.
    measures : names of measures in ``Code.training.measures.FURTHER``, beside those of all rows.
    code_axis : what an axis of the map of codes is called; ``{}`` is the number of the unit.
    loss_axis : what the loss of the unsupervised stage is, with its unit.
    """

    name: str
    variant: str
    kind: str
    title: str
    model: str = ""
    settings: dict = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    noise_once: float | None = None
    denoises: bool = False
    group: str = "published"
    published: tuple[Published, ...] = ()
    procedure: str = "Code.training.procedure:run"
    measures: tuple[str, ...] = ()
    code_axis: str = "code {}"
    loss_axis: str = "loss"

    @property
    def fingerprinted(self):
        """What a result depends on, as JSON can hold it."""
        row = asdict(self)
        for label in ("title", "published", "group", "kind", "code_axis", "loss_axis"):
            del row[label]
        return row


def decaying(name, epochs, batch_size, learning_rate, n_train=60_000):
    """A stage whose learning rate falls to 0 by its last step on ``n_train`` images."""
    steps = epochs * -(-n_train // batch_size)
    return Stage(name, epochs, batch_size, decaying_adam(learning_rate, steps))


def unsupervised(epochs, batch_size=64, learning_rate=1e-3):
    """A stage that trains the autoencoder."""
    return Stage("unsupervised", epochs, batch_size, adam(learning_rate))


def supervised(epochs, batch_size=32):
    """A stage that trains encoder and head."""
    return Stage("supervised", epochs, batch_size)


def variant_of(model):
    """The name of the module in an import path ``"package.module:Class"``."""
    return model.split(":")[0].split(".")[-1]


def paper_row(name, title, model, settings, *stages, kind="published", variant=None, **more):
    """A row after a paper. It belongs to the variant that ``model`` is in, or to ``variant``."""
    variant = variant or variant_of(model)
    return Experiment(name, variant, kind, title, model, settings, stages, group="papers", **more)


def pca_row(name, title, n_components, group="published"):
    """Principal components as a row: the baseline that has no epochs."""
    return Experiment(
        name,
        "pca",
        "baseline",
        title,
        procedure="Code.training.pca:run",
        group=group,
        settings={"n_components": n_components},
        stages=(Stage("fit", 1, 0, {}),),
        code_axis="principal component {}",
    )
