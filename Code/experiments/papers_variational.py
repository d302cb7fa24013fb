"""Rows after the papers on variational autoencoders."""

from Code.experiments.row import Z_MEAN, Experiment, Published, decaying, unsupervised

BURDA = "recalled from Burda et al. 2016, table 1"


def _nll(value, low, high):
    return (Published("unsupervised", "nll", value, BURDA, low, high),)


def _m1(metric, value, high):
    source = "recalled from Kingma et al. 2014, table 1 (M1 with a transductive SVM)"
    return Published("unsupervised", metric, value, source, 0.0, high)


BURDA_NET = {"hidden": (200, 200), "code_dim": 50, "activation": "tanh", "binary": True}

VARIATIONAL_GROUP = (
    # one sample, about 2 s an epoch on a free core, and a quarter of a minute for the likelihood
    Experiment(
        "iwae-1",
        "iwae",
        "published",
        "VAE with one sample, binarised (Burda 2016)",
        "Code.iwae:IWAE",
        {**BURDA_NET, "k": 1},
        (decaying("unsupervised", 64, 100, 3e-3),),
        group="papers",
        published=_nll(86.76, 84.76, 88.76),
    ),
    # five samples, about 4.5 s an epoch on a free core
    Experiment(
        "iwae-5",
        "iwae",
        "published",
        "IWAE with five samples, binarised (Burda 2016)",
        "Code.iwae:IWAE",
        {**BURDA_NET, "k": 5},
        (decaying("unsupervised", 42, 100, 3e-3),),
        group="papers",
        published=_nll(85.54, 83.54, 87.54),
    ),
    # model M1's network; an SVM on few labels reads its code
    Experiment(
        "vae-m1",
        "vae",
        "published",
        "VAE with 50 units, few labels on its code (Kingma 2014, M1)",
        "Code.vae:VAE",
        {"hidden": (600, 600), "code_dim": 50, "activation": "softplus"},
        (unsupervised(13, 100),),
        group="papers",
        procedure="Code.training.few_labels:run",
        code_axis=Z_MEAN,
        published=(_m1("svm_error_100", 0.1182, 0.2), _m1("svm_error_1000", 0.0424, 0.07)),
    ),
)
