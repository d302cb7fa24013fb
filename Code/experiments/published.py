"""The published comparison (Zang 2019), as published and corrected."""

from Code.experiments.row import (
    AXES,
    Z_MEAN,
    Experiment,
    Published,
    Stage,
    adam,
    pca_row,
    supervised,
    unsupervised,
)

PLOT = "read off the published plot"
TEXT = "text of the published report"


def _loss(value, source, low, high):
    return Published("unsupervised", "loss_last_epoch", value, source, low, high)


def _accuracy(value, source, low, high):
    return Published("supervised", "accuracy_last_epoch", value, source, low, high)


DAE_PUBLISHED_NET = {"code_dim": 2, "hidden": (128, 64, 10), "output_activation": "tanh"}
VAE_PUBLISHED_NET = {"code_dim": 2, "hidden": (512,)}
# What the losses are, on the axes of their curves
MSE, BCE = "MSE a pixel", "binary cross-entropy a pixel (nats)"


def _ae(name, kind, title, code, output, optimizer=None, **more):
    """A plain autoencoder with these activations of code and output."""
    stage = Stage("unsupervised", 100, 64, optimizer or adam(1e-3))
    settings = {"code_dim": 2, "code_activation": code, "output_activation": output}
    measures = AXES if code != "tanh" else (*AXES, "saturated")
    return Experiment(
        name,
        "ae",
        kind,
        title,
        "Code.ae:AE",
        settings,
        (stage,),
        measures=measures,
        loss_axis=MSE,
        **more,
    )


def _denoiser(name, variant, kind, title, model, settings, *stages, loss_axis, **more):
    return Experiment(
        name,
        variant,
        kind,
        title,
        model,
        settings,
        stages,
        denoises=True,
        loss_axis=loss_axis,
        **more,
    )


def _vae(name, title, reconstruction, loss, error):
    settings = {**VAE_PUBLISHED_NET, "reconstruction": reconstruction}
    return Experiment(
        name,
        "vae",
        "published",
        title,
        "Code.vae:VAE",
        settings,
        (unsupervised(50),),
        published=(loss,),
        code_axis=Z_MEAN,
        loss_axis=f"784 × {error} + KL an image",
    )


def _dae(name, kind, title, model, settings, *stages, loss_axis=MSE, **more):
    return _denoiser(
        name, "dae", kind, title, model, settings, *stages, loss_axis=loss_axis, **more
    )


def _cae(name, kind, title, model, settings, *stages, **more):
    settings = {"filters": (16, 8), **settings}
    return _denoiser(name, "cae", kind, title, model, settings, *stages, loss_axis=BCE, **more)


TWICE = (unsupervised(20), supervised(20))
HEAD = {"n_classes": 10, "head_loss": "cross-entropy"}
PUBLISHED_HEAD = {"n_classes": 10, "head_loss": "mse"}

PUBLISHED_GROUP = (
    pca_row("pca-2", "Two principal components", 2),
    _ae(
        "ae-relu",
        "published",
        "AE with ReLU, as published",
        "relu",
        "relu",
        published=(_loss(0.0702, PLOT, 0.067, 0.0715),),
    ),
    _ae(
        "ae-tanh",
        "published",
        "AE with tanh, as published",
        "tanh",
        "tanh",
        published=(_loss(0.0685, TEXT, 0.067, 0.0715),),
    ),
    _ae("ae", "corrected", "AE with a linear code and a sigmoid output", "linear", "sigmoid"),
    _dae(
        "dae-published",
        "published",
        "DAE as published: noisy to noisy",
        "Code.ae:AE",
        {**DAE_PUBLISHED_NET, **PUBLISHED_HEAD},
        *TWICE,
        noise_once=0.5,
        published=(_loss(0.0962, PLOT, 0.0942, 0.0982), _accuracy(0.953, PLOT, 0.938, 0.968)),
    ),
    _dae(
        "dae",
        "corrected",
        "DAE: noisy to clean, fresh noise, a wide code",
        "Code.dae:DAE",
        {
            "code_dim": 512,
            "code_activation": "relu",
            "reconstruction": "binary cross-entropy",
            "level": 0.5,
        },
        unsupervised(20),
        loss_axis=BCE,
    ),
    _dae(
        "dae-classifier",
        "corrected",
        "DAE, noisy to clean, with a head on its code",
        "Code.dae:DAE",
        {**DAE_PUBLISHED_NET, "level": 0.5, **HEAD},
        *TWICE,
    ),
    _cae(
        "cae-published",
        "published",
        "CAE as published: head on the decoder's output",
        "Code.cae:CAE",
        {"n_classes": 10, "head_input": "reconstruction", "head_loss": "mse"},
        *TWICE,
        published=(_loss(0.0705, PLOT, 0.0690, 0.0720), _accuracy(0.991, PLOT, 0.987, 0.995)),
    ),
    _cae(
        "cae-denoising",
        "corrected",
        "CAE: noisy to clean, fresh noise",
        "Code.cae:DenoisingCAE",
        {"level": 0.5},
        unsupervised(20),
    ),
    _cae(
        "cae-classifier", "corrected", "CAE with a head on its code", "Code.cae:CAE", HEAD, *TWICE
    ),
    _vae(
        "vae-bce",
        "VAE with cross-entropy, as published",
        "binary cross-entropy",
        _loss(145.1, PLOT, 143.1, 147.1),
        "BCE",
    ),
    _vae(
        "vae-mse",
        "VAE with squared error, as published",
        "mse",
        _loss(36.6, PLOT, 36.0, 37.2),
        "MSE",
    ),
)


def _tanh_trial(suffix, title, code="tanh", output="tanh", optimizer=None):
    name = f"ae-tanh-{suffix}"
    return _ae(name, "trial", title, code, output, optimizer, group="causes")


# The published tanh figure does not come out of the published network; what might it have been?
CAUSES_GROUP = (
    _tanh_trial("code", "tanh on the code only, ReLU on the output", output="relu"),
    _tanh_trial("output", "ReLU on the code, tanh on the output only", code="relu"),
    _tanh_trial("sigmoid", "tanh on the code, sigmoid on the output", output="sigmoid"),
    _tanh_trial(
        "sgd",
        "tanh on both, plain gradient descent instead of Adam",
        optimizer={"class_name": "sgd", "config": {"learning_rate": 0.01}},
    ),
    _tanh_trial(
        "slow", "tanh on both, Adam with a tenth of the learning rate", optimizer=adam(1e-4)
    ),
)
