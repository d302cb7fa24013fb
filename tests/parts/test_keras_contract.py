"""What Keras offers acts as in Keras, or is refused in a line that names it."""

import inspect
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from Code.ae import AE
from Code.beta_vae import BetaVAE
from Code.cvae import CVAE
from Code.dae import DAE
from Code.parts.images import ImageError, to_unit
from Code.parts.inputs import LabelError
from Code.parts.whole_epoch import WholeEpochModel
from Code.vae import VAE
from tests.support import some

NET = {"hidden": (16,), "code_dim": 4}


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(192, 96)


@pytest.fixture(scope="module")
def x(few):
    return to_unit(few.x_train)


def ours(make=lambda: AE(**NET)):
    keras.utils.set_random_seed(3)
    model = make()
    model.compile()
    return model


def plain(make=lambda: AE(**NET)):
    """The same network and start as a Keras model with Keras's own loss, of flat images."""
    keras.utils.set_random_seed(3)
    network = make().autoencoder
    network = keras.Model(network.input, keras.layers.Flatten()(network.output))
    network.compile("adam", "mse")
    return network


def batched(parts):
    return tf.data.Dataset.from_tensor_slices(parts).batch(64)


def flat(x):
    return x.reshape(len(x), -1)


HOW = {"batch_size": 64, "epochs": 2, "shuffle": False, "verbose": 0}


def histories(few, x, make=lambda: AE(**NET), **settings):
    """Of the compiled epoch, of Keras and, with the slow tests, of the same batch by batch."""
    of_arrays = ours(make).fit(few.x_train, few.y_train, **{**HOW, **settings}).history
    x_y = (x, few.y_train)
    weights = settings.pop("sample_weight", None)
    parts = x_y if weights is None else (*x_y, weights)
    batches = tf.data.Dataset.from_tensor_slices(parts).batch(64)
    one_by_one = {name: v for name, v in {**HOW, **settings}.items() if name != "batch_size"}
    found = [of_arrays]
    if os.environ.get("SLOW_TESTS"):
        found.append(ours(make).fit(batches, **one_by_one).history)
    class_weight = settings.pop("class_weight", None)
    if class_weight:
        weights = np.array([class_weight[y] for y in few.y_train])
    of_keras = plain(make).fit(x, flat(x), sample_weight=weights, **{**HOW, **settings}).history
    return *found, of_keras


def assert_alike(one, *others):
    for other in others:
        assert other.keys() == one.keys()
        for name in one:
            np.testing.assert_allclose(other[name], one[name], rtol=2e-5, err_msg=name)


class Regular(AE):
    """A variant whose layers have losses of their own."""

    def build_encoder(self):
        image = keras.Input(self.image_shape)
        regulariser = keras.regularizers.L1(0.01)
        code = keras.layers.Dense(
            self.code_dim, "relu", kernel_regularizer=regulariser, activity_regularizer=regulariser
        )
        return keras.Model(image, code(keras.layers.Flatten()(image)))


class TestLosses:
    @pytest.mark.slow
    def test_layers_losses_count(self, few, x):
        assert_alike(*histories(few, x, lambda: Regular(**NET)))

    @pytest.mark.slow
    def test_they_are_in_the_gradient(self, few, x):
        assert not np.allclose(
            ours(lambda: Regular(**NET)).fit(x, **HOW).history["loss"],
            ours().fit(x, **HOW).history["loss"],
        )

    def test_a_variant_s_own_add_loss_counts(self, few):
        class Added(AE):
            def loss_terms(self, x, y=None, training=False):
                self.add_loss(5.0 + 0.0 * keras.ops.sum(x))
                return super().loss_terms(x, y, training)

        found, without = (
            ours(make).evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
            for make in (lambda: Added(**NET), lambda: AE(**NET))
        )
        assert found == pytest.approx(5 + without, rel=1e-6)

    @pytest.mark.slow
    def test_in_evaluation_too(self, few):
        model, network = ours(lambda: Regular(**NET)), plain(lambda: Regular(**NET))
        x = to_unit(few.x_test)
        expected = network.evaluate(x, flat(x), verbose=0, batch_size=96)
        got = model.evaluate(few.x_test, verbose=0, return_dict=True)
        assert got["loss"] == pytest.approx(expected, rel=1e-5)


