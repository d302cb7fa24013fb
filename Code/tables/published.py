"""The published comparison (Zang 2019), as published and corrected."""

from dataclasses import replace

from Code.tables.row import Experiment, Published, Stage, adam, supervised, unsupervised

PLOT = "read off the published plot"
TEXT = "text of the published report"


def _loss(value, source, low, high):
    return Published("unsupervised", "loss_last_epoch", value, source, low, high)


def _accuracy(value, source, low, high):
    return Published("supervised", "accuracy_last_epoch", value, source, low, high)


DAE_PUBLISHED_NET = {"code_dim": 2, "hidden": (128, 64, 10), "output_activation": "tanh"}
VAE_PUBLISHED_NET = {"code_dim": 2, "hidden": (512,)}

PUBLISHED_GROUP = (
    Experiment(
        "pca-2",
        "pca",
        "baseline",
        "Two principal components",
        procedure="Code.pca:run",
        settings={"n_components": 2},
        stages=(Stage("fit", 1, 0, {}),),
    ),
    Experiment(
        "ae-relu",
        "ae",
        "published",
        "AE with ReLU, as published",
        "Code.ae:AE",
        {"code_dim": 2, "code_activation": "relu", "output_activation": "relu"},
        (unsupervised(100),),
        published=(_loss(0.0702, PLOT, 0.067, 0.0715),),
    ),
    Experiment(
        "ae-tanh",
        "ae",
        "published",
        "AE with tanh, as published",
        "Code.ae:AE",
        {"code_dim": 2, "code_activation": "tanh", "output_activation": "tanh"},
        (unsupervised(100),),
        published=(_loss(0.0685, TEXT, 0.067, 0.0715),),
    ),
    Experiment(
        "ae",
        "ae",
        "corrected",
        "AE with a linear code and a sigmoid output",
        "Code.ae:AE",
        {"code_dim": 2, "code_activation": "linear", "output_activation": "sigmoid"},
        (unsupervised(100),),
    ),
    Experiment(
        "dae-published",
        "dae",
        "published",
        "DAE as published: noisy to noisy",
        "Code.ae:AE",
        {**DAE_PUBLISHED_NET, "n_classes": 10, "head_loss": "mse"},
        (unsupervised(20), supervised(20)),
        noise_once=0.5,
        denoises=True,
        published=(
            _loss(0.0962, PLOT, 0.0942, 0.0982),
            _accuracy(0.953, PLOT, 0.938, 0.968),
        ),
    ),
    Experiment(
        "dae",
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
        (unsupervised(20),),
        denoises=True,
    ),
    Experiment(
        "dae-classifier",
        "dae",
        "corrected",
        "DAE, noisy to clean, with a head on its code",
        "Code.dae:DAE",
        {**DAE_PUBLISHED_NET, "level": 0.5, "n_classes": 10, "head_loss": "cross-entropy"},
        (unsupervised(20), supervised(20)),
        denoises=True,
    ),
    Experiment(
        "cae-published",
        "cae",
        "published",
        "CAE as published: head on the decoder's output",
        "Code.cae:CAE",
        {"filters": (16, 8), "n_classes": 10, "head_input": "reconstruction", "head_loss": "mse"},
        (unsupervised(20), supervised(20)),
        denoises=True,
        published=(
            _loss(0.0705, PLOT, 0.0690, 0.0720),
            _accuracy(0.991, PLOT, 0.987, 0.995),
        ),
    ),
    Experiment(
        "cae-denoising",
        "cae",
        "corrected",
        "CAE: noisy to clean, fresh noise",
        "Code.cae:DenoisingCAE",
        {"filters": (16, 8), "level": 0.5},
        (unsupervised(20),),
        denoises=True,
    ),
    Experiment(
        "cae-classifier",
        "cae",
        "corrected",
        "CAE with a head on its code",
        "Code.cae:CAE",
        {"filters": (16, 8), "n_classes": 10, "head_loss": "cross-entropy"},
        (unsupervised(20), supervised(20)),
        denoises=True,
    ),
    Experiment(
        "vae-bce",
        "vae",
        "published",
        "VAE with cross-entropy, as published",
        "Code.vae:VAE",
        {**VAE_PUBLISHED_NET, "reconstruction": "binary cross-entropy"},
        (unsupervised(50),),
        published=(_loss(145.1, PLOT, 143.1, 147.1),),
    ),
    Experiment(
        "vae-mse",
        "vae",
        "published",
        "VAE with squared error, as published",
        "Code.vae:VAE",
        {**VAE_PUBLISHED_NET, "reconstruction": "mse"},
        (unsupervised(50),),
        published=(_loss(36.6, PLOT, 36.0, 37.2),),
    ),
)


def _tanh_trial(suffix, title, code="tanh", output="tanh", optimizer=None):
    stage = unsupervised(100)
    return Experiment(
        f"ae-tanh-{suffix}",
        "ae",
        "trial",
        title,
        "Code.ae:AE",
        {"code_dim": 2, "code_activation": code, "output_activation": output},
        (replace(stage, optimizer=optimizer) if optimizer else stage,),
        group="causes",
    )


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
