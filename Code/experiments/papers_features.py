"""Rows after the papers on features: overcomplete, tied, sparse, contractive, emphasised."""

from Code.experiments.row import AXES, Experiment, Published, Stage, adam, decaying, unsupervised

PROBED = "Code.training.probed:run"
BAKE_OFF = "Krokotsch 2021, The Great Autoencoder Bake Off, linear probe"
RIFAI = "recalled from Rifai et al. 2011, table 1"
MAKHZANI = "recalled from Makhzani & Frey 2013, logistic regression on the features"


def _probe(value, source, low, high=1.0):
    return Published("unsupervised", "probe_accuracy", value, source, low, high)


def _tuned(error, margin=0.004):
    accuracy = 1 - error
    return (
        Published(
            "supervised", "test_accuracy", accuracy, RIFAI, accuracy - margin, accuracy + margin
        ),
    )


WIDE = {"code_dim": 1024, "code_activation": "sigmoid"}
RIFAI_NET = {
    "code_dim": 1000,
    "code_activation": "sigmoid",
    "reconstruction": "binary cross-entropy",
    "n_classes": 10,
}
FINE_TUNING = decaying("supervised", 20, 100, 2e-3)
K_SPARSE_NET = {
    "code_dim": 1000,
    "code_activation": "linear",
    "output_activation": "linear",
    "alpha": 3.0,
}
# The Bake Off's code of 20 units, in the network that the comparison here shares
BAKE_OFF_NET = {"code_dim": 20, "hidden": (256, 64), "reconstruction": "binary cross-entropy"}