class TestWeights:
    @pytest.mark.slow
    def test_sample_weight(self, few, x):
        weights = np.random.default_rng(0).random(len(x)).astype(np.float32)
        assert_alike(*histories(few, x, sample_weight=weights))

    @pytest.mark.slow
    def test_class_weight(self, few, x):
        assert_alike(*histories(few, x, class_weight={y: y / 4 for y in range(10)}))

    def test_a_weight_of_zero_moves_nothing(self, few):
        model = ours()
        before = model.get_weights()
        model.fit(few.x_train, sample_weight=np.zeros(len(few.x_train)), verbose=0)
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_validation_data_may_be_a_list(self, few):
        def loss(given):
            return ours().fit(few.x_train, validation_data=given, **HOW).history["val_loss"]

        x, y, weights = few.x_test, few.y_test, np.linspace(0, 2, len(few.x_test))
        assert loss([x, x]) == loss([x, y]) == loss((x, y))
        assert loss([x, y, weights]) == loss((x, y, weights)) != loss((x, y))
        assert loss([x[0], x[1]]) == loss(x[:2])

    @pytest.mark.slow
    def test_weighted_validation_and_evaluation(self, few, x):
        weights = np.linspace(0, 2, len(few.x_test)).astype(np.float32)
        x_test = to_unit(few.x_test)
        got = (
            ours()
            .fit(few.x_train, validation_data=(few.x_test, few.y_test, weights), **HOW)
            .history
        )
        expected = (
            plain().fit(x, flat(x), validation_data=(x_test, flat(x_test), weights), **HOW).history
        )
        assert_alike(got, expected)
        evaluated = ours().evaluate(few.x_test, sample_weight=weights, verbose=0, return_dict=True)
        network = plain()
        expected = network.evaluate(
            x_test, flat(x_test), sample_weight=weights, verbose=0, batch_size=96
        )
        assert evaluated["loss"] == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize(
        ("weights", "says"),
        [
            ({"sample_weight": np.ones(3)}, "sample_weight has the shape (3,), not (192,)"),
            ({"class_weight": {0: 2.0}}, "class_weight needs the labels y"),
        ],
    )
    def test_what_does_not_fit_is_a_line(self, few, weights, says):
        with pytest.raises(LabelError) as told:
            ours().fit(few.x_train, verbose=0, **weights)
        assert says in str(told.value) and "\n" not in str(told.value)

    def test_accuracy_is_not_weighted(self, few):
        model = ours(lambda: AE(**NET, n_classes=10)).classifier
        model.compile()
        plain = model.evaluate(few.x_test, few.y_test, verbose=0, return_dict=True)
        half = model.evaluate(
            few.x_test,
            few.y_test,
            sample_weight=np.full(len(few.x_test), 0.5),
            verbose=0,
            return_dict=True,
        )
        assert half["accuracy"] == plain["accuracy"]
        assert half["loss"] == pytest.approx(plain["loss"] / 2, rel=1e-5)


# Every argument of each method: what it is given, and whether it is honoured, refused or both
FIT = {"validation_split": 0.25, "initial_epoch": 1, "validation_freq": 2, "steps_per_epoch": 2}


