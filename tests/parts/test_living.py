"""Every hyperparameter that a class calls ``live`` acts when it is changed, and no other can be."""

import importlib

import keras
import numpy as np
import pytest

from Code.experiments.table import EXPERIMENTS
from Code.foundation.names import load
from Code.parts.living import Rate

NET = {"hidden": (16,), "code_dim": 4}
# Class, name, value at the start and after the change
CHANGES = [
    ("Code.ae:AE", "reconstruction", "mse", "binary cross-entropy"),
    ("Code.beta_vae:BetaVAE", "beta", 1.0, 7.0),
    ("Code.factor_vae:FactorVAE", "gamma", 10.0, 0.0),
    ("Code.info_vae:InfoVAE", "alpha", 1.0, 0.25),
    ("Code.info_vae:InfoVAE", "mmd_weight", 1000.0, 1.0),
    ("Code.info_vae:InfoVAE", "kernel", "gaussian", "inverse multiquadric"),
    ("Code.info_vae:WAE", "mmd_weight", 1000.0, 10),
    ("Code.info_vae:WAE", "kernel", "gaussian", "inverse multiquadric"),
    ("Code.sparse:L1Sparse", "weight", 0.1, 5.0),
    ("Code.sparse:KLSparse", "rate", 0.1, 0.4),
    ("Code.sparse:KLSparse", "weight", 1.0, 9.0),
    ("Code.contractive:Contractive", "weight", 0.1, 3.0),
    ("Code.contractive:Contractive", "jacobian", "closed form", "automatic differentiation"),
    ("Code.overcomplete:Overcomplete", "weight", 0.1, 2.0),
    ("Code.overcomplete:Overcomplete", "regulariser", "none", "l1"),
    ("Code.emphasised:EmphasisedDAE", "alpha", 1.0, 2.0),
    ("Code.emphasised:EmphasisedDAE", "beta", 0.5, 0.0),
    ("Code.vq_vae:VQVAE", "commitment", 0.25, 2.0),
    ("Code.dae:DAE", "level", 0.5, 0.1),
    ("Code.dae:DAE", "corruption", "gaussian", "masking"),
    ("Code.aae:AAE", "discriminator_noise", 0.5, 2.0),
]
RATES = [
    ("Code.aae:AAE", "adversarial_rate", "discriminator_optimizer"),
    ("Code.aae:AAE", "adversarial_rate", "generator_optimizer"),
    ("Code.categorical_aae:CategoricalAAE", "label_rate", "label_optimizer"),
    ("Code.factor_vae:FactorVAE", "discriminator_rate", "discriminator_optimizer"),
]
# It is in the step of training alone, not in the loss
IN_THE_STEP = {"weight_decay"}


def made(path, **settings):
    keras.utils.set_random_seed(0)
    net = {"code_dim": 800, "hidden": ()} if "Overcomplete" in path else NET
    model = load(path)(**{**net, **settings})
    model.compile()
    return model


def losses(model, x):
    return model.evaluate(x, verbose=0, return_dict=True)


SOON = ("level",)


@pytest.mark.parametrize(
    ("path", "name", "before", "after"),
    [
        change
        if change[1] in SOON and "Emph" not in change[0]
        else pytest.param(*change, marks=pytest.mark.slow)
        for change in CHANGES
    ],
)
def test_a_changed_one_gives_what_a_new_model_gives(path, name, before, after, mnist):
    x = mnist.x_test[:64]
    other = {"regulariser": "l1"} if name == "weight" and "Over" in path else {}
    changed, new = (made(path, **{name: value, **other}) for value in (before, after))
    for model in (changed, new):
        losses(model, x)  # traces, and draws the first noise
    setattr(changed, name, after)
    found, expected = losses(changed, x), losses(new, x)
    for term, value in expected.items():
        assert found[term] == pytest.approx(value, rel=1e-4), term
    if name == "jacobian":
        return  # both are exact
    assert found != pytest.approx(losses(made(path, **{name: before, **other}), x), rel=1e-5)


@pytest.mark.parametrize(("path", "name", "optimizer"), RATES)
def test_a_rate_reaches_its_optimiser(path, name, optimizer):
    model = made(path)
    setattr(model, name, 0.0123)
    assert float(getattr(model, optimizer).learning_rate) == pytest.approx(0.0123)
    assert model.get_config()[name] == 0.0123


@pytest.mark.parametrize(
    ("path", "name", "optimizer"), [pytest.param(*rate, marks=pytest.mark.slow) for rate in RATES]
)
def test_a_rate_may_fall_during_a_training(path, name, optimizer, mnist):
    model, rates = made(path), [1e-3, 1e-4]

    class Falling(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            setattr(self.model, name, rates[epoch])

    x, y = mnist.x_train[:1000], mnist.y_train[:1000]
    history = model.fit(x, y, batch_size=500, epochs=2, verbose=0, callbacks=[Falling()]).history
    assert np.isfinite(history["loss"]).all()
    assert float(getattr(model, optimizer).learning_rate) == pytest.approx(1e-4)


@pytest.mark.slow
def test_after_a_new_compilation_the_present_value_acts(mnist):
    model, x = made("Code.beta_vae:BetaVAE", beta=1.0), mnist.x_test[:64]
    for beta, again in ((1.0, False), (7.0, False), (2.0, True)):
        model.beta = beta
        if again:
            model.compile()
        told = losses(model, x)
        assert (told["loss"] - told["reconstruction"]) / told["kl"] == pytest.approx(beta, rel=1e-2)


def test_every_live_one_is_tested_here():
    classes = {load(row.model) for row in EXPERIMENTS.values() if row.model}
    classes |= {importlib.import_module("Code.rbm").RBM}
    live = {
        (parent.__name__, name)
        for cls in classes
        for parent in cls.__mro__
        for name in (
            *vars(parent).get("live", ()),
            *(name for name, value in vars(parent).items() if isinstance(value, Rate)),
        )
    }
    tested = {(load(path), name) for path, name, *_ in (*CHANGES, *RATES)}
    for parent, name in live:
        known = name in IN_THE_STEP or any(
            name == of and any(c.__name__ == parent for c in cls.__mro__) for cls, of in tested
        )
        assert known, (parent, name)


@pytest.mark.slow
def test_images_from_a_folder_by_keras_s_own_loader(tmp_path, mnist):
    """As they come they are floats up to 255, which is a line; divided, they train."""
    from PIL import Image

    from Code.parts.images import ImageError

    for i, image in enumerate(mnist.x_test[:8]):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    batches = keras.utils.image_dataset_from_directory(
        tmp_path, labels=None, color_mode="grayscale", image_size=(28, 28), batch_size=4, verbose=0
    )
    with pytest.raises(ImageError, match="divide floats"):
        made("Code.ae:AE").fit(batches, verbose=0)
    history = made("Code.ae:AE").fit(batches.map(lambda x: x / 255), epochs=2, verbose=0).history
    assert np.all(np.diff(history["loss"]) < 0)
