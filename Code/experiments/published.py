"""The published comparison (Zang 2019), as published and corrected.

An autoencoder with a published figure is as published; one without is corrected, or a trial.
"""

from Code.experiments.row import (
    AXES,
    Z_MEAN,
    Experiment,
    Published,
    Stage,
    adam,
    pca_row,
    sgd,
    supervised,
    unsupervised,
)

PLOT = "read off the published plot"
TEXT = "text of the published report"
DAE_PUBLISHED_NET = {"code_dim": 2, "hidden": (128, 64, 10), "output_activation": "tanh"}
VAE_PUBLISHED_NET = {"code_dim": 2, "hidden": (512,)}
WIDE_NET = {"code_dim": 512, "code_activation": "relu", "reconstruction": "binary cross-entropy"}
HEAD = {"n_classes": 10, "head_loss": "cross-entropy"}
PUBLISHED_HEAD = {"n_classes": 10, "head_loss": "mse"}
# What the losses are, on the axes of their curves
MSE, BCE = "MSE a pixel", "binary cross-entropy a pixel (nats)"


def _loss(value, low, high, source=PLOT):
    """A published loss after the last epoch."""
    return Published("unsupervised", "loss_last_epoch", value, source, low, high)


def _accuracy(value, low, high):
    """A published accuracy of the head after the last epoch."""
    return Published("supervised", "accuracy_last_epoch", value, PLOT, low, high)


def _both(loss, accuracy):
    """Published loss and accuracy, each given as value, low and high."""
    return _loss(*loss), _accuracy(*accuracy)


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


def _noisy_to_noisy(name, title, settings, figures):
    """A row: an autoencoder of images to which noise was added once, before training."""
    return _denoiser(name, "dae", title, "Code.ae:AE", settings, MSE, figures, noise_once=0.5)


def _noisy_to_clean(name, title, network, head=None, loss_axis=MSE):
    """A row: a denoising autoencoder, which draws new noise for every batch."""
    settings = {**network, "level": 0.5, **(head or {})}
    return _denoiser(name, "dae", title, "Code.dae:DAE", settings, loss_axis)


def _cae(name, title, settings, figures=(), model="CAE"):
    """A row: a class of ``Code.cae`` with 16 and 8 filters."""
    settings = {"filters": (16, 8), **settings}
    return _denoiser(name, "cae", title, f"Code.cae:{model}", settings, BCE, figures)


def _vae(name, title, reconstruction, figure):
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
        published=(figure,),
        code_axis=Z_MEAN,
        loss_axis=f"{{pixels}} × {error} + KL an image",
    )


PUBLISHED_GROUP = (
    pca_row("pca-2", "Two principal components", 2),
    _published_ae("ae-relu", "AE with ReLU, as published", "relu", _loss(0.0702, 0.067, 0.0715)),
    _published_ae(
        "ae-tanh", "AE with tanh, as published", "tanh", _loss(0.0685, 0.067, 0.0715, TEXT)
    ),
    _ae("ae", "AE with a linear code and a sigmoid output", "linear", "sigmoid"),
    _noisy_to_noisy(
        "dae-published",
        "DAE as published: noisy to noisy",
        {**DAE_PUBLISHED_NET, **PUBLISHED_HEAD},
        _both(loss=(0.0962, 0.0942, 0.0982), accuracy=(0.953, 0.938, 0.968)),
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
        _both(loss=(0.0705, 0.0690, 0.0720), accuracy=(0.991, 0.987, 0.995)),
    ),
    _cae("cae-denoising", "CAE: noisy to clean, fresh noise", {"level": 0.5}, model="DenoisingCAE"),
    _cae("cae-classifier", "CAE with a head on its code", HEAD),
    _vae(
        "vae-bce",
        "VAE with cross-entropy, as published",
        "binary cross-entropy",
        _loss(145.1, 143.1, 147.1),
    ),
    _vae("vae-mse", "VAE with squared error, as published", "mse", _loss(36.6, 36.0, 37.2)),
)


def _tanh_trial(suffix, title, code="tanh", output="tanh", optimizer=None):
    """A row: the published tanh network with one change."""
    more = {"kind": "trial", "group": "causes", "optimizer": optimizer}
    return _ae(f"ae-tanh-{suffix}", title, code, output, **more)


# The published network does not reproduce the published tanh figure. Which change would?
CAUSES_GROUP = (
    _tanh_trial("code", "tanh on the code only, ReLU on the output", output="relu"),
    _tanh_trial("output", "ReLU on the code, tanh on the output only", code="relu"),
    _tanh_trial("sigmoid", "tanh on the code, sigmoid on the output", output="sigmoid"),
    _tanh_trial("sgd", "tanh on both, plain gradient descent instead of Adam", optimizer=sgd(0.01)),
    _tanh_trial(
        "slow", "tanh on both, Adam with a tenth of the learning rate", optimizer=adam(1e-4)
    ),
)