class TestArguments:
    def test_the_signatures_are_keras_s(self):
        for name in ("compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch"):
            taken = inspect.signature(getattr(WholeEpochModel, name)).parameters
            kerass = inspect.signature(getattr(keras.Model, name)).parameters
            missing = [
                p for p in kerass if p not in taken and "kwargs" not in taken and p != "kwargs"
            ]
            assert not missing, name

    @pytest.mark.parametrize("name", some(FIT))
    def test_fit_as_keras(self, few, x, name):
        x_test = to_unit(few.x_test)
        settings = {name: FIT[name], **HOW}
        held = {} if name == "validation_split" else {"validation_data": few.x_test}
        got = ours().fit(few.x_train, **held, **settings).history
        held = {} if name == "validation_split" else {"validation_data": (x_test, flat(x_test))}
        assert_alike(got, plain().fit(x, flat(x), **held, **settings).history)

    @pytest.mark.slow
    def test_steps_and_batches_of_validation(self, few, x):
        x_test = to_unit(few.x_test)
        more = {"validation_steps": 2, "validation_batch_size": 16, **HOW}
        got = ours().fit(few.x_train, validation_data=few.x_test, **more).history
        assert_alike(
            got, plain().fit(x, flat(x), validation_data=(x_test, flat(x_test)), **more).history
        )

    def test_evaluate_in_steps(self, few):
        x_test = to_unit(few.x_test)
        more = {"batch_size": 32, "steps": 2, "verbose": 0, "return_dict": True}
        got = ours().evaluate(few.x_test, **more)
        assert got["loss"] == pytest.approx(
            plain().evaluate(x_test, flat(x_test), **more)["loss"], 1e-5
        )

    def test_predict(self, few):
        expected = plain().predict(to_unit(few.x_test), verbose=0).reshape(-1, 28, 28)
        model = ours()
        for given in (few.x_test, to_unit(few.x_test), few.x_test[..., None], list(few.x_test)):
            np.testing.assert_allclose(model.predict(given, 32, verbose=0), expected, atol=1e-6)
        np.testing.assert_allclose(model.predict_on_batch(few.x_test), expected, atol=1e-6)
        batches = tf.data.Dataset.from_tensor_slices(few.x_test).batch(40)
        np.testing.assert_allclose(model.predict(batches, verbose=0), expected, atol=1e-6)

    @pytest.mark.slow
    def test_batch_by_batch(self, few, x):
        weights = np.linspace(0, 1, 64).astype(np.float32)
        model, network = ours(), plain()
        for part in (slice(0, 64), slice(64, 128)):
            got = model.train_on_batch(few.x_train[part], sample_weight=weights)
            expected = network.train_on_batch(x[part], flat(x[part]), sample_weight=weights)
            assert float(got) == pytest.approx(float(expected), rel=1e-5)
        got = model.test_on_batch(few.x_test)
        x_test = to_unit(few.x_test)
        assert float(got) == pytest.approx(
            float(network.test_on_batch(x_test, flat(x_test))), rel=1e-5
        )

    @pytest.mark.parametrize(
        ("given", "named"),
        [
            ({"loss": "mae"}, "loss="),
            ({"loss_weights": [1.0]}, "loss_weights="),
            ({"metrics": ["mse"]}, "metrics="),
            ({"weighted_metrics": ["mse"]}, "weighted_metrics="),
            ({"steps_per_execution": 4}, "steps_per_execution="),
        ],
    )
    def test_compile_refuses_in_a_line(self, given, named):
        with pytest.raises(ValueError, match="is not honoured") as told:
            AE(**NET).compile(**given)
        assert named in str(told.value) and "\n" not in str(told.value)

    @pytest.mark.slow
    def test_run_eagerly(self, few):
        model = AE(**NET)
        model.compile(run_eagerly=True)
        seen = []

        class Seen(AE):
            def loss_terms(self, x, y=None, training=False):
                seen.append(tf.executing_eagerly())
                return super().loss_terms(x, y, training)

        keras.utils.set_random_seed(3)
        model = Seen(**NET)
        model.compile(run_eagerly=True)
        got = model.fit(few.x_train, **HOW).history
        assert all(seen) and len(seen) == 6
        assert_alike(got, ours().fit(few.x_train, **HOW).history)

    @pytest.mark.slow
    def test_the_images_as_targets_are_taken_for_what_they_are(self, few, x):
        assert_alike(
            ours().fit(x, x, **HOW).history,
            ours().fit(x, **HOW).history,
            ours().fit(few.x_train, x, **HOW).history,
        )
        with pytest.raises(LabelError, match="target of an autoencoder is its input"):
            ours().fit(x, 1 - x, **HOW)
        with pytest.raises(LabelError, match="no whole numbers"):
            ours().fit(x, np.linspace(0, 1, len(x)), **HOW)


