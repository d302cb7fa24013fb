"""Rows that follow papers on features: overcomplete, tied, sparse, contractive, emphasised."""

from functools import partial

from Code.experiments.row import (
    PERCENT,
    SALT_AND_PEPPER,
    Published,
    decaying,
    paper_row,
    unsupervised,
)

RIFAI = "recalled from Rifai et al. 2011, table 1"
MAKHZANI = "recalled from Makhzani & Frey 2013, logistic regression on the features"

# Activations of code and output: any numbers, or probabilities
LINEAR = {"code_activation": "linear", "output_activation": "linear"}
SIGMOID = {"code_activation": "sigmoid", "reconstruction": "binary cross-entropy"}

REDUCED = ("epochs", "optimiser", "selection")
ANNEALED = (*REDUCED, "annealing")
NOISE = {"corruption": "gaussian", "level": 0.3}

# Rows whose features are evaluated by a linear classifier
_probed = partial(paper_row, procedure="Code.training.probed:run")


def _probe(error):
    """An error of logistic regression on the features, as an accuracy."""
    value = round(1 - error, 4)
    return Published("unsupervised", "probe_accuracy", value, MAKHZANI, PERCENT, ANNEALED)


def _tuned(error):
    """An error of table 1 after fine-tuning, as an accuracy."""
    value = round(1 - error, 4)
    return Published("supervised", "test_accuracy", value, RIFAI, PERCENT, REDUCED)


def _overcomplete(name, title, regulariser, kind="paper", **settings):
    """A row with more code units than pixels, with or without a regulariser."""
    model = "Code.overcomplete:Overcomplete"
    settings = {"code_dim": 1024, "regulariser": regulariser, **settings}
    stage, own = unsupervised(8, 100), ("code_dim",)
    more = {"kind": kind, "of_digits": own, "measures": ("shuffled_error",)}
    return _probed(name, title, model, settings, stage, **more)


def _tied(name, title, code_dim, network, stage):
    """A row with tied weights: one kernel for encoder and decoder."""
    return _probed(name, title, "Code.tied:Tied", {"code_dim": code_dim, **network}, stage)


def _k_sparse(k, error):
    """A row that keeps the k largest of 1,000 units."""
    return _probed(
        f"sparse-k{k}",
        f"k-sparse, {k} of 1,000 units",
        "Code.sparse:TiedKSparse",
        {"code_dim": 1000, **LINEAR, "alpha": 3.0, "k": k},
        unsupervised(25, 100, 5e-4),
        published=(_probe(error),),
    )


def _kl_sparse(name, title, **settings):
    """A row with a target for the mean activation of each unit."""
    return _probed(name, title, "Code.sparse:KLSparse", settings, unsupervised(12, 64, 3e-3))


def _rifai(name, title, error, model, kind="paper", **settings):
    """A row of a class of ``Code.contractive`` with 1,000 units that is fine-tuned afterwards."""
    return _probed(
        name,
        title,
        f"Code.contractive:{model}",
        {"code_dim": 1000, **SIGMOID, "n_classes": 10, **settings},
        unsupervised(20, 100),
        decaying("supervised", 20, 100, 2e-3),
        kind=kind,
        published=(_tuned(error),),
    )


# Rows of the same table for comparison with the contractive autoencoder
_rifai_baseline = partial(_rifai, kind="baseline")


def _emphasised(name, title, beta, kind="paper"):
    """A row whose loss weighs corrupted pixels by 1 and all others by ``beta``."""
    model = "Code.emphasised:EmphasisedDAE"
    settings = {"code_dim": 500, **SIGMOID, **SALT_AND_PEPPER, "alpha": 1.0, "beta": beta}
    return _probed(name, title, model, settings, unsupervised(8, 100), kind=kind)


FEATURES_GROUP = (
    # overcomplete: no paper gives a figure; what counts is the comparison of the rows
    _overcomplete("overcomplete-free", "1,024 units, no regulariser", "none", kind="baseline"),
    _overcomplete("overcomplete-l1", "1,024 units, L1 on the code", "l1", weight=0.1),
    _overcomplete("overcomplete-decay", "1,024 units, weight decay", "weight decay", weight=0.01),
    # tied
    _tied(
        "tied-linear", "Linear with tied weights, 10 units", 10, LINEAR, unsupervised(20, 500, 3e-3)
    ),
    _tied(
        "tied-sigmoid", "Sigmoid with tied weights, 500 units", 500, SIGMOID, unsupervised(12, 100)
    ),
    # sparse
    _k_sparse(10, error=0.0210),
    _k_sparse(25, error=0.0135),
    _k_sparse(40, error=0.0154),
    _kl_sparse("sparse-kl", "KL-sparse, 196 units at rate 0.1", code_dim=196, rate=0.1, weight=3.0),
    # contractive: Rifai's table 1
    _rifai("contractive", "Contractive AE, then fine-tuned", 0.0114, "TiedContractive", weight=0.1),
    _rifai_baseline(
        "contractive-ae", "The plain AE of the same table", 0.0178, "TiedContractive", weight=0.0
    ),
    _rifai_baseline(
        "contractive-dae", "The denoising AE of the same table", 0.0118, "TiedDenoising", **NOISE
    ),
    # emphasised: no single figure to cite; compare plain (beta = 1) with emphasised
    _emphasised("emphasised", "Emphasised denoising, α = 1, β = 0.5", 0.5),
    _emphasised("emphasised-full", "Full emphasis, α = 1, β = 0", 0.0),
    _emphasised("emphasised-plain", "The same without emphasis, α = β = 1", 1.0, kind="baseline"),
)
