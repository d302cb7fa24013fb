"""Plain Keras on TensorFlow with its two switches for speed: several steps a call, and XLA."""

from tests.benchmarks.contenders import keras_fit

STEPS = 32


def train(network, images, batch_size, epochs, clock, shuffle=True, weights=None):
    model, _ = keras_fit.build(network)
    keras_fit.fitted(
        model,
        network,
        images,
        batch_size,
        epochs,
        clock,
        shuffle,
        weights,
        steps_per_execution=min(STEPS, max(1, len(images) // batch_size)),
        jit_compile=True,
    )
