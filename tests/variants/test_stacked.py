"""Layer by layer: frozen layers stay, pre-training pays where labels are few."""

import keras
import numpy as np
import pytest

from Code.dae import DAE
from Code.experiments.row import Experiment, Stage, adam
from Code.rbm import RBM
from Code.stacked import Stacked, squared_error_of_image, weights_of
from Code.training.layerwise import pretrain, run
from Code.training.procedure import Outcome

KINDS = {
    "plain": {"layer_kind": "plain"},
    "masking": {"layer_settings": {"corruption": "masking", "level": 0.25}},
    "gaussian": {"layer_settings": {"corruption": "gaussian", "level": 0.3}},
    "salt and pepper": {"layer_settings": {"corruption": "salt_and_pepper", "level": 0.2}},
    "RBM": {"layer_kind": "Code.rbm:RBM"},
}
SIGMOID = {"activation": "sigmoid", "code_activation": "sigmoid"}


def small(**more):
    return Stacked(hidden=(48, 32), code_dim=16, **{**SIGMOID, **more})


def row(settings, stages):
    return Experiment(
        "test",
        "stacked",
        "corrected",
        "a test",
        "Code.stacked:Stacked",
        settings,
        stages,
        procedure="Code.training.layerwise:run",
    )


def pretrain_level(model, level, data, epochs=1):
    pretrain(model, level, Stage(f"layer-{level}", epochs, 64), data, Outcome(), lambda n: None)


@pytest.mark.xla
@pytest.mark.parametrize("kind", ["plain", "masking", "RBM"])
@pytest.mark.slow
def test_a_frozen_layer_does_not_move(kind, mnist, seeded):
    """Only the level that is being trained moves, in the encoder and in the decoder."""
    model = small(**KINDS[kind])
    before = [[w.copy() for w in layer.get_weights()] for pair in model.pairs for layer in pair]
    pretrain_level(model, 2, mnist.subset(320, 100))
    after = [layer.get_weights() for pair in model.pairs for layer in pair]
    for i, (old, new) in enumerate(zip(before, after, strict=True)):
        same = all((a == b).all() for a, b in zip(old, new, strict=True))
        assert same == (i // 2 != 1)


@pytest.mark.slow
def test_fine_tuning_moves_every_layer(mnist, seeded):
    few = mnist.subset(200, 50)
    model = small(n_classes=10)
    before = [up.get_weights()[0].copy() for up, _ in model.pairs]
    model.classifier.compile()
    model.classifier.fit(few.x_train, few.y_train, batch_size=50, epochs=1, verbose=0)
    for old, (up, _) in zip(before, model.pairs, strict=True):
        assert np.abs(up.get_weights()[0] - old).max() > 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_the_stack_holds_what_its_layers_learned(kind, digits, seeded):
    """Features and reconstruction of a level are those of the autoencoder that trained it."""
    model = small(**KINDS[kind])
    layer = model.layer(1)
    rng = np.random.default_rng(0)
    layer.set_weights(
        [
            0.1 * rng.normal(size=w.shape) if w.dtype == np.float32 else w
            for w in layer.get_weights()
        ]
    )
    model.adopt(1, layer)
    features = model.features(1, digits)
    np.testing.assert_allclose(features, layer.encode(digits), atol=1e-5)
    _, down = model.pairs[0]
    pixels = np.asarray(down(features)).reshape(digits.shape)
    np.testing.assert_allclose(pixels, layer.reconstruct(digits), atol=1e-5)


def test_features_of_the_last_level_are_the_code(digits, seeded):
    model = small()
    np.testing.assert_allclose(model.features(3, digits), model.encode(digits), atol=1e-6)
    np.testing.assert_array_equal(model.features(0, digits), digits)


def test_tied_weights_are_unrolled(seeded):
    rbm = RBM(image_shape=(6,), code_dim=4)
    (kernel, hidden), (back, visible) = weights_of(rbm)
    np.testing.assert_array_equal(back, kernel.T)
    assert (len(hidden), len(visible)) == (4, 6)


def test_a_square_decoder_keeps_its_own_kernel(seeded):
    """Its kernel has the shape of the encoder's, and is not to be taken for it."""
    (kernel, _), (back, _) = weights_of(DAE(image_shape=(6,), code_dim=6))
    assert np.abs(back - kernel.T).max() > 0.01 < np.abs(back - kernel).max()


@pytest.mark.parametrize("hidden", [(), (32,), (64, 32, 16)])
def test_any_depth(hidden, digits, seeded):
    model = Stacked(hidden=hidden, code_dim=5)
    assert len(model.pairs) == len(hidden) + 1
    widths = [784, *hidden, 5]
    for level in range(1, len(widths)):
        layer = model.layer(level)
        assert layer.n_pixels == widths[level - 1]
        assert layer.code_dim == widths[level]
    assert model.reconstruct(digits).shape == digits.shape


@pytest.mark.slow
def test_pretraining_lowers_the_error_of_the_whole(mnist, seeded):
    few = mnist.subset(2000, 500)
    model = Stacked(hidden=(128,), code_dim=16, layer_kind="plain")
    before = squared_error_of_image(few.x_test / 255, model.reconstruct(few.x_test))
    for level in (1, 2):
        pretrain_level(model, level, few, epochs=4)
    after = squared_error_of_image(few.x_test / 255, model.reconstruct(few.x_test))
    assert after < 0.6 * before


@pytest.mark.slow
def test_pretraining_beats_none_at_equal_fine_tuning_with_few_labels(mnist):
    stages = (
        *(Stage(f"layer-{level}", 4, 64) for level in (1, 2)),
        Stage("supervised", 10, 50, adam(1e-3)),
        Stage("supervised-from-scratch", 10, 50, adam(1e-3)),
    )
    settings = {
        **SIGMOID,
        "hidden": (256,),
        "code_dim": 256,
        "n_classes": 10,
        "n_labels": 500,
        "reconstruction": "binary cross-entropy",
        "layer_settings": {"corruption": "masking", "level": 0.25},
    }
    told = []
    outcome = run(row(settings, stages), mnist.subset(10_000, 2000), 0, told.append)
    assert sum(told) == sum(stage.epochs for stage in stages)
    accuracy = {
        m["stage"]: m["value"]
        for m in outcome.metrics
        if (m["metric"], m["split"]) == ("accuracy", "test")
    }
    assert accuracy["supervised"] > accuracy["supervised-from-scratch"] + 0.01
    keys = [(m["stage"], m["metric"], m["split"]) for m in outcome.metrics]
    assert len(keys) == len(set(keys))


@pytest.mark.slow
def test_the_network_from_scratch_is_the_newborn_one(mnist):
    """With no pre-training at all the two courses are one and the same."""
    stages = (Stage("supervised", 1, 50), Stage("supervised-from-scratch", 1, 50))
    settings = {"hidden": (32,), "code_dim": 16, "n_classes": 10}
    outcome = run(row(settings, stages), mnist.subset(200, 100), 3, lambda n: None)
    losses = [m["value"] for m in outcome.metrics if (m["metric"], m["split"]) == ("loss", "test")]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)


def test_saved_and_loaded(digits, seeded, tmp_path):
    model = small(n_classes=10, **KINDS["masking"])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layer_settings == model.layer_settings
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    assert type(loaded.layer(2)) is type(model.layer(2))


def test_wrong_layers_are_refused():
    with pytest.raises(ValueError, match="layer_kind must be"):
        Stacked(layer_kind="no such thing")
    with pytest.raises(ValueError, match="stack sigmoid layers"):
        Stacked(hidden=(8,), layer_settings={"corruption": "gaussian", "level": 0.3})
