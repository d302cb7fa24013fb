"""Rows after the papers on adversarial and vector-quantised autoencoders."""

from Code.experiments.row import Experiment, Published, Stage, adam, unsupervised

# Adam 2e-4 for the reconstruction, 5e-4 (the class's default) for the game
SLOW = Stage("unsupervised", 8, 100, adam(2e-4))
# Half as wide as the paper's, which takes three times as long
NET = {"hidden": (500, 500), "discriminator_hidden": (500, 500)}
RECALLED = "recalled from Makhzani et al. 2015, not checked"


def _game(name, title, **settings):
    """A plane as the code, and what sets this game apart."""
    return Experiment(
        name,
        "aae",
        "published",
        title,
        "Code.aae:AAE",
        {"code_dim": 2, **NET, **settings},
        (SLOW,),
        group="papers",
    )


def _categories(name, title, epochs, error, high, **settings):
    """A categorical code beside the style, judged by the share of wrong digits."""
    return Experiment(
        name,
        "aae",
        "published",
        title,
        "Code.categorical_aae:CategoricalAAE",
        {**settings, **NET},
        (unsupervised(epochs, 100),),
        group="papers",
        published=(Published("unsupervised", "classification_error", error, RECALLED, 0.0, high),),
    )


ADVERSARIAL_GROUP = (
    _game("aae", "AAE, prior N(0, I)"),
    _game("aae-off", "The same network without the adversary", adversarial_rate=0.0),
    _game("aae-petals", "AAE, ten petals", prior="petals"),
    _game(
        "aae-labels",
        "AAE, ten petals, labels told to the discriminator",
        prior="petals",
        with_labels=True,
    ),
    _categories(
        "aae-100-labels",
        "AAE, semi-supervised with 100 labels",
        20,
        0.019,
        0.05,
        code_dim=10,
        n_labels=100,
    ),
    _categories(
        "aae-30-clusters",
        "AAE, thirty clusters without labels",
        12,
        0.041,
        0.15,
        code_dim=5,
        n_labels=0,
        n_categories=30,
        discriminator_noise=0.3,
    ),
    # The paper has no MNIST figure; the Bake Off gives a summed BCE for a 20-d code
    Experiment(
        "vq-vae-20",
        "vq_vae",
        "published",
        "VQ-VAE, ten vectors of two, 512 entries",
        "Code.vq_vae:VQVAE",
        {
            "code_dim": 20,
            "hidden": (512, 256),
            "n_entries": 512,
            "vector_dim": 2,
            "reconstruction": "binary cross-entropy",
        },
        (unsupervised(13, 64),),
        group="papers",
        published=(
            Published(
                "unsupervised",
                "reconstruction",
                64.5,
                "Krokotsch 2021, The Great Autoencoder Bake Off, 20-d code",
                55.0,
                80.0,
            ),
        ),
    ),
)
