"""Rows that follow the papers on variational autoencoders."""

from Code.experiments.row import PERCENT, Z_MEAN, Published, decaying, paper_row, unsupervised

BURDA = "recalled from Burda et al. 2016, table 1"
# Checked against a transcription of the table
KINGMA = "Kingma et al. 2014, table 1, M1+TSVM"

BURDA_NET = {"hidden": (200, 200), "code_dim": 50, "activation": "tanh", "binary": True}
M1_NET = {"hidden": (600, 600), "code_dim": 50, "activation": "softplus"}


def _nll(value):
    """A published negative log-likelihood of the test images, in nats.

    Theirs draws 5,000 samples for every image, ours for one in fifty.
    """
    return Published(
        "unsupervised", "nll", value, BURDA, 0.005, ("epochs", "likelihood", "selection")
    )


def _svm_error(n_labels, value):
    """The share of test images misclassified with ``n_labels`` labels, by another kind of SVM.

    Theirs is transductive: it sees the unlabelled codes too.
    """
    departures = ("epochs", "classifier", "selection")
    return Published("unsupervised", f"svm_error_{n_labels}", value, KINGMA, PERCENT, departures)


def _iwae(name, title, k, epochs, nll):
    """A row trained on the importance-weighted bound of k samples."""
    stage = decaying("unsupervised", epochs, 100, 3e-3)
    settings = {**BURDA_NET, "k": k}
    return paper_row(name, title, "Code.iwae:IWAE", settings, stage, published=(_nll(nll),))


def _m1(name, title, *figures):
    """A row of model M1: a classifier with few labels on the code of a VAE."""
    return paper_row(
        name,
        title,
        "Code.vae:VAE",
        M1_NET,
        unsupervised(13, 100),
        procedure="Code.training.few_labels:run",
        code_axis=Z_MEAN,
        published=figures,
    )


VARIATIONAL_GROUP = (
    # one sample: about 2 s per epoch on a free core, and 15 s for the likelihood
    _iwae("iwae-1", "VAE with one sample, binarised (Burda 2016)", k=1, epochs=64, nll=86.76),
    # five samples: about 4.5 s per epoch on a free core
    _iwae("iwae-5", "IWAE with five samples, binarised (Burda 2016)", k=5, epochs=42, nll=85.54),
    # the network of model M1; an SVM with few labels classifies its code
    _m1(
        "vae-m1",
        "VAE with 50 units, few labels on its code (Kingma 2014, M1)",
        _svm_error(100, 0.1182),
        _svm_error(1000, 0.0424),
    ),
)
