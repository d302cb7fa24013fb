"""Training in which one call to the device is one epoch.

Small networks spend most of an epoch between the batches: fetching, dispatching, returning. Here
the data stays on the device, and a single compiled call shuffles, steps and averages a whole epoch.
Keras's ``fit`` is still the one that runs it, so callbacks, history and progress are Keras's own.

This module is the only one that needs TensorFlow. On other backends, or for input that is not an
array, a ``WholeEpochModel`` trains batch by batch as any Keras model does.
"""

import keras
import numpy as np
from keras import ops

EVALUATION_BATCH = 1000


class WholeEpochModel(keras.Model):
    """A Keras model that trains one epoch a call.

    A subclass says what it minimises in ``loss_terms`` and, where one gradient step is more than
    that, in ``update``. ``compile``, ``fit``, ``evaluate`` and callbacks work as in Keras; there is
    no loss to name in ``compile``.

    Attributes
    ----------
    terms : names of the values that ``loss_terms`` returns beside ``"loss"``.
    compile_with_xla : whether XLA compiles the epoch. XLA fuses what surrounds small matrix
        products; its convolutions on a CPU are more than ten times slower than oneDNN's.
    """

    terms: tuple[str, ...] = ()
    compile_with_xla = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._term_trackers = [keras.metrics.Mean(name=name) for name in self.terms]

    # What a subclass provides ---------------------------------------------------------------

    def loss_terms(self, x, y=None, training=False):
        """Return ``{"loss": (batch,), **terms}``, one value an image.

        Parameters
        ----------
        x : tensor ``(batch, height, width)`` with intensities in [0, 1].
        y : integer tensor ``(batch,)`` or None.
        training : whether the values serve a gradient step.
        """
        raise NotImplementedError

    @property
    def trained_variables(self):
        """The variables that a gradient step moves."""
        return self.trainable_variables

    def update(self, x, y=None):
        """Take one gradient step on a batch and return its ``loss_terms`` (TensorFlow)."""
        import tensorflow as tf

        variables = self.trained_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            terms = self.loss_terms(x, y, training=True)
            loss = ops.mean(terms["loss"])
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self.optimizer.apply(gradients, variables)
        return terms

    def build_optimizers(self):
        """Create the optimiser's variables, which a compiled loop cannot."""
        if not self.optimizer.built:
            self.optimizer.build(self.trained_variables)

    # Keras's side ---------------------------------------------------------------------------

    @property
    def metrics(self):
        if self._loss_tracker is None:
            return self._term_trackers
        return [self._loss_tracker, *self._term_trackers]

    def compile(self, optimizer="adam", jit_compile="auto", **kwargs):
        """Configure training; Adam with Keras's defaults unless said otherwise."""
        if jit_compile == "auto" and keras.backend.backend() == "tensorflow":
            jit_compile = self.compile_with_xla
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **kwargs)

    def compile_from_config(self, config):
        """Compile a loaded model as it was when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.build_optimizers()

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_data=None,
        shuffle=True,
        **kwargs,
    ):
        """Train as ``keras.Model.fit`` does, one compiled call an epoch for arrays.

        Parameters
        ----------
        x : array ``(n, height, width)``: uint8, or floats in [0, 1].
        y : integer array ``(n,)``, or None where the loss needs no labels.
        validation_data : ``x`` or ``(x, y)`` of the same kind, evaluated after each epoch.
        """
        whole = _is_array(x) and not kwargs and _on_tensorflow()
        if not whole:
            return super().fit(
                _as_unit(x), y, batch_size, epochs, verbose, callbacks,
                validation_data=_as_unit_pair(validation_data), shuffle=shuffle, **kwargs,
            )  # fmt: skip
        self.build_optimizers()
        if validation_data is not None and not hasattr(validation_data, "element_spec"):
            validation_data = evaluation_pass(*_pair(validation_data))
        return super().fit(
            epoch_passes(x, y, batch_size or 32, shuffle),
            epochs=epochs,
            steps_per_epoch=1,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            shuffle=False,
            validation_steps=None if validation_data is None else 1,
        )

    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", **kwargs):
        """Return the means of the loss terms over ``x``, in big batches of one compiled call."""
        if _is_array(x) and _on_tensorflow():
            x, y = evaluation_pass(x, y, batch_size or EVALUATION_BATCH), None
            return super().evaluate(x, verbose=verbose, steps=1, **kwargs)
        return super().evaluate(_as_unit(x), y, batch_size, verbose, **kwargs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The batch's mean loss: the way in for Keras's own batch-by-batch training."""
        terms = self.loss_terms(x, y, training=training)
        for tracker in self._term_trackers:
            tracker.update_state(terms[tracker.name])
        return ops.mean(terms["loss"])

    def train_step(self, data):
        if not _is_pass(data):
            return super().train_step(data)
        return self._one_pass(data, self.update)

    def test_step(self, data):
        if not _is_pass(data):
            return super().test_step(data)
        return self._one_pass(data, lambda x, y: self.loss_terms(x, y, training=False))

    def _one_pass(self, data, step):
        """Run ``step`` over every batch of a pass and report the means over its images."""
        import tensorflow as tf

        images, labels = data["images"], data.get("labels")

        def sums_of(indices):
            x = tf.gather(images, indices)
            x = tf.cast(x, tf.float32) / 255.0 if x.dtype == tf.uint8 else x
            terms = step(x, None if labels is None else tf.gather(labels, indices))
            return [tf.reduce_sum(terms[tracker.name]) for tracker in self.metrics]

        def body(i, sums):
            return i + 1, [a + b for a, b in zip(sums, sums_of(data["batches"][i]), strict=True)]

        n_batches = tf.shape(data["batches"])[0]
        zeros = [tf.zeros(()) for _ in self.metrics]
        _, sums = tf.while_loop(lambda i, _: i < n_batches, body, (0, zeros))
        n_images = tf.size(data["batches"])
        if "last" in data:
            sums = [a + b for a, b in zip(sums, sums_of(data["last"]), strict=True)]
            n_images += tf.size(data["last"])
        for tracker, total in zip(self.metrics, sums, strict=True):
            tracker.update_state(total / tf.cast(n_images, tf.float32))
        return {tracker.name: tracker.result() for tracker in self.metrics}


