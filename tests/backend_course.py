"""One short course of training for every variant, on whichever backend Keras has been told to use.

``python -m tests.backend_course FOLDER`` trains each row of `VARIANTS` on real digits from the same
first weights, in the same order, and prints one line of JSON a row. Into the folder goes what the
backend saved. With ``--given OTHER`` it also loads what another backend saved there.

Off TensorFlow the process cannot even import it.
"""

import argparse
import json
import os
import sys
import traceback
from pathlib import Path

from Code.experiments.common import COMMON_GROUP

N_IMAGES, BATCH, EPOCHS = 256, 64, 4
DIGITS = 16
NET = {"hidden": (64, 32), "reconstruction": "binary cross-entropy"}
PLANE = {**NET, "code_dim": 2}
WIDE = {"code_dim": 32, "reconstruction": "binary cross-entropy"}
NORMALISED = ("AE", "DAE", "KLSparse", "VAE", "BetaVAE")
# Among 512 entries rounding decides between neighbours
BOOKS = {**PLANE, "n_entries": 16}

# The common comparison with a code of two units, and the classes and ways of training it leaves out
VARIANTS = {
    **{
        row.name.removesuffix("-2"): (row.model, {**row.settings, "hidden": (64, 32)})
        for row in COMMON_GROUP
        if row.name.endswith("-2")
    },
    "classifier": ("Code.ae:AE", {**PLANE, "n_classes": 10}),
    "classifier, squared error": ("Code.ae:AE", {**PLANE, "n_classes": 10, "head_loss": "mse"}),
    "overcomplete": ("Code.overcomplete:Overcomplete", {"code_dim": 800, "regulariser": "l1"}),
    "overcomplete, small weights": (
        "Code.overcomplete:Overcomplete",
        {"code_dim": 800, "regulariser": "weight decay"},
    ),
    "tied k-sparse": ("Code.sparse:TiedKSparse", {**WIDE, "k": 8}),
    "tied contractive": ("Code.contractive:TiedContractive", WIDE),
    "tied denoising": ("Code.contractive:TiedDenoising", WIDE),
    "contractive, stochastic": (
        "Code.contractive:Contractive",
        {**PLANE, "jacobian": "stochastic"},
    ),
    "contractive, differentiated": (
        "Code.contractive:Contractive",
        {**PLANE, "jacobian": "automatic differentiation"},
    ),
    "rbm, one layer": ("Code.rbm:RBM", WIDE),
    "rbm, Gaussian units": ("Code.rbm:RBM", {**WIDE, "code_activation": "linear"}),
    "cae": ("Code.cae:CAE", {}),
    "cae, denoising": ("Code.cae:DenoisingCAE", {}),
    "conv layer": ("Code.conv:ConvLayer", {"code_dim": 8}),
    "stacked conv": ("Code.conv:StackedConvAE", {"filters": (8, 8)}),
    "vq-vae, a codebook a unit": ("Code.vq_vae:UnitVQVAE", BOOKS),
    "normalised vq-vae, a codebook a unit": ("Code.normalised:NormalisedUnitVQVAE", BOOKS),
    **{f"normalised {name}": (f"Code.normalised:Normalised{name}", PLANE) for name in NORMALISED},
    "gru": ("Code.lstm:RecurrentAE", {**PLANE, "cell": "gru", "units": 16}),
    "gaussian-vae, a variance a pixel": (
        "Code.gaussian_vae:GaussianVAE",
        {**PLANE, "variance": "pixel"},
    ),
    "iwae, binary": ("Code.iwae:IWAE", {**PLANE, "binary": True}),
    "aae, petals with labels": ("Code.aae:AAE", {**PLANE, "prior": "petals", "with_labels": True}),
    "aae, categories": ("Code.categorical_aae:CategoricalAAE", {**PLANE, "n_labels": 20}),
    "aae, clusters": (
        "Code.categorical_aae:CategoricalAAE",
        {**PLANE, "n_labels": 0, "n_categories": 12},
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where to save")
    parser.add_argument("--given", type=Path, help="what another backend saved")
    parser.add_argument("--only", nargs="*", default=VARIANTS, help="these rows")
    parser.add_argument("--seed", type=int, default=0, help="of all noise")
    options = parser.parse_args()
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        sys.modules["tensorflow"] = None

    from Code.data.datasets import load_dataset

    data = load_dataset("mnist").subset(N_IMAGES, DIGITS)
    for name in options.only:
        try:
            found = course(name, data, options)
        except Exception:
            found = {"error": traceback.format_exc()}
        print(json.dumps({"name": name, **found}), flush=True)


def course(name, data, options):
    """Train one row and tell what came of it."""
    import keras
    import numpy as np

    from Code.parts.images import to_unit
    from Code.stacked import LayerWise

    keras.backend.clear_session()
    keras.utils.set_random_seed(options.seed)
    model = made(name)
    give_weights(model)
    if keras.backend.backend() == "tensorflow":
        # Compiling forty networks takes longer than these few steps
        # A recurrence step by step in Python takes twice as long as tracing it
        eagerly = not name.startswith(("lstm", "gru"))
        model.compile(run_eagerly=eagerly, jit_compile=False)
    else:
        model.compile()
    x, y, digits = data.x_train, data.y_train, to_unit(data.x_test)

    def measure():
        return model.evaluate(x, y, verbose=0, return_dict=True)

    def draws():
        """Where the generators of noise stand."""
        own = {id(variable) for variable in model.weights}
        return [np.array(v).tolist() for v in model.variables if id(v) not in own]

    first, before, unused = [np.array(w) for w in model.get_weights()], measure(), draws()
    history = model.fit(
        x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0, validation_data=(x, y)
    ).history
    output = model.predict(digits, verbose=0)
    file = options.folder / f"{name}.keras"
    model.save(file)
    np.save(file.with_suffix(".npy"), output)
    found = {
        "before": before,
        "after": measure(),
        "history": history,
        "noise": draws() != unused,
        "moved": [bool((a != b).any()) for a, b in zip(first, model.get_weights(), strict=True)],
        "output": output.shape,
        "reloaded": difference(keras.saving.load_model(file), digits, output),
    }
    if hasattr(model, "encode"):
        code = model.encode(digits)
        found |= {
            "code": code.shape,
            "code wanted": model.decoder.input_shape[1:],
            "decoded": model.decode(code).shape,
            "diagnostics": {k: float(v) for k, v in model.diagnostics(digits, data.y_test).items()},
            "views": {k: np.asarray(v).shape for k, v in model.views(digits, data.y_test).items()},
        }
    if isinstance(model, LayerWise):
        found["level"] = of_a_level(model, x)
    if options.given:
        given = options.given / file.name
        there = np.load(given.with_suffix(".npy"))
        found["given"] = difference(keras.saving.load_model(given), digits, there)
    return found


def made(name):
    """The untrained model of a row."""
    from Code.foundation.names import load

    path, settings = VARIANTS[name]
    model = load(path)(**settings)
    return model.classifier if name.startswith("classifier") else model


def give_weights(model):
    """The same first kernels on every backend: Glorot & Bengio's, but drawn by NumPy."""
    import numpy as np

    rng = np.random.default_rng(1)
    for variable in model.weights:
        if variable.name == "codebook":
            variable.assign(rng.normal(0, 0.05, variable.shape).astype("float32"))
        elif variable.trainable and len(variable.shape) > 1:
            *receptive, fan_in, fan_out = variable.shape
            limit = np.sqrt(6 / (np.prod(receptive) * (fan_in + fan_out)))
            variable.assign(rng.uniform(-limit, limit, variable.shape).astype("float32"))


def difference(model, x, expected):
    """Largest difference of a loaded model's output from what is expected."""
    import numpy as np

    return float(np.abs(model.predict(x, verbose=0) - expected).max())


def of_a_level(model, x):
    """Train the second level of a stack on the features of the first, and put it in its place."""
    level, features = model.layer(2), model.features(1, x)
    level.compile()
    losses = level.fit(features, batch_size=BATCH, epochs=EPOCHS, verbose=0).history["loss"]
    model.adopt(2, level)
    return losses


if __name__ == "__main__":
    main()
