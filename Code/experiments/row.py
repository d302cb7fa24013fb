"""A row of the table of experiments, and what it consists of."""

from dataclasses import asdict, dataclass, field, replace

# Effects of ReLU units on a code and its images, measured for plain autoencoders
AXES = ("axis_fraction", "dead_pixels")
# How noisy the filters of the first layer are: all pixels, and those that carry ink
FILTERS = ("filter_roughness", "filter_roughness_inked")
# A diagnostic of contractive autoencoders, for the rows that they are compared with
CONTRACTION = "relative_jacobian_norm"
# Name of an axis in a map of the means of q(z | x)
Z_MEAN = "z mean {}"

# Corruption of a quarter of the pixels
MASKING = {"corruption": "masking", "level": 0.25}
SALT_AND_PEPPER = {"corruption": "salt_and_pepper", "level": 0.25}


def adam(learning_rate):
    """Adam, as a dict for Keras's ``optimizers.get``."""
    return {"class_name": "adam", "config": {"learning_rate": learning_rate}}


def sgd(learning_rate, **settings):
    """Gradient descent, with ``momentum`` and other settings, as a dict for ``optimizers.get``."""
    return {"class_name": "sgd", "config": {"learning_rate": learning_rate, **settings}}


def decaying_adam(learning_rate, steps):
    """Adam with a rate that falls to 0 along a cosine over ``steps``, for ``optimizers.get``."""
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
    that the variant defines. With ``decays`` the rate falls to 0 along a cosine by the last step,
    however many steps there are (`over_own_steps`).
    """

    name: str
    epochs: int
    batch_size: int
    optimizer: dict = field(default_factory=lambda: adam(1e-3))
    decays: bool = False


# Settings of a classifier's head, on which nothing depends that is trained without labels
HEAD = ("n_classes", "head_input", "head_loss")

# How the training or measuring of a row may differ from what its paper did
DEPARTURES = (
    "epochs",
    "width",
    "optimiser",
    "annealing",
    "selection",
    "images",
    "test_images",
    "classifier",
    "likelihood",
)


# Reading error of a share that is printed in percent with two decimals
PERCENT = 0.00005


@dataclass(frozen=True)
class Published:
    """A published figure, its source, and how exactly it is known.

    Attributes
    ----------
    reading_error : the largest distance between ``value`` and the number that was measured: half a
        pixel where it was read off a plot, half of the last digit where it is printed. From it and
        the spread of our seeds, ``Code.reporting.reproduced`` computes the range in which ours
        should lie.
    departures : what our training or measuring does in another way (``DEPARTURES``). With any, the
        two figures stand beside each other and neither confirms nor refutes the other.

    Raises
    ------
    ValueError
        If a departure has no words in the report.
    """

    stage: str
    metric: str
    value: float
    source: str
    reading_error: float
    departures: tuple[str, ...] = ()

    def __post_init__(self):
        unknown = set(self.departures) - set(DEPARTURES)
        if unknown:
            raise ValueError(f"{self.source}: unknown departures {sorted(unknown)}")


@dataclass(frozen=True)
class Told:
    """How an autoencoder that is trained with labels depends on the number of classes.

    Attributes
    ----------
    counts : settings that are the number of classes.
    shared : settings that are a number of images, equally many of each class.
    most : the largest number of classes, or None for any.
    """

    counts: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    most: int | None = None


@dataclass(frozen=True)
class Experiment:
    """One row of the table.

    Attributes
    ----------
    model : import path ``"module:Class"`` of the variant.
    settings : the class's keyword arguments, except ``image_shape``.
    noise_once : level of the Gaussian noise that is added to the images once, before training, or
        None. The published denoising experiment does this; the corrected ones draw noise in the
        model.
    procedure : import path ``"module:function"`` of the function that trains and measures it.
    measures : names of further measures (``Code.training.measures.FURTHER``), in addition to those
        of all rows.
    draws : whether reconstructions from a drawn code are measured and shown beside those from its
        mean; for a variational autoencoder.
    code_axis : name of an axis of the map of codes; ``{}`` stands for the number of the unit.
    loss_axis : name of the loss of the unsupervised stage, with its unit; ``{pixels}`` stands for
        the number of pixels of an image.
    told : how the autoencoder itself uses labels, or None if it uses none; a head does not count.
    of_digits : names of settings that suit images of 28×28 pixels only; for others the class
        chooses.
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
    draws: bool = False
    code_axis: str = "code {}"
    loss_axis: str = "loss"
    told: Told | None = None
    of_digits: tuple[str, ...] = ()

    @property
    def uses_labels(self):
        """Whether the autoencoder itself learns from labels: it is not ranked with the others."""
        return self.told is not None

    @property
    def fingerprinted(self):
        """The settings on which a result depends, as values that JSON can hold."""
        row = asdict(self)
        for label in (
            "title",
            "published",
            "group",
            "kind",
            "code_axis",
            "loss_axis",
            "told",
            "of_digits",
        ):
            del row[label]
        return row


def decaying(name, epochs, batch_size, learning_rate, n_train=60_000):
    """A stage whose learning rate falls to 0 by its last step on ``n_train`` images."""
    steps = epochs * -(-n_train // batch_size)
    return Stage(name, epochs, batch_size, decaying_adam(learning_rate, steps), decays=True)


def over_own_steps(row, n_train):
    """The row with rates that reach 0 by the last step of training on ``n_train`` images.

    A row that trains on the first of them only (``n_train`` of its settings) has as many fewer.
    """
    if not any(stage.decays for stage in row.stages):
        return row
    n_train = min(n_train, row.settings.get("n_train", n_train))

    def fitted(stage):
        if not stage.decays:
            return stage
        config = stage.optimizer["config"]["learning_rate"]["config"]
        rate = config["initial_learning_rate"]
        return decaying(stage.name, stage.epochs, stage.batch_size, rate, n_train)

    return replace(row, stages=tuple(map(fitted, row.stages)))


def unsupervised(epochs, batch_size=64, learning_rate=1e-3):
    """A stage that trains the autoencoder."""
    return Stage("unsupervised", epochs, batch_size, adam(learning_rate))


def supervised(epochs, batch_size=32):
    """A stage that trains encoder and head."""
    return Stage("supervised", epochs, batch_size)


def variant_of(model):
    """The name of the module in an import path ``"package.module:Class"``."""
    return model.split(":")[0].split(".")[-1]


def paper_row(name, title, model, settings, *stages, kind="paper", variant=None, **more):
    """A row that follows a paper; ``variant`` is by default the module of ``model``."""
    variant = variant or variant_of(model)
    return Experiment(name, variant, kind, title, model, settings, stages, group="papers", **more)


def pca_row(name, title, n_components, group="published", published=()):
    """A row of principal components: the baseline without epochs."""
    return Experiment(
        name,
        "pca",
        "baseline",
        title,
        procedure="Code.training.pca:run",
        group=group,
        settings={"n_components": n_components},
        stages=(Stage("fit", 1, 0, {}),),
        published=published,
        code_axis="principal component {}",
    )