FEATURES_GROUP = (
    # overcomplete: no figure in a paper; the property is the row pair
    Experiment(
        "overcomplete-free",
        "overcomplete",
        "baseline",
        "1,024 units, no regulariser",
        "Code.overcomplete:Overcomplete",
        {**WIDE, "regulariser": "none"},
        (unsupervised(8, 100),),
        group="papers",
        procedure=PROBED,
    ),
    Experiment(
        "overcomplete-l1",
        "overcomplete",
        "published",
        "1,024 units, L1 on the code",
        "Code.overcomplete:Overcomplete",
        {**WIDE, "regulariser": "l1", "weight": 0.1},
        (unsupervised(8, 100),),
        group="papers",
        procedure=PROBED,
    ),
    Experiment(
        "overcomplete-decay",
        "overcomplete",
        "published",
        "1,024 units, weight decay",
        "Code.overcomplete:Overcomplete",
        {**WIDE, "regulariser": "weight decay", "weight": 0.01},
        (unsupervised(8, 100),),
        group="papers",
        procedure=PROBED,
    ),
    # tied
    Experiment(
        "tied-linear",
        "tied",
        "published",
        "Linear with tied weights, 10 units",
        "Code.tied:Tied",
        {"code_dim": 10, "code_activation": "linear", "output_activation": "linear"},
        (Stage("unsupervised", 20, 500, adam(3e-3)),),
        group="papers",
        procedure=PROBED,
    ),
    Experiment(
        "tied-sigmoid",
        "tied",
        "published",
        "Sigmoid with tied weights, 500 units",
        "Code.tied:Tied",
        {"code_dim": 500, "code_activation": "sigmoid", "reconstruction": "binary cross-entropy"},
        (unsupervised(12, 100),),
        group="papers",
        procedure=PROBED,
    ),
    # sparse
    *(
        Experiment(
            f"sparse-k{k}",
            "sparse",
            "published",
            f"k-sparse, {k} of 1,000 units",
            "Code.sparse:TiedKSparse",
            {**K_SPARSE_NET, "k": k},
            (Stage("unsupervised", 25, 100, adam(5e-4)),),
            group="papers",
            procedure=PROBED,
            published=(_probe(1 - error, MAKHZANI, low),),
        )
        for k, error, low in ((10, 0.0210, 0.970), (25, 0.0135, 0.982), (40, 0.0154, 0.980))
    ),
    Experiment(
        "sparse-kl",
        "sparse",
        "published",
        "KL-sparse, 196 units at rate 0.1",
        "Code.sparse:KLSparse",
        {"code_dim": 196, "rate": 0.1, "weight": 3.0},
        (Stage("unsupervised", 12, 64, adam(3e-3)),),
        group="papers",
        procedure=PROBED,
    ),
    Experiment(
        "sparse-l1",
        "sparse",
        "published",
        "L1-sparse, 20 units (Bake Off)",
        "Code.sparse:L1Sparse",
        {**BAKE_OFF_NET, "weight": 0.1},
        (unsupervised(10, 100),),
        group="papers",
        procedure=PROBED,
        published=(_probe(0.222, BAKE_OFF, 0.222),),
    ),
    # contractive: Rifai's table 1
    Experiment(
        "contractive",
        "contractive",
        "published",
        "Contractive AE, then fine-tuned",
        "Code.contractive:TiedContractive",
        {**RIFAI_NET, "weight": 0.1},
        (unsupervised(20, 100), FINE_TUNING),
        group="papers",
        procedure=PROBED,
        published=_tuned(0.0114),
    ),
    Experiment(
        "contractive-ae",
        "contractive",
        "baseline",
        "The plain AE of the same table",
        "Code.contractive:TiedContractive",
        {**RIFAI_NET, "weight": 0.0},
        (unsupervised(20, 100), FINE_TUNING),
        group="papers",
        procedure=PROBED,
        published=_tuned(0.0178),
    ),
    Experiment(
        "contractive-dae",
        "contractive",
        "baseline",
        "The denoising AE of the same table",
        "Code.contractive:TiedDenoising",
        {**RIFAI_NET, "corruption": "gaussian", "level": 0.3},
        (unsupervised(20, 100), FINE_TUNING),
        group="papers",
        procedure=PROBED,
        published=_tuned(0.0118),
    ),
    # emphasised: no single figure to cite; plain (beta = 1) beside emphasised
    *(
        Experiment(
            name,
            "emphasised",
            kind,
            title,
            "Code.emphasised:EmphasisedDAE",
            {
                "code_dim": 500,
                "code_activation": "sigmoid",
                "reconstruction": "binary cross-entropy",
                "corruption": "salt_and_pepper",
                "level": 0.25,
                "alpha": 1.0,
                "beta": beta,
            },
            (unsupervised(8, 100),),
            group="papers",
            procedure=PROBED,
        )
        for name, kind, title, beta in (
            ("emphasised", "published", "Emphasised denoising, α = 1, β = 0.5", 0.5),
            ("emphasised-full", "published", "Full emphasis, α = 1, β = 0", 0.0),
            ("emphasised-plain", "baseline", "The same without emphasis, α = β = 1", 1.0),
        )
    ),
    # Bake Off: the plain rows, so that the sparse one has neighbours
    Experiment(
        "bakeoff-shallow",
        "ae",
        "published",
        "Shallow AE, 20 units (Bake Off)",
        "Code.ae:AE",
        {**BAKE_OFF_NET, "hidden": ()},
        (unsupervised(10, 100),),
        group="papers",
        procedure=PROBED,
        published=(_probe(0.451, BAKE_OFF, 0.451),),
        measures=AXES,
    ),
    Experiment(
        "bakeoff-deep",
        "ae",
        "published",
        "Deep AE, 20 units (Bake Off)",
        "Code.ae:AE",
        BAKE_OFF_NET,
        (unsupervised(10, 100),),
        group="papers",
        procedure=PROBED,
        published=(_probe(0.784, BAKE_OFF, 0.784),),
        measures=AXES,
    ),
    Experiment(
        "bakeoff-denoising",
        "dae",
        "published",
        "Denoising AE, 20 units (Bake Off)",
        "Code.dae:DAE",
        {**BAKE_OFF_NET, "level": 0.5},
        (unsupervised(10, 100),),
        group="papers",
        procedure=PROBED,
        published=(_probe(0.805, BAKE_OFF, 0.805),),
    ),
)
