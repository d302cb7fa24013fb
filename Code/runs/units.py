"""What the losses of a row and their terms are measured in, as its pictures say it."""

from Code.experiments.row import variant_of

BCE, MSE = "binary cross-entropy", "mse"
# Classes whose reconstruction is cross-entropy unless a row says otherwise
CROSS_ENTROPY = {"cae", "rbm", "vae", "iwae", "beta_vae", "factor_vae", "info_vae", "cvae"}
# Classes whose reconstruction is a negative log-likelihood whatever the row says
LIKELIHOOD = {"gaussian_vae", "iwae"}
SUM, MEAN = "squared error an image", "squared error a pixel (MSE)"
NATS, NATS_A_PIXEL = "nats an image", "cross-entropy a pixel (nats)"

# Name and unit of each term of a loss; the error of the reconstruction is told by the row
TERMS = {
    "reconstruction": ("reconstruction", None),
    "kl": ("KL to the prior", NATS),
    "label_loss": ("cross-entropy of the labeller", NATS),
    "total_correlation": ("total correlation", "nats"),
    "discriminator_loss": ("loss of the discriminator", "nats"),
    "discriminator": ("loss of the discriminator", "nats"),
    "generator": ("adversarial loss of the encoder", "nats"),
    "classification": ("cross-entropy of the category", NATS),
    "free_energy": ("free energy", NATS),
    "mmd": ("MMD² to the prior", "MMD² of a batch (no unit)"),
    "commitment": ("commitment", "squared distance in the code"),
    "sparsity": ("sparsity penalty", "before its weight"),
    "penalty": ("penalty", "before its weight"),
    "contraction": ("contraction penalty", "‖J‖², before its weight"),
    "error_corrupted": ("corrupted pixels", "share of the error a pixel"),
    "error_clean": ("other pixels", "share of the error a pixel"),
}
PENALTIES = {
    "L1Sparse": "Σ|z|, before its weight",
    "KLSparse": "KL to the rate (nats), before its weight",
    "l1": "Σ|z|, before its weight",
    "weight decay": "Σ W², before its weight",
}


def loss_unit(experiment, stage, pixels, terms=()):
    """Name and unit of the loss of a stage.

    Parameters
    ----------
    stage : its name, as in the table.
    pixels : number of pixels of an image.
    terms : names of the terms that the loss of the stage has beside it.
    """
    if stage.startswith("supervised"):
        mse = experiment.settings.get("head_loss") == "mse"
        return "squared error on one-hot labels" if mse else "cross-entropy of the labels (nats)"
    if stage == "unsupervised" and experiment.loss_axis != "loss":
        return experiment.loss_axis.format(pixels=pixels)
    if "reconstruction" in terms:
        return reconstruction_unit(experiment)
    if stage.startswith("layer-"):
        return _unit_of_layer(experiment, int(stage.removeprefix("layer-")))
    where = "a hidden pixel" if variant_of(experiment.model) == "masked" else "a pixel"
    unit = NATS_A_PIXEL if _cross_entropy(experiment) else MEAN
    return unit.replace("a pixel", where)


def term_unit(experiment, term):
    """Title and unit of a term of the loss."""
    title, unit = TERMS.get(term, (term.replace("_", " "), "mean of an image"))
    if term == "reconstruction":
        return title, reconstruction_unit(experiment)
    kinds = (experiment.settings.get("regulariser"), experiment.model.split(":")[-1])
    if term in ("sparsity", "penalty"):
        unit = next((PENALTIES[kind] for kind in kinds if kind in PENALTIES), unit)
    return title, unit


def reconstruction_unit(experiment):
    """The unit of an error that is summed over the pixels of an image."""
    return NATS if _nats(experiment) else SUM


def _nats(experiment):
    return variant_of(experiment.model) in LIKELIHOOD or _cross_entropy(experiment)


def _cross_entropy(experiment):
    default = BCE if variant_of(experiment.model) in CROSS_ENTROPY else MSE
    return experiment.settings.get("reconstruction", default) == BCE


def _unit_of_layer(experiment, level):
    """A level beyond the first gives back the features of the one below."""
    what = "a pixel" if level == 1 else "a unit"
    if experiment.procedure.startswith("Code.training.bakeoff"):
        # Levels are trained through those below, on the pixels
        return NATS_A_PIXEL if _cross_entropy(experiment) else MEAN
    # Cross-entropy needs targets that are probabilities
    probabilities = level == 1 or experiment.settings.get("activation") == "sigmoid"
    if variant_of(experiment.model) == "rbm":
        probabilities = True
    elif variant_of(experiment.model) == "conv":
        probabilities = level == 1
    unit = NATS_A_PIXEL if _cross_entropy(experiment) and probabilities else MEAN
    return unit.replace("a pixel", what)
