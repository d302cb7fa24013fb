"""Every variant in one architecture: encoder 784-256-64-k, the decoder mirrored, k = 2 and 16.

Only the bottleneck and the loss differ; a few variants also differ in their convolutions, their
recurrence or their training procedure. Images, epochs and batches are the same, and so is the
optimiser: Adam, its rate falling to 0 along a cosine. The rate with which it begins is chosen for
each by the same trials (`Code.experiments.tuning`).
"""

from Code.experiments.papers_deep import LAYERWISE, levels, rbms
from Code.experiments.row import (
    AXES,
    CONTRACTION,
    FILTERS,
    MASKING,
    SALT_AND_PEPPER,
    Z_MEAN,
    Experiment,
    Told,
    decaying,
    pca_row,
    variant_of,
)

NET = {"hidden": (256, 64), "activation": "relu", "reconstruction": "binary cross-entropy"}
# 200 divides 60,000: a shorter last batch would have to be compiled too, which doubles that time
EPOCHS, BATCH = 30, 200
WHOLE = (decaying("unsupervised", EPOCHS, BATCH, 2e-3),)
LAYERS = (*levels(3, 3, BATCH), *WHOLE)
RBMS = (*rbms(3, 3, BATCH), *WHOLE)
CODE_DIMS = (2, 16)
AE_MEASURES = (*AXES, *FILTERS, CONTRACTION, "weight_coherence", "shuffled_error")

# Settings of single variants that do not fit into their rows below
GAUSSIAN = {"level": 0.5}
EMPHASIS = {"alpha": 1.0, "beta": 0.5}
RATE = {"rate": 0.1, "weight": 3.0}
SIGMOID = {"activation": "sigmoid"}
LSTM = {"cell": "lstm", "units": 64}
CODEBOOK = {"n_entries": 512, "vector_dim": 2}
# Chosen by whole trainings on held-out images. Two units: where the adversary learns slower than
# the reconstruction, or both learn fast, codes drift from the prior; where it learns twice as fast,
# less is reconstructed. Sixteen: a faster adversary costs reconstruction and wins nothing, a wider
# discriminator with less noise brings the codes nearer to the prior than anything else
GAME = {
    2: {"adversarial_rate": 3e-3, "discriminator_noise": 0.5},
    16: {"adversarial_rate": 5e-4, "discriminator_noise": 0.7, "discriminator_hidden": (512, 512)},
}


def _row(name, title, model, code_dim, settings=None, stages=WHOLE, **more):
    """A row of ``model`` with ``code_dim`` code units; ``settings`` extend the common network."""
    return Experiment(
        f"{name}-{code_dim}",
        variant_of(model),
        "common",
        f"{title}, {code_dim} units",
        model,
        {**NET, "code_dim": code_dim, **(settings or {})},
        stages,
        group="common",
        **more,
    )


def _layerwise(name, title, model, code_dim, stages, settings=None):
    """A row that is pre-trained layer by layer."""
    return _row(name, title, model, code_dim, settings, stages, procedure=LAYERWISE)


def _rows(k):
    """The variants with a code of ``k`` units."""
    return (
        _row("ae", "Plain autoencoder", "Code.ae:AE", k, measures=AE_MEASURES),
        _row(
            "dae",
            "Denoising, Gaussian",
            "Code.dae:DAE",
            k,
            GAUSSIAN,
            denoises=True,
            measures=FILTERS,
        ),
        _row("dae-masking", "Denoising, masking", "Code.dae:DAE", k, MASKING, measures=FILTERS),
        _row(
            "dae-salt",
            "Denoising, salt and pepper",
            "Code.dae:DAE",
            k,
            SALT_AND_PEPPER,
            measures=FILTERS,
        ),
        _row("emphasised", "Denoising, emphasised", "Code.emphasised:EmphasisedDAE", k, EMPHASIS),
        _row("tied", "Tied weights", "Code.tied:Tied", k, measures=(CONTRACTION,)),
        _row("sparse-l1", "Sparse, L1", "Code.sparse:L1Sparse", k, {"weight": 0.1}),
        _row("sparse-kl", "Sparse, KL to a rate", "Code.sparse:KLSparse", k, RATE),
        _row("sparse-k", "k-sparse", "Code.sparse:KSparse", k, {"k": max(1, k // 4)}),
        _row(
            "contractive",
            "Contractive, tied",
            "Code.contractive:TiedContractive",
            k,
            {"weight": 0.1},
        ),
        _layerwise("stacked", "Stacked denoising", "Code.stacked:Stacked", k, LAYERS),
        _layerwise("rbm", "Pre-trained as RBMs", "Code.rbm:DeepRBM", k, RBMS, SIGMOID),
        _row("conv", "Convolutional, transposed", "Code.conv:ConvAE", k, {"filters": (16, 32)}),
        _row("lstm", "Recurrent over rows", "Code.lstm:RecurrentAE", k, LSTM),
        _row("masked", "Masked patches", "Code.masked:MaskedAE", k, {"patch": 7}),
        _row("vae", "Variational", "Code.vae:VAE", k, code_axis=Z_MEAN),
        _row("gaussian-vae", "Variational, learned variance", "Code.gaussian_vae:GaussianVAE", k),
        _row("iwae", "Importance-weighted, 5 samples", "Code.iwae:IWAE", k, {"k": 5}),
        _row("beta-vae", "β-VAE, β = 4", "Code.beta_vae:BetaVAE", k, {"beta": 4.0}),
        _row("factor-vae", "FactorVAE", "Code.factor_vae:FactorVAE", k, {"gamma": 10.0}),
        _row("info-vae", "InfoVAE (MMD-VAE)", "Code.info_vae:InfoVAE", k),
        _row("wae", "Wasserstein, MMD", "Code.info_vae:WAE", k),
        _row("aae", "Adversarial", "Code.aae:AAE", k, GAME[k]),
        _row("cvae", "Conditioned on the label", "Code.cvae:CVAE", k, told=Told(("n_labels",))),
        _row("vq-vae", "Vector-quantised", "Code.vq_vae:VQVAE", k, CODEBOOK),
    )


COMMON_GROUP = (
    *(row for k in CODE_DIMS for row in _rows(k)),
    pca_row("pca-16", "Sixteen principal components", 16, group="common"),
)