def epoch_passes(x, y, batch_size, shuffle=True):
    """An endless ``tf.data.Dataset`` whose every element is one epoch: the data and its order.

    The order is drawn anew for each element from a generator seeded by Keras's global seed
    (``keras.utils.set_random_seed``).
    """
    import tensorflow as tf

    n = len(x)
    seed = int(ops.convert_to_numpy(keras.random.randint((), 0, 2**31 - 1)))
    generator = np.random.default_rng(seed)

    def orders():
        while True:
            yield _batches(generator.permutation(n) if shuffle else np.arange(n), batch_size)

    signature = {
        name: tf.TensorSpec(part.shape, tf.int32)
        for name, part in _batches(np.arange(n), batch_size).items()
    }
    arrays = tf.data.Dataset.from_tensors(_arrays(x, y)).cache().repeat()
    order = tf.data.Dataset.from_generator(orders, output_signature=signature)
    return tf.data.Dataset.zip(arrays, order).map(lambda a, b: {**a, **b})


def evaluation_pass(x, y=None, batch_size=EVALUATION_BATCH):
    """A ``tf.data.Dataset`` of one element: the data in its own order, in big batches."""
    import tensorflow as tf

    parts = _batches(np.arange(len(x)), batch_size)
    return tf.data.Dataset.from_tensors({**_arrays(x, y), **parts})


def _batches(order, batch_size):
    """Cut an order of ``n`` into ``batches (n // b, b)`` and, where n % b > 0, the ``last`` one."""
    order = order.astype(np.int32)
    batch_size = min(batch_size, len(order))
    whole = len(order) // batch_size * batch_size
    parts = {"batches": order[:whole].reshape(-1, batch_size)}
    if whole < len(order):
        parts["last"] = order[whole:]
    return parts


def _arrays(x, y):
    x = np.asarray(x)
    arrays = {"images": x if x.dtype == np.uint8 else x.astype(np.float32)}
    if y is not None:
        arrays["labels"] = np.asarray(y, dtype=np.int32)
    return arrays


def _is_pass(data):
    return isinstance(data, dict) and "batches" in data


def _is_array(x):
    return isinstance(x, np.ndarray)


def _pair(data):
    return data if isinstance(data, tuple) else (data, None)


def _as_unit(x):
    """Intensities in [0, 1] from uint8; anything else as it is."""
    return x.astype(np.float32) / 255.0 if _is_array(x) and x.dtype == np.uint8 else x


def _as_unit_pair(data):
    if data is None:
        return None
    x, y = _pair(data)
    return _as_unit(x), y


def _on_tensorflow():
    return keras.backend.backend() == "tensorflow"
