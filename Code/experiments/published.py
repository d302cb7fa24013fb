"""The published comparison (Zang 2019), as published and corrected.

An autoencoder with a published figure is as published; one without is corrected, or a trial.
"""

from Code.experiments.curves import published_curves
from Code.experiments.row import (
    AXES,
    FILTERS,
    Z_MEAN,
    Experiment,
    Published,
    Stage,
    Told,
    adam,
    pca_row,
    sgd,
    supervised,
    unsupervised,
)

PLOT = "read off the published plot"
TEXT = "text of the published report"
# Printed with four decimals, in the text alone
TANH_LOSS = Published("unsupervised", "loss_last_epoch", 0.0685, TEXT, reading_error=0.00005)
DAE_PUBLISHED_NET = {"code_dim": 2, "hidden": (128, 64, 10), "output_activation": "tanh"}
VAE_PUBLISHED_NET = {"code_dim": 2, "hidden": (512,)}
WIDE_NET = {"code_dim": 512, "code_activation": "relu", "reconstruction": "binary cross-entropy"}
HEAD = {"n_classes": 10, "head_loss": "cross-entropy"}
PUBLISHED_HEAD = {"n_classes": 10, "head_loss": "mse"}
# What the losses are, on the axes of their curves
MSE, BCE = "MSE a pixel", "binary cross-entropy a pixel (nats)"


def _plotted(name, stage, metric):
    """The end of a published curve: its figure after the last epoch."""
    curve = published_curves()[name, stage, metric]
    value, error = curve.values[-1], curve.reading_error
    return Published(stage, f"{metric}_last_epoch", value, PLOT, reading_error=error)


def _loss(name):
    """The published loss of a row."""
    return _plotted(name, "unsupervised", "loss")


def _loss_and_accuracy(name):
    """The published loss of a row, and the accuracy of its head."""
    return _loss(name), _plotted(name, "supervised", "accuracy")


def _ae(name, title, code, output, figures=(), kind=None, optimizer=None, **more):
    """A row: a plain autoencoder with these activations of code and output."""
    return Experiment(
        name,
        "ae",
        kind or ("published" if figures else "corrected"),
        title,
        "Code.ae:AE",
        {"code_dim": 2, "code_activation": code, "output_activation": output},
        (Stage("unsupervised", 100, 64, optimizer or adam(1e-3)),),
        published=figures,
        measures=(*AXES, "saturated") if code == "tanh" else AXES,
        loss_axis=MSE,
        **more,
    )


def _published_ae(name, title, activation, figure):
    """A row: a plain autoencoder with the same activation for code and output."""
    return _ae(name, title, activation, activation, (figure,))


def _denoiser(name, variant, title, model, settings, loss_axis, figures=(), **more):
    """A row: 20 epochs for the autoencoder, and 20 for the head if there is one."""
    head = (supervised(20),) if "n_classes" in settings else ()
    return Experiment(
        name,
        variant,
        "published" if figures else "corrected",
        title,
        model,
        settings,
        (unsupervised(20), *head),
        denoises=True,
        published=figures,
        loss_axis=loss_axis,
        **more,
    )


def _noisy_to_noisy(name, title, settings):
    """A row: an autoencoder of images to which noise was added once, before training."""
    figures = _loss_and_accuracy(name)
    more = {"noise_once": 0.5, "measures": FILTERS}
    return _denoiser(name, "dae", title, "Code.ae:AE", settings, MSE, figures, **more)


def _noisy_to_clean(name, title, network, head=None, loss_axis=MSE):
    """A row: a denoising autoencoder, which draws new noise for every batch."""
    settings = {**network, "level": 0.5, **(head or {})}
    return _denoiser(name, "dae", title, "Code.dae:DAE", settings, loss_axis)


def _cae(name, title, settings, figures=(), model="CAE"):
    """A row: a class of ``Code.cae`` with 16 and 8 filters."""
    settings = {"filters": (16, 8), **settings}
    return _denoiser(name, "cae", title, f"Code.cae:{model}", settings, BCE, figures)