class TestPolicies:
    @pytest.fixture(params=some(["mixed_bfloat16", "mixed_float16", "float64"], "mixed_bfloat16"))
    def policy(self, request):
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(request.param)
        yield request.param
        keras.config.set_dtype_policy(before)

    @pytest.mark.parametrize("make", some([AE, VAE, DAE], AE), ids=lambda c: c.__name__)
    @pytest.mark.slow
    def test_they_train(self, policy, make, few):
        keras.utils.set_random_seed(0)
        model = make(**NET, n_classes=10)
        model.compile()
        how = {"batch_size": 64, "epochs": 4, "verbose": 0, "validation_data": few.x_test}
        history = model.fit(few.x_train, **how).history
        assert history["val_loss"][-1] < history["val_loss"][0]
        found = model.reconstruct(few.x_test[:3])
        assert found.dtype == ("float64" if policy == "float64" else "float32")
        assert np.isfinite(model.encode(few.x_test)).all()
        model.classifier.compile()
        model.classifier.fit(few.x_train, few.y_train, verbose=0)


class Annealed(keras.callbacks.Callback):
    def __init__(self, name, values):
        super().__init__()
        self.name, self.values = name, values

    def on_epoch_begin(self, epoch, logs=None):
        setattr(self.model, self.name, self.values[epoch])


