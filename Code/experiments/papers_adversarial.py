"""Rows that follow the papers on adversarial and vector-quantised autoencoders."""

from Code.experiments.row import PERCENT, Published, Told, decaying, paper_row, unsupervised

# Adam with rate 2e-4 for the reconstruction and 5e-4 (the class's default) for the adversarial
# part; both fall to zero, or encoder and discriminator go on to chase each other around the prior
SLOW = decaying("unsupervised", 8, 100, 2e-4)
# Half as wide as the paper's networks, which take three times as long
NET = {"hidden": (500, 500), "discriminator_hidden": (500, 500)}
LABELS = {"code_dim": 10, "n_labels": 100}
CLUSTERS = {"code_dim": 5, "n_labels": 0, "n_categories": 30, "discriminator_noise": 0.3}
VQ_NET = {
    "code_dim": 20,
    "hidden": (512, 256),
    "n_entries": 512,
    "vector_dim": 2,
    "reconstruction": "binary cross-entropy",
}
RECALLED = "recalled from Makhzani et al. 2015, not checked"
REDUCED = ("epochs", "width", "optimiser", "selection")


def _wrong(value, departures=REDUCED):
    """A published share of wrong digits, printed in percent with two decimals."""
    return Published("unsupervised", "classification_error", value, RECALLED, PERCENT, departures)


def _game(name, title, told=None, **settings):
    """An adversarial row with a two-dimensional code and these settings."""
    settings = {"code_dim": 2, **NET, **settings}
    return paper_row(name, title, "Code.aae:AAE", settings, SLOW, told=told)


def _categories(name, title, settings, epochs, figure, told=None):
    """A row with a category beside the style in the code, judged by its share of wrong digits."""
    return paper_row(
        name,
        title,
        "Code.categorical_aae:CategoricalAAE",
        {**settings, **NET},
        unsupervised(epochs, 100),
        variant="aae",
        published=(figure,),
        told=told,
    )


ADVERSARIAL_GROUP = (
    # Judged by whole trainings on held-out images: without noise, a normal prior is not met
    _game("aae", "AAE, prior N(0, I)", discriminator_noise=0.5),
    _game("aae-off", "The same network without the adversary", adversarial_rate=0.0),
    _game("aae-petals", "AAE, ten petals", prior="petals"),
    _game(
        "aae-labels",
        "AAE, ten petals, labels told to the discriminator",
        Told(most=10),
        prior="petals",
        with_labels=True,
    ),
    _categories(
        "aae-100-labels",
        "AAE, semi-supervised with 100 labels",
        LABELS,
        20,
        _wrong(0.019),
        Told(("n_categories",), ("n_labels",)),
    ),
    _categories(
        "aae-30-clusters",
        "AAE, thirty clusters without labels",
        CLUSTERS,
        12,
        # The labels of one half of the test images name the clusters, the other half is judged
        _wrong(0.041, (*REDUCED, "test_images")),
    ),
    # The paper has no figure for MNIST
    paper_row(
        "vq-vae-20",
        "VQ-VAE, ten vectors of two, 512 entries",
        "Code.vq_vae:VQVAE",
        VQ_NET,
        unsupervised(13, 64),
    ),
)
