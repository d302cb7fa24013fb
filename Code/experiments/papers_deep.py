"""Rows after the papers on depth and structure: stacked, RBM, convolutional, recurrent, masked."""

from Code.experiments.row import Experiment, Published, Stage, adam, decaying, pca_row, unsupervised

LAYERWISE = "Code.training.layerwise:run"
VINCENT = "recalled from Vincent et al. 2010, table 3"
HINTON = "recalled from Hinton & Salakhutdinov 2006"


def cd(learning_rate, momentum=0.9):
    """SGD with momentum, as contrastive divergence wants it."""
    return {"class_name": "sgd", "config": {"learning_rate": learning_rate, "momentum": momentum}}


def levels(n, epochs, batch_size, optimizer=None):
    """Stages that pre-train the first n levels."""
    return tuple(
        Stage(f"layer-{i}", epochs, batch_size, optimizer or adam(1e-3)) for i in range(1, n + 1)
    )


def tuned(epochs, batch_size, learning_rate=1e-3):
    """Supervised fine-tuning, of the pre-trained network and of one from scratch."""
    names = ("supervised", "supervised-from-scratch")
    return tuple(Stage(name, epochs, batch_size, adam(learning_rate)) for name in names)


def _accuracy(error, margin, source):
    value = round(1 - error, 4)
    return Published("supervised", "test_accuracy", value, source, value - margin, 1.0)


SDAE_NET = {
    "hidden": (1000, 1000),
    "code_dim": 1000,
    "activation": "sigmoid",
    "code_activation": "sigmoid",
    "reconstruction": "binary cross-entropy",
    "n_classes": 10,
}
MASKED_QUARTER = {
    "layer_kind": "denoising",
    "layer_settings": {"corruption": "masking", "level": 0.25},
}
HINTON_NET = {"hidden": (1000, 500, 250), "code_dim": 30}

DEEP_GROUP = (
    # stacked: Vincent's three layers of 1,000
    Experiment(
        "sdae-3",
        "stacked",
        "published",
        "SDAE-3: three denoising layers of 1,000",
        "Code.stacked:Stacked",
        {**SDAE_NET, **MASKED_QUARTER},
        (*levels(3, 4, 128), decaying("supervised", 10, 128, 2e-3)),
        group="papers",
        procedure=LAYERWISE,
        published=(_accuracy(0.0128, 0.0032, VINCENT),),
    ),
    Experiment(
        "sdae-3-10k",
        "stacked",
        "published",
        "SDAE-3 with 10,000 training images",
        "Code.stacked:Stacked",
        {**SDAE_NET, **MASKED_QUARTER, "n_train": 10_000},
        (
            *levels(3, 15, 64),
            decaying("supervised", 20, 64, 2e-3, 10_000),
            decaying("supervised-from-scratch", 20, 64, 2e-3, 10_000),
        ),
        group="papers",
        procedure=LAYERWISE,
        published=(_accuracy(0.0284, 0.005, VINCENT),),
    ),
    Experiment(
        "sae-3-10k",
        "stacked",
        "published",
        "SAE-3 with 10,000 training images",
        "Code.stacked:Stacked",
        {**SDAE_NET, "layer_kind": "plain", "n_train": 10_000},
        (*levels(3, 15, 64), decaying("supervised", 20, 64, 2e-3, 10_000)),
        group="papers",
        procedure=LAYERWISE,
        published=(_accuracy(0.0346, 0.005, VINCENT),),
    ),
    # 1,000 labels, all other images without
    Experiment(
        "sdae-1k",
        "stacked",
        "corrected",
        "SDAE: 20,000 images, of which 1,000 have labels",
        "Code.stacked:Stacked",
        {
            **SDAE_NET,
            "hidden": (500,),
            "code_dim": 500,
            **MASKED_QUARTER,
            "n_train": 20_000,
            "n_labels": 1000,
        },
        (*levels(2, 10, 64), *tuned(40, 50, 5e-4)),
        group="papers",
        procedure=LAYERWISE,
    ),
    # rbm
    pca_row("pca-30", "Thirty principal components", 30, group="papers"),
    Experiment(
        "rbm-deep",
        "rbm",
        "published",
        "784-1000-500-250-30, pre-trained as RBMs",
        "Code.rbm:DeepRBM",
        HINTON_NET,
        (
            *levels(3, 4, 100, cd(0.05)),
            Stage("layer-4", 4, 100, cd(0.001)),
            Stage("unsupervised", 10, 200, adam(1e-3)),
        ),
        group="papers",
        procedure=LAYERWISE,
        published=(Published("unsupervised", "squared_error", 3.00, HINTON, 2.5, 5.0),),
    ),
    Experiment(
        "rbm-deep-from-scratch",
        "rbm",
        "corrected",
        "784-1000-500-250-30, not pre-trained",
        "Code.rbm:DeepRBM",
        HINTON_NET,
        (Stage("unsupervised", 10, 200, adam(1e-3)),),
        group="papers",
        procedure=LAYERWISE,
    ),
    # conv
    Experiment(
        "conv-stacked-1k",
        "conv",
        "corrected",
        "Stacked convolutional AE: 20,000 images, of which 1,000 have labels",
        "Code.conv:StackedConvAE",
        {
            "filters": (16, 32),
            "n_classes": 10,
            "reconstruction": "binary cross-entropy",
            "n_train": 20_000,
            "n_labels": 1000,
        },
        (*levels(2, 5, 64), *tuned(20, 50)),
        group="papers",
        procedure=LAYERWISE,
    ),
    Experiment(
        "conv-transposed",
        "conv",
        "corrected",
        "Convolutions and transposed ones, a code of 16",
        "Code.conv:ConvAE",
        {"filters": (16, 32), "hidden": (64,), "code_dim": 16},
        (unsupervised(8, 64),),
        group="papers",
    ),
    # lstm
    Experiment(
        "lstm",
        "lstm",
        "corrected",
        "LSTM over the 28 rows",
        "Code.lstm:RecurrentAE",
        {"cell": "lstm", "units": 64, "code_dim": 16},
        (Stage("unsupervised", 8, 64, adam(3e-3)),),
        group="papers",
    ),
    Experiment(
        "gru",
        "lstm",
        "corrected",
        "GRU over the 28 rows",
        "Code.lstm:RecurrentAE",
        {"cell": "gru", "units": 64, "code_dim": 16},
        (Stage("unsupervised", 8, 64, adam(3e-3)),),
        group="papers",
    ),
    # masked
    Experiment(
        "masked-7",
        "masked",
        "corrected",
        "Masked AE, 4 of 16 patches of 7×7 visible",
        "Code.masked:MaskedAE",
        {"patch": 7, "hidden": (512, 256), "code_dim": 64},
        (unsupervised(8, 64),),
        group="papers",
    ),
    Experiment(
        "masked-4",
        "masked",
        "corrected",
        "Masked AE, 12 of 49 patches of 4×4 visible",
        "Code.masked:MaskedAE",
        {"patch": 4, "hidden": (512, 256), "code_dim": 64},
        (unsupervised(8, 64),),
        group="papers",
    ),
)