class TestHyperparameters:
    @pytest.mark.slow
    def test_a_change_acts_from_the_next_epoch_on(self, few):
        keras.utils.set_random_seed(0)
        model = BetaVAE(beta=0.0, **NET)
        model.compile()
        betas = [0.0, 0.0, 100.0, 7.5, 3]
        told = model.fit(
            few.x_train, epochs=5, verbose=0, callbacks=[Annealed("beta", betas)]
        ).history
        found = (np.array(told["loss"]) - told["reconstruction"]) / told["kl"]
        np.testing.assert_allclose(found, betas, rtol=1e-2, atol=1e-3)
        assert model.beta == 3 and model.get_config()["beta"] == 3

    @pytest.mark.slow
    def test_in_evaluation_and_batch_by_batch_too(self, few):
        model = ours(lambda: BetaVAE(beta=1.0, **NET))
        batches = tf.data.Dataset.from_tensor_slices(to_unit(few.x_train)).batch(64)
        model.fit(batches, epochs=1, verbose=0)
        for beta in (2.0, 0.5, 4):
            model.beta = beta
            told = model.evaluate(few.x_test, verbose=0, return_dict=True)
            assert (told["loss"] - told["reconstruction"]) / told["kl"] == pytest.approx(
                beta, rel=1e-3
            )
        told = model.fit(batches, epochs=2, verbose=0, callbacks=Annealed("beta", [9.0, 1.0]))
        told = told.history
        found = (np.array(told["loss"]) - told["reconstruction"]) / told["kl"]
        np.testing.assert_allclose(found, [9, 1], rtol=1e-2)

    def test_a_variable_of_the_user_acts(self, few):
        beta = keras.Variable(0.0, trainable=False)
        model = ours(lambda: BetaVAE(beta=0.0, **NET))
        model.beta = beta

        class Warm(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                beta.assign(0.0 if epoch < 1 else 50.0)

        told = model.fit(few.x_train, epochs=2, verbose=0, callbacks=[Warm()]).history
        found = (np.array(told["loss"]) - told["reconstruction"]) / told["kl"]
        np.testing.assert_allclose(found, [0, 50], rtol=1e-2, atol=1e-3)

    @pytest.mark.slow
    def test_a_constant_that_does_not_change_is_the_same_to_the_bit(self, few):
        def weights(callbacks):
            model = ours(lambda: BetaVAE(beta=2.0, **NET))
            model.fit(few.x_train, callbacks=callbacks, **HOW)
            return model.get_weights()

        for a, b in zip(weights(None), weights([Annealed("beta", [2.0, 2.0])]), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_what_is_built_in_cannot_be_changed(self):
        model = ours()
        for name, value in (("code_dim", 9), ("hidden", (3,)), ("n_classes", 4)):
            with pytest.raises(ValueError, match=f"{name} is built into this AE"):
                setattr(model, name, value)
        model.code_dim = 4  # as it is
        model.trainable = False


SAME = {
    "int64": lambda x: x.astype(np.int64),
    "channel": lambda x: x[..., None],
    "float channel": lambda x: to_unit(x)[..., None],
    "float64": lambda x: to_unit(x).astype(np.float64),
    "uint16": lambda x: x.astype(np.uint16) * 257,
    "list": list,
}


class TestImages:
    """The rule of images, at the door of training."""

    @pytest.mark.parametrize("name", some(SAME, "int64"))
    @pytest.mark.slow
    def test_they_are_all_the_same(self, few, name):
        given, model = SAME[name], ours()
        expected = model.reconstruct(few.x_test)
        for function in (model.reconstruct, lambda x: model.predict(x, verbose=0)):
            np.testing.assert_allclose(function(given(few.x_test)), expected, atol=1e-6)
        expected = ours().fit(few.x_train, **HOW).history["loss"]
        found = ours().fit(given(few.x_train), **HOW).history["loss"]
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    @pytest.mark.parametrize(
        "kind", some(["dataset", "channels", "generator", "PyDataset"], "channels")
    )
    def test_batches_of_bytes(self, few, kind):
        expected = ours().fit(few.x_train, **HOW).history["loss"]
        parts = [few.x_train[i : i + 64] for i in range(0, 192, 64)]

        class Mine(keras.utils.PyDataset):
            def __len__(self):
                return 3

            def __getitem__(self, i):
                return (parts[i],)

        source = {
            "dataset": lambda: tf.data.Dataset.from_tensor_slices(few.x_train).batch(64),
            "channels": lambda: tf.data.Dataset.from_tensor_slices(few.x_train[..., None]).batch(
                64
            ),
            "generator": lambda: (parts[i % 3] for i in range(6)),
            "PyDataset": Mine,
        }[kind]()
        more = {"steps_per_epoch": 3} if kind == "generator" else {}
        how = {name: v for name, v in HOW.items() if name != "batch_size"}
        found = ours().fit(source, **how, **more).history["loss"]
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            (lambda x: x.astype(np.float32), "lie between 0 and 255; floats must lie"),
            (lambda x: to_unit(x) - 0.5, "lie between -0.5 and 0.5"),
            (lambda x: np.where(x == 255, np.nan, to_unit(x)), "hold NaN or infinite values"),
            (lambda x: x[:0], "there are none"),
            (lambda x: x[0], "give a single image as x[None]"),
            (lambda x: x.reshape(len(x), -1), "x.reshape(-1, 28, 28)"),
            (lambda x: x[:, :20], "crop, pad or scale them"),
            (lambda x: np.moveaxis(x[:, :20], 1, 2), "crop, pad or scale them"),
            (lambda x: x.astype(np.int32) - 1, "are integers from -1 to 254"),
            (lambda x: (x > 9).astype(int), "give bits as bool"),
            (lambda x: x.astype(str), "numbers are needed"),
            (lambda x: [x[0], x[1, :20]], "not all of one size"),
        ],
    )
    def test_what_cannot_be_used_is_a_line_at_every_door(self, few, given, says):
        model = ours()
        wrong = given(few.x_test)
        doors = (
            lambda x: model.fit(x, verbose=0),
            lambda x: model.fit(few.x_train, validation_data=x, verbose=0),
            lambda x: model.evaluate(x, verbose=0),
            lambda x: model.predict(x, verbose=0),
            model.train_on_batch,
            model.test_on_batch,
            model.predict_on_batch,
            model.encode,
            model.reconstruct,
            model.squared_errors,
        )
        for door in doors:
            with pytest.raises(ImageError) as told:
                door(wrong)
            assert says in str(told.value), door
            assert "\n" not in str(told.value)

    @pytest.mark.parametrize("kind", ["dataset", "generator", "PyDataset"])
    def test_batches_outside_the_range_are_a_line(self, few, kind):
        wrong = few.x_train.astype(np.float32)

        class Mine(keras.utils.PyDataset):
            def __len__(self):
                return 3

            def __getitem__(self, i):
                return (wrong[i : i + 64],)

        source = {
            "dataset": lambda: tf.data.Dataset.from_tensor_slices(wrong).batch(64),
            "generator": lambda: (wrong[i : i + 64] for i in range(0, 192, 64)),
            "PyDataset": Mine,
        }[kind]()
        with pytest.raises(ImageError) as told:
            ours().fit(source, epochs=1, verbose=0)
        assert "\n" not in str(told.value)

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            (lambda x: x.astype(np.float32) * 255, "lie between 0 and 255"),
            (lambda x: np.where(x > 0.5, np.nan, x), "NaN"),
            (lambda x: (x * 1000).astype(np.int64), "integers from 0 to 1000"),
            (lambda x: x[0], r"x\[None\]"),
        ],
    )
    def test_tensors_are_checked_like_arrays(self, few, x, wrong, says):
        model, right = ours(), tf.constant(x)
        assert model.fit(right, validation_split=0.2, verbose=0).history["val_loss"][0] < 1
        given = tf.constant(wrong(x))
        for door in (
            lambda: model.fit(given, verbose=0),
            lambda: model.fit(right, validation_data=given, verbose=0),
            lambda: model.fit(right, validation_data=(given,), verbose=0),
            lambda: model.evaluate(given, verbose=0),
            lambda: model.predict(given, verbose=0),
            lambda: model.train_on_batch(given),
            lambda: model.test_on_batch(given),
            lambda: model.predict_on_batch(given),
        ):
            with pytest.raises(ImageError, match=says):
                door()

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            (lambda x: tuple(x), "x is tuple"),
            (lambda x: {"x": x}, "x is dict"),
            (lambda x: None, "x is None"),
            (lambda x: "mnist", "x is str"),
            (lambda x: [x], "have the shape"),
            (lambda x: np.ma.masked_array(x, x > 0.5), "NaN"),
            (lambda x: iter([{"x": x}]), "dicts"),
            (lambda x: batched({"x": x}), "dicts"),
            (lambda x: tf.data.Dataset.from_tensor_slices(x), "single images"),
            (lambda x: batched(x[:, :20]), r"\(n, 20, 28\), but \(n, 28, 28\)"),
            (lambda x: batched(np.repeat(x[..., None], 3, -1)), r"\(n, 28, 28, 3\)"),
            (lambda x: batched((x * 1000).astype(np.int64)), "integers outside"),
            (lambda x: batched((x, 1 - x)), "targets that are other images"),
            (lambda x: batched((x, 1 - x[..., None])), "targets that are other images"),
            (lambda x: batched((x, x[:, :20])), "targets that are other images"),
            (lambda x: iter([(x, 1 - x)]), "y has the shape"),
            (lambda x: iter([x[:64], x[:64], x[:64] * 255, x[:64]]), "lie between 0 and 255"),
        ],
    )
    def test_what_is_no_images_is_a_line(self, x, given, says):
        with pytest.raises((ImageError, LabelError), match=says) as told:
            ours().fit(given(x), verbose=0)
        assert "\n" not in str(told.value)

    @pytest.mark.parametrize("kind", ["dataset", "generator", "PyDataset"])
    @pytest.mark.parametrize(
        "labels", [np.arange(192) % 26, np.eye(10)[np.arange(192) % 10], np.full(192, 0.5)]
    )
    def test_labels_of_batches_are_checked(self, x, labels, kind):
        class Mine(keras.utils.PyDataset):
            def __len__(self):
                return 1

            def __getitem__(self, i):
                return x, labels

        def source():
            return {
                "dataset": lambda: batched((x, labels)),
                "generator": lambda: iter([(x, labels)]),
                "PyDataset": Mine,
            }[kind]()

        for model in (ours(lambda: CVAE(**NET)), ours(lambda: AE(**NET, n_classes=10)).classifier):
            model.compile()
            with pytest.raises(LabelError) as told:
                model.fit(source(), verbose=0)
            assert "\n" not in str(told.value)

    @pytest.mark.slow
    def test_a_column_of_labels_and_targets_that_are_the_images_are_fine(self, few, x):
        y = few.y_train
        expected = ours(lambda: CVAE(**NET)).fit(batched((x, y)), verbose=0).history
        column = ours(lambda: CVAE(**NET)).fit(batched((x, y[:, None])), verbose=0).history
        assert column == expected
        pairs = [[x[i : i + 64], y[i : i + 64]] for i in range(0, 192, 64)]
        listed = ours(lambda: CVAE(**NET)).fit(iter(pairs), verbose=0).history
        assert listed["loss"] == pytest.approx(expected["loss"], rel=1e-5)
        alone = ours().fit(batched(x), verbose=0).history
        assert ours().fit(iter([(b, b) for b in (x[:64], x[64:128], x[128:])]), verbose=0).history
        # Bytes are divided within the model, which may round the last bit otherwise
        of_bytes = ours().fit(batched((few.x_train, x)), verbose=0).history
        assert of_bytes["loss"] == pytest.approx(alone["loss"], rel=1e-5)
        assert ours().fit(batched((x, x)), verbose=0).history == alone

    @pytest.mark.parametrize(
        ("settings", "says"),
        [
            ({"batch_size": 0}, "batch_size=0"),
            ({"batch_size": -1}, "batch_size=-1"),
            ({"batch_size": 7.0}, "batch_size=7.0"),
            ({"validation_batch_size": 0}, "validation_batch_size=0"),
            ({"class_weight": "balanced"}, "dict of weights"),
            ({"class_weight": {"1": 0.0}}, "dict of weights"),
            ({"class_weight": [1.0] * 10}, "dict of weights"),
            ({"sample_weight": "balanced"}, "no numbers"),
            ({"sample_weight": np.full(192, np.nan)}, "NaN"),
        ],
    )
    def test_sizes_and_weights_that_are_none_are_a_line(self, few, settings, says):
        with pytest.raises(ValueError, match=says) as told:
            ours().fit(few.x_train, few.y_train, verbose=0, **settings)
        assert "\n" not in str(told.value)

    def test_a_classifier_without_labels_is_a_line(self, x):
        classifier = ours(lambda: AE(**NET, n_classes=10)).classifier
        classifier.compile()
        with pytest.raises(LabelError, match="give them as y"):
            classifier.fit(x, verbose=0)

    def test_labels_are_checked_against_the_classes(self, few):
        model = ours(lambda: AE(**NET, n_classes=5)).classifier
        model.compile()
        for door in (
            lambda y: model.fit(few.x_test, y, verbose=0),
            lambda y: model.evaluate(few.x_test, y, verbose=0),
            lambda y: model.train_on_batch(few.x_test, y),
        ):
            with pytest.raises(LabelError, match="labels from 0 to 9, but the model has 5 classes"):
                door(few.y_test)
            with pytest.raises(LabelError, match=r"y has the shape \(3,\)"):
                door(few.y_test[:3])