def _vae(name, title, reconstruction):
    """A row: a variational autoencoder with this reconstruction loss."""
    error = {"binary cross-entropy": "BCE", "mse": "MSE"}[reconstruction]
    return Experiment(
        name,
        "vae",
        "published",
        title,
        "Code.vae:VAE",
        {**VAE_PUBLISHED_NET, "reconstruction": reconstruction},
        (unsupervised(50),),
        published=(_loss(name),),
        draws=True,
        code_axis=Z_MEAN,
        loss_axis=f"{{pixels}} × {error} + KL an image",
    )


PUBLISHED_GROUP = (
    pca_row("pca-2", "Two principal components", 2),
    _published_ae("ae-relu", "AE with ReLU, as published", "relu", _loss("ae-relu")),
    _published_ae("ae-tanh", "AE with tanh, as published", "tanh", TANH_LOSS),
    _ae("ae", "AE with a linear code and a sigmoid output", "linear", "sigmoid"),
    _noisy_to_noisy(
        "dae-published", "DAE as published: noisy to noisy", {**DAE_PUBLISHED_NET, **PUBLISHED_HEAD}
    ),
    _noisy_to_clean(
        "dae", "DAE: noisy to clean, fresh noise, a wide code", WIDE_NET, loss_axis=BCE
    ),
    _noisy_to_clean(
        "dae-classifier", "DAE, noisy to clean, with a head on its code", DAE_PUBLISHED_NET, HEAD
    ),
    _cae(
        "cae-published",
        "CAE as published: head on the decoder's output",
        {"n_classes": 10, "head_input": "reconstruction", "head_loss": "mse"},
        _loss_and_accuracy("cae-published"),
    ),
    _cae("cae-denoising", "CAE: noisy to clean, fresh noise", {"level": 0.5}, model="DenoisingCAE"),
    _cae("cae-classifier", "CAE with a head on its code", HEAD),
    _vae("vae-bce", "VAE with cross-entropy, as published", "binary cross-entropy"),
    _vae("vae-mse", "VAE with squared error, as published", "mse"),
)


def _tanh_trial(suffix, title, code="tanh", output="tanh", optimizer=None):
    """A row: the published tanh network with one change."""
    more = {"kind": "trial", "group": "causes", "optimizer": optimizer}
    return _ae(f"ae-tanh-{suffix}", title, code, output, **more)


def _dae_trial(suffix, title, *stages, head=None, noise_once=0.5):
    """A row: the published DAE with one change."""
    return Experiment(
        f"dae-published-{suffix}",
        "dae",
        "trial",
        title,
        "Code.ae:AE",
        {**DAE_PUBLISHED_NET, **(head or {})},
        stages,
        noise_once,
        group="causes",
        measures=FILTERS,
        loss_axis=MSE,
    )


# How long the two networks take is judged in plain Keras, as the published program trains them
KERAS_TIMES = Experiment(
    "keras-times",
    "keras",
    "trial",
    "times of the published AE and DAE in plain Keras, taking turns",
    settings={"ae_epochs": 100, "dae_epochs": 20, "head_epochs": 20},
    stages=(Stage("unsupervised", 4, 64, {}),),
    group="causes",
    procedure="Code.training.plain_keras:run",
    told=Told(),
)

CAUSES_GROUP = (
    KERAS_TIMES,
    # What the published tanh figure, which the published network does not give, may come from
    _tanh_trial("code", "tanh on the code only, ReLU on the output", output="relu"),
    _tanh_trial("output", "ReLU on the code, tanh on the output only", code="relu"),
    _tanh_trial("sigmoid", "tanh on the code, sigmoid on the output", output="sigmoid"),
    _tanh_trial("sgd", "tanh on both, plain gradient descent instead of Adam", optimizer=sgd(0.01)),
    _tanh_trial(
        "slow", "tanh on both, Adam with a tenth of the learning rate", optimizer=adam(1e-4)
    ),
    # Is the DAE's loss high because of the noise? Do 20 epochs converge? Does its classifier start
    # from a good map?
    _dae_trial(
        "clean", "the published DAE's network on clean images", unsupervised(20), noise_once=None
    ),
    _dae_trial("100", "the published DAE, 100 epochs instead of 20", unsupervised(100)),
    _dae_trial(
        "from-scratch",
        "the published DAE's classifier from random weights",
        supervised(20),
        head=PUBLISHED_HEAD,
    ),
)
