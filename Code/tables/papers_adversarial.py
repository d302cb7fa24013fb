"""Rows after the papers on adversarial and vector-quantised autoencoders."""

from Code.tables.row import Experiment, Published, Stage, adam, unsupervised

AAE_PAPER_NET = {"hidden": (1000, 1000), "discriminator_hidden": (1000, 1000)}
# Adam 2e-4 for the reconstruction, 5e-4 (the class's default) for the game
SLOW = Stage("unsupervised", 8, 100, adam(2e-4))
SEMI_NET = {"hidden": (500, 500), "discriminator_hidden": (500, 500)}
RECALLED = "recalled from Makhzani et al. 2015, not checked"

ADVERSARIAL_GROUP = (
    Experiment(
        "aae",
        "aae",
        "published",
        "AAE, prior N(0, I)",
        "Code.aae:AAE",
        {"code_dim": 2, **AAE_PAPER_NET},
        (SLOW,),
        group="papers",
    ),
    Experiment(
        "aae-off",
        "aae",
        "published",
        "The same network without the adversary",
        "Code.aae:AAE",
        {"code_dim": 2, **AAE_PAPER_NET, "adversarial_rate": 0.0},
        (SLOW,),
        group="papers",
    ),
    Experiment(
        "aae-petals",
        "aae",
        "published",
        "AAE, ten petals",
        "Code.aae:AAE",
        {"code_dim": 2, **AAE_PAPER_NET, "prior": "petals"},
        (SLOW,),
        group="papers",
    ),
    Experiment(
        "aae-labels",
        "aae",
        "published",
        "AAE, ten petals, labels told to the discriminator",
        "Code.aae:AAE",
        {"code_dim": 2, **AAE_PAPER_NET, "prior": "petals", "with_labels": True},
        (SLOW,),
        group="papers",
    ),
    # Narrower than the paper's 1000-1000: the time of the paper's network is three times this one's
    Experiment(
        "aae-100-labels",
        "aae",
        "published",
        "AAE, semi-supervised with 100 labels",
        "Code.categorical_aae:CategoricalAAE",
        {"code_dim": 10, "n_labels": 100, **SEMI_NET},
        (unsupervised(20, 100),),
        group="papers",
        published=(Published("unsupervised", "classification_error", 0.019, RECALLED, 0.0, 0.05),),
    ),
    Experiment(
        "aae-30-clusters",
        "aae",
        "published",
        "AAE, thirty clusters without labels",
        "Code.categorical_aae:CategoricalAAE",
        {"code_dim": 5, "n_labels": 0, "n_categories": 30, **SEMI_NET},
        (unsupervised(20, 100),),
        group="papers",
        published=(Published("unsupervised", "classification_error", 0.041, RECALLED, 0.0, 0.15),),
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
        (unsupervised(30, 64),),
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
