"""Rows that follow papers on deep networks: stacked, RBM, convolutional, recurrent, masked."""

from Code.experiments.row import (
    MASKING,
    PERCENT,
    Published,
    Stage,
    adam,
    decaying,
    paper_row,
    pca_row,
    sgd,
    unsupervised,
)

LAYERWISE = "Code.training.layerwise:run"
VINCENT = "Vincent et al. 2010, table 3, from a transcription"
HINTON = "recalled from Hinton & Salakhutdinov 2006"
REDUCED = ("epochs", "optimiser", "selection")

SDAE_NET = {
    "hidden": (1000, 1000),
    "code_dim": 1000,
    "activation": "sigmoid",
    "code_activation": "sigmoid",
    "reconstruction": "binary cross-entropy",
    "n_classes": 10,
}
PLAIN = {"layer_kind": "plain"}
DENOISING = {"layer_kind": "denoising", "layer_settings": MASKING}
# The noise that table 3 names for its set of 10,000 images, and 25 % for all of MNIST
DENOISING_10K = {"layer_kind": "denoising", "layer_settings": {**MASKING, "level": 0.1}}
SMALL_SDAE_NET = {**SDAE_NET, "hidden": (500,), "code_dim": 500, **DENOISING}
SCAE_NET = {"filters": (16, 32), "n_classes": 10, "reconstruction": "binary cross-entropy"}
HINTON_NET = {"hidden": (1000, 500, 250), "code_dim": 30}


def levels(n, epochs, batch_size, optimizer=None):
    """Stages that pre-train the first n levels."""
    return tuple(
        Stage(f"layer-{i}", epochs, batch_size, optimizer or adam(1e-3)) for i in range(1, n + 1)
    )


def rbms(n, epochs, batch_size):
    """Stages that pre-train n levels by contrastive divergence; the last, Gaussian, more slowly."""
    fast, slow = (sgd(rate, momentum=0.9) for rate in (0.05, 0.001))
    last = Stage(f"layer-{n}", epochs, batch_size, slow)
    return (*levels(n - 1, epochs, batch_size, fast), last)


def tuned(epochs, batch_size, learning_rate=1e-3):
    """Stages of supervised fine-tuning: of the pre-trained network and of one from scratch."""
    names = ("supervised", "supervised-from-scratch")
    return tuple(Stage(name, epochs, batch_size, adam(learning_rate)) for name in names)


SDAE_STAGES = (*levels(3, 4, 128), decaying("supervised", 10, 128, 2e-3))


def _accuracy(error, departures):
    """A test error of table 3, printed in percent with two decimals, as an accuracy."""
    value = round(1 - error, 4)
    return Published("supervised", "test_accuracy", value, VINCENT, PERCENT, departures)


def _vincent(name, title, layer, error, *stages, departures=REDUCED, **settings):
    """A row with three layers of 1,000 units, as in table 3."""
    return paper_row(
        name,
        title,
        "Code.stacked:Stacked",
        {**SDAE_NET, **layer, **settings},
        *stages,
        procedure=LAYERWISE,
        published=(_accuracy(error, departures),),
    )


def _vincent_10k(name, title, layer, error, from_scratch=False):
    """The same with 10,000 images; ``from_scratch`` adds a network without pre-training."""
    tuning = ("supervised", "supervised-from-scratch") if from_scratch else ("supervised",)
    stages = (*levels(3, 15, 64), *(decaying(stage, 20, 64, 2e-3, 10_000) for stage in tuning))
    # The paper's own set: other images to train on, and 50,000 to test on
    departures = (*REDUCED, "images", "test_images")
    return _vincent(name, title, layer, error, *stages, departures=departures, n_train=10_000)


def _few_labels(name, title, model, network, stages):
    """A row with 20,000 images, of which 1,000 have labels."""
    settings = {**network, "n_train": 20_000, "n_labels": 1000}
    return paper_row(name, title, model, settings, *stages, kind="corrected", procedure=LAYERWISE)


def _squared_error(stage, value, departures=()):
    """A published squared error of a test image, summed over its pixels in [0, 1]."""
    return Published(stage, "squared_error", value, HINTON, 0.005, departures)


def _hinton(name, title, *pre_training, **more):
    """The deep autoencoder 784-1000-500-250-30."""
    stages = (*pre_training, unsupervised(10, 200))
    return paper_row(
        name, title, "Code.rbm:DeepRBM", HINTON_NET, *stages, procedure=LAYERWISE, **more
    )


def _structure(name, title, model, settings, learning_rate=1e-3):
    """A row with another kind of network, without a published figure."""
    stage = unsupervised(8, 64, learning_rate)
    return paper_row(name, title, model, settings, stage, kind="corrected")


def _recurrent(name, title, cell):
    """A row with a code of 16 units from a recurrent network over the image's rows."""
    settings = {"cell": cell, "units": 64, "code_dim": 16}
    return _structure(name, title, "Code.lstm:RecurrentAE", settings, 3e-3)


def _masked(name, title, patch):
    """A row in which a quarter of the patches of ``patch`` × ``patch`` pixels is visible."""
    settings = {"patch": patch, "hidden": (512, 256), "code_dim": 64}
    return _structure(name, title, "Code.masked:MaskedAE", settings)


DEEP_GROUP = (
    # stacked: Vincent's three layers of 1,000
    _vincent(
        "sdae-3",
        "SDAE-3: three denoising layers of 1,000",
        DENOISING,
        0.0128,
        *SDAE_STAGES,
        # All 60,000 images are trained on, of which the paper holds 10,000 out
        departures=(*REDUCED, "images"),
    ),
    _vincent_10k(
        "sdae-3-10k", "SDAE-3 with 10,000 training images", DENOISING_10K, 0.0284, from_scratch=True
    ),
    _vincent_10k("sae-3-10k", "SAE-3 with 10,000 training images", PLAIN, 0.0346),
    # 1,000 labelled images; all others have no labels
    _few_labels(
        "sdae-1k",
        "SDAE: 20,000 images, of which 1,000 have labels",
        "Code.stacked:Stacked",
        SMALL_SDAE_NET,
        levels(2, 10, 64) + tuned(40, 50, 5e-4),
    ),
    # rbm
    pca_row(
        "pca-30",
        "Thirty principal components",
        30,
        group="papers",
        published=(_squared_error("fit", 13.87),),
    ),
    _hinton(
        "rbm-deep",
        "784-1000-500-250-30, pre-trained as RBMs",
        *rbms(4, 4, 100),
        published=(_squared_error("unsupervised", 3.00, REDUCED),),
    ),
    _hinton("rbm-deep-from-scratch", "784-1000-500-250-30, not pre-trained", kind="corrected"),
    # conv
    _few_labels(
        "conv-stacked-1k",
        "Stacked convolutional AE: 20,000 images, of which 1,000 have labels",
        "Code.conv:StackedConvAE",
        SCAE_NET,
        levels(2, 5, 64) + tuned(20, 50),
    ),
    _structure(
        "conv-transposed",
        "Convolutions and transposed ones, a code of 16",
        "Code.conv:ConvAE",
        {"filters": (16, 32), "hidden": (64,), "code_dim": 16},
    ),
    # lstm
    _recurrent("lstm", "LSTM over the 28 rows", "lstm"),
    _recurrent("gru", "GRU over the 28 rows", "gru"),
    # masked
    _masked("masked-7", "Masked AE, 4 of 16 patches of 7×7 visible", patch=7),
    _masked("masked-4", "Masked AE, 12 of 49 patches of 4×4 visible", patch=4),
)
