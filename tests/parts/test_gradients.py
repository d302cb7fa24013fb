"""Steps along gradients: those of Keras's own optimisers, to the bit, in fewer operations."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from Code.parts.gradients import build, descend

SCHEDULE = {"initial_learning_rate": 0.01, "decay_steps": 3}
OPTIMISERS = {
    "Adam": lambda: keras.optimizers.Adam(2e-3),
    "Adam, a schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(**SCHEDULE), beta_1=0.5, epsilon=1e-3
    ),
    "Adam, clipped": lambda: keras.optimizers.Adam(0.01, global_clipnorm=0.1),
    "Adam, decay and averages": lambda: keras.optimizers.Adam(
        0.01, weight_decay=0.1, use_ema=True, ema_overwrite_frequency=2
    ),
    "Adam, two batches a step": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "a scaled loss": lambda: keras.optimizers.SGD(0.01, loss_scale_factor=64.0),
    "a dynamic scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
    "AdamW": lambda: keras.optimizers.AdamW(0.01),
    "AMSGrad": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    "Adamax": lambda: keras.optimizers.Adamax(0.01),
    "SGD": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
}


def stepped(optimizer, by, compiled, dtype="float32"):
    """Variables and the optimiser's own after four steps of ``by(optimizer, variables, loss)``."""
    rng = np.random.default_rng(0)
    variables = [
        keras.Variable(rng.normal(size=size), dtype=dtype) for size in [(30, 7), (7,), (7, 2)]
    ]
    build(optimizer, variables)
    x = ops.cast(rng.normal(size=(50, 30)), dtype)

    def loss():
        kernel, bias, out = variables
        h = ops.tanh(ops.matmul(x, kernel) + bias)
        return ops.mean(ops.square(ops.matmul(h, out) - 1), axis=1)

    def step():
        return by(optimizer, variables, loss)

    if compiled is not None:
        step = tf.function(step, jit_compile=compiled)
    for _ in range(4):
        step()
    return [np.asarray(variable) for variable in (*variables, *optimizer.variables)]


def as_keras_does(optimizer, variables, loss):
    with tf.GradientTape() as tape:
        value = optimizer.scale_loss(ops.mean(loss()))
    optimizer.apply(tape.gradient(value, [v.value for v in variables]), variables)


HOW = {"eager": None, "graph": False, "XLA": True}
SOON = [("Adam", "graph"), ("Adam", "XLA"), *((name, "eager") for name in OPTIMISERS)]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        (name, how) if (name, how) in SOON else pytest.param(name, how, marks=pytest.mark.slow)
        for name in OPTIMISERS
        for how in HOW
    ],
)
def test_a_step_is_that_of_keras_to_the_bit(name, how):
    ours, kerass = (stepped(OPTIMISERS[name](), by, HOW[how]) for by in (descend, as_keras_does))
    assert len(ours) > 3
    for a, b in zip(ours, kerass, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_other_dtypes_are_left_to_keras(dtype):
    ours, kerass = (
        stepped(keras.optimizers.Adam(0.01), by, False, dtype) for by in (descend, as_keras_does)
    )
    for a, b in zip(ours, kerass, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_optimiser_is_left_as_it_was():
    optimizer = keras.optimizers.Adam(0.01)
    before = set(vars(optimizer))
    stepped(optimizer, descend, None)
    assert "_backend_update_step" not in vars(optimizer)
    assert before <= set(vars(optimizer))


def test_a_trace_has_fewer_operations():
    def operations(by):
        variables = [keras.Variable(np.ones(3, "float32")) for _ in range(8)]
        optimizer = keras.optimizers.Adam(0.01)
        build(optimizer, variables)

        def loss():
            return sum(ops.square(variable) for variable in variables)

        graph = tf.function(lambda: by(optimizer, variables, loss)).get_concrete_function().graph
        return len(graph.get_operations())

    without = operations(lambda optimizer, variables, loss: loss())
    ours, kerass = (operations(by) - without for by in (descend, as_keras_does))
    assert ours < 0.7 * kerass
