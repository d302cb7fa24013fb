"""Training with one call to the device per epoch.

Small networks spend most of an epoch between the batches: fetching, dispatching, returning. Here
the data stays on the device, and one compiled call does a whole epoch: it shuffles, takes the
steps and averages the losses. Keras's ``fit`` still runs it, so callbacks, history and progress
work as usual.

The compiled epoch needs TensorFlow. On other backends, or for input that is not an array, a
``WholeEpochModel`` takes the same steps batch by batch, as any Keras model does.
"""

from types import SimpleNamespace

import keras
import numpy as np
from keras import ops

from Code.parts.allocator import keep_freed_memory
from Code.parts.gradients import build, descend_each, unrecorded, with_values

# XLA takes seconds to compile an epoch; a training with fewer steps does not gain them back
STEPS_WORTH_XLA = 2000
EVALUATION_BATCH = 1000
EVALUATION_PASS = 10_000


class WholeEpochModel(keras.Model):
    """A Keras model that trains one epoch per call to the device.

    A subclass defines its loss in ``loss_terms`` and overrides ``update`` where a training step is
    more than one gradient step on that loss. ``compile``, ``fit``, ``evaluate`` and callbacks work
    as in Keras, but ``compile`` takes no loss.

    Attributes
    ----------
    terms : names of the values that ``loss_terms`` returns in addition to ``"loss"``.
    compile_with_xla : whether XLA may compile the epoch of a long training. XLA fuses the
        operations around small matrix products, but on a CPU its convolutions are more than ten
        times slower than oneDNN's.
    """

    terms: tuple[str, ...] = ()
    compile_with_xla = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        keep_freed_memory()
        self._compiled = SimpleNamespace()
        self._term_trackers = [keras.metrics.Mean(name=name) for name in self.terms]

    # What a subclass provides ---------------------------------------------------------------

    def loss_terms(self, x, y=None, training=False):
        """Return ``{"loss": (batch,), **terms}``, one value per image.

        Parameters
        ----------
        x : tensor ``(batch, height, width)`` with intensities in [0, 1].
        y : integer tensor ``(batch,)`` or None.
        training : whether the values are for a gradient step.
        """
        raise NotImplementedError

    @property
    def trained_variables(self):
        """The variables that a gradient step updates."""
        return self.trainable_variables

    def update(self, x, y=None):
        """Take one gradient step on a batch and return its ``loss_terms``."""
        steps = [(self.optimizer, self.trained_variables, "loss")]
        return descend_each(steps, lambda: self.loss_terms(x, y, training=True))

    def build_optimizers(self):
        """Create the optimiser's variables, because a compiled loop cannot create them."""
        build(self.optimizer, self.trained_variables)

    # Keras's side ---------------------------------------------------------------------------

    @property
    def metrics(self):
        if self._loss_tracker is None:
            return self._term_trackers
        return [self._loss_tracker, *self._term_trackers]

    def compile(self, optimizer="adam", jit_compile="auto", **kwargs):
        """Configure training; the default is Adam with Keras's settings.

        Parameters
        ----------
        jit_compile : whether XLA compiles the epoch; with ``"auto"``, `fit` uses XLA where
            ``compile_with_xla`` allows it and there are `STEPS_WORTH_XLA` steps or more.
        """
        self._xla_is_up_to_fit = jit_compile == "auto" and _on_tensorflow()
        if self._xla_is_up_to_fit:
            jit_compile = False
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **kwargs)

    def get_compile_config(self):
        config = super().get_compile_config()
        if config and self._xla_is_up_to_fit:
            config["jit_compile"] = "auto"
        return config

    def _decide_on_xla(self, steps):
        """Decide whether XLA compiles a training of ``steps`` steps, unless already decided."""
        wanted = self.compile_with_xla and steps >= STEPS_WORTH_XLA
        if self._xla_is_up_to_fit and wanted != self.jit_compile:
            self.jit_compile, self.train_function = wanted, None

    def compile_from_config(self, config):
        """Compile a loaded model with the configuration it was saved with."""
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
        """Train as ``keras.Model.fit`` does; for arrays, with one compiled call per epoch.

        Parameters
        ----------
        x : array ``(n, height, width)``: uint8, or floats in [0, 1].
        y : integer array ``(n,)``, or None where the loss needs no labels.
        validation_data : ``x`` or ``(x, y)`` of the same kind, evaluated after each epoch.
        """
        self.build_optimizers()
        self._decide_on_xla(_steps(x, batch_size or 32, epochs, kwargs))
        if not _is_array(x) or kwargs or not _on_tensorflow():
            if _is_array(_pair(validation_data)[0]):
                kwargs = {"validation_batch_size": EVALUATION_BATCH, **kwargs}
            return super().fit(
                _as_unit(x),
                _as_labels(y),
                batch_size,
                epochs,
                verbose,
                callbacks,
                validation_data=_as_unit_pair(validation_data),
                shuffle=shuffle,
                **kwargs,
            )
        if validation_data is not None and not hasattr(validation_data, "element_spec"):
            validation_data = evaluation_passes(*_pair(validation_data))
        return super().fit(
            epoch_passes(x, y, batch_size or 32, shuffle),
            epochs=epochs,
            steps_per_epoch=1,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            shuffle=False,
        )

    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", **kwargs):
        """Return the means of the loss terms over ``x``, in big batches of one compiled call."""
        if _is_array(x) and _on_tensorflow():
            passes = evaluation_passes(x, y, batch_size or EVALUATION_BATCH)
            return super().evaluate(passes, verbose=verbose, **kwargs)
        if self.optimizer is not None:
            # Otherwise Keras creates them, for all variables instead of the trained ones only
            self.build_optimizers()
        if _is_array(x):
            batch_size = batch_size or EVALUATION_BATCH
        return super().evaluate(_as_unit(x), _as_labels(y), batch_size, verbose, **kwargs)

    def train_step(self, *args):
        if _is_pass(args[-1]):
            return self._one_pass(args[-1], self.update)
        return self._one_batch(args, self.update)

    def test_step(self, *args):
        def step(x, y):
            return self.loss_terms(x, y, training=False)

        if _is_pass(args[-1]):
            return self._one_pass(args[-1], step)
        return self._one_batch(args, step)

    def make_test_function(self, force=False):
        """As in Keras, but without XLA: compiling takes longer than it saves in all evaluations."""
        if _on_tensorflow():
            compiled, self.jit_compile = self.jit_compile, False
            function = super().make_test_function(force)
            self.jit_compile = compiled
            return function
        return super().make_test_function(force)

    def _one_batch(self, args, step):
        """Run ``step`` on one batch as Keras passes it, and report the running means."""
        *state, data = args
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)

        def report():
            with unrecorded():
                terms = step(x, y)
            for tracker in self.metrics:
                tracker.update_state(terms[tracker.name])
            return {tracker.name: tracker.result() for tracker in self.metrics}

        if keras.backend.backend() == "jax":
            return with_values(self._carried(len(state[0])), state[0], report)
        return report()

    def _carried(self, n):
        """The variables, in ``n`` lists, that Keras's trainer for JAX passes from step to step."""
        model = [self.trainable_variables, self.non_trainable_variables]
        optimizer = [self.optimizer.variables] if n == 4 else []
        return [*model, *optimizer, self.metrics_variables]

    @property
    def metrics_variables(self):
        """Also the variables of further optimisers: Keras's JAX trainer has no list for them."""
        optimizers = [o for o in vars(self).values() if isinstance(o, keras.optimizers.Optimizer)]
        further = [o for o in optimizers if o is not self.optimizer]
        return [*super().metrics_variables, *(v for o in further for v in o.variables)]

    def in_batches(self, name, function, x, batch_size):
        """Apply ``function`` to all of ``x`` in batches, by one graph that is traced once.

        Parameters
        ----------
        name : name of the function, under which its graph is kept.
        function : tensor ``(batch, ...)`` → tensor ``(batch, ...)``.
        x : array ``(n, ...)``: uint8 values are intensities, scaled to [0, 1] on the device.
        """
        x = np.asarray(x)
        x = x if x.dtype == np.uint8 else x.astype(np.float32)
        step = self._step(name, function, x)
        parts = [x[i : i + batch_size] for i in range(0, len(x), batch_size)]
        return np.concatenate([ops.convert_to_numpy(step(part)) for part in parts])

    def _step(self, name, function, x):
        if not _on_tensorflow():
            return lambda part: function(ops.convert_to_tensor(_as_unit(part)))
        import tensorflow as tf

        key = f"{name} {x.dtype} {x.shape[1:]}"
        if not hasattr(self._compiled, key):
            # Without XLA: for most models, compiling takes longer than all later calls together
            signature = tf.TensorSpec((None, *x.shape[1:]), x.dtype)
            step = tf.function(
                lambda part: function(_unit(part)), input_signature=[signature], autograph=False
            )
            setattr(self._compiled, key, step)
        return getattr(self._compiled, key)

    def _one_pass(self, data, step):
        """Run ``step`` over every batch of a pass and report the means over its images."""
        import tensorflow as tf

        batches, last = data["batches"], data.get("last")

        def sums_of(batch):
            terms = step(_unit(batch["images"]), batch.get("labels"))
            return [tf.reduce_sum(terms[tracker.name]) for tracker in self.metrics]

        def body(i, sums):
            batch = {name: array[i] for name, array in batches.items()}
            return i + 1, [a + b for a, b in zip(sums, sums_of(batch), strict=True)]

        n_batches, batch_size = tf.unstack(tf.shape(batches["images"])[:2])
        zeros = [tf.zeros(()) for _ in self.metrics]
        _, sums = tf.while_loop(lambda i, _: i < n_batches, body, (0, zeros))
        n_images = n_batches * batch_size
        if last is not None:
            sums = [a + b for a, b in zip(sums, sums_of(last), strict=True)]
            n_images += tf.shape(last["images"])[0]
        for tracker, total in zip(self.metrics, sums, strict=True):
            tracker.update_state(total / tf.cast(n_images, tf.float32))
        return {tracker.name: tracker.result() for tracker in self.metrics}


def epoch_passes(x, y, batch_size, shuffle=True):
    """An endless ``tf.data.Dataset``; each element is one epoch: the data in that epoch's order.

    The order is drawn anew for each element from a generator seeded by Keras's global seed
    (``keras.utils.set_random_seed``). The images are shuffled before the compiled epoch, not batch
    by batch within it, where XLA would fetch them pixel by pixel.
    """
    import tensorflow as tf

    n = len(x)
    seed = int(ops.convert_to_numpy(keras.random.randint((), 0, 2**31 - 1)))
    generator = np.random.default_rng(seed)

    def order(_):
        return generator.permutation(n).astype(np.int32)

    def one_epoch(a, i):
        if shuffle:
            # Not Dataset.from_generator: on Python 3.11 it undoes `keep_freed_memory`
            indices = tf.ensure_shape(tf.numpy_function(order, [i], tf.int32), [n])
            a = {name: tf.gather(array, indices) for name, array in a.items()}
        return _batches(a, n, batch_size)

    arrays = tf.data.Dataset.from_tensors(_arrays(x, y)).cache().repeat()
    passes = tf.data.Dataset.zip(arrays, tf.data.Dataset.counter()).map(one_epoch)
    # The next epoch is shuffled while this one trains
    return _as_is(passes.prefetch(1))


def evaluation_passes(x, y=None, batch_size=EVALUATION_BATCH):
    """A ``tf.data.Dataset`` of the data in its own order, with several big batches per element.

    If the number of images allows it, every element holds 10,000 images, so that one compiled call
    serves both the training and the test images of MNIST; any other data is one element. All
    elements hold equally many images, so the mean of their means is the mean over the images.
    """
    import tensorflow as tf

    n = len(x)
    size = EVALUATION_PASS if n % EVALUATION_PASS == 0 else n
    passes = {
        name: array.reshape(-1, size, *array.shape[1:]) for name, array in _arrays(x, y).items()
    }
    cut = tf.data.Dataset.from_tensor_slices(passes).map(lambda a: _batches(a, size, batch_size))
    return _as_is(cut)


def _as_is(dataset):
    """The dataset without autotuning, which has nothing to tune with one element per epoch.

    TensorFlow's tuner sleeps for up to a minute between its rounds, and the end of an iterator
    waits for it: a run with 31 s of epochs took 42 s, one with 145 s took 203 s.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _batches(arrays, n, batch_size):
    """Cut ``n`` into ``batches (n // b, b, ...)`` and, where n % b > 0, the ``last`` one."""
    batch_size = min(batch_size, n)
    n_batches = n // batch_size
    whole = n_batches * batch_size
    cut = (n_batches, batch_size)
    parts = {
        "batches": {
            name: ops.reshape(array[:whole], (*cut, *array.shape[1:]))
            for name, array in arrays.items()
        }
    }
    if whole < n:
        parts["last"] = {name: array[whole:] for name, array in arrays.items()}
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


def _unit(x):
    """Intensities in [0, 1] from a uint8 tensor; any other tensor unchanged."""
    is_uint8 = keras.backend.standardize_dtype(x.dtype) == "uint8"
    return ops.cast(x, "float32") / 255.0 if is_uint8 else x


def _as_unit(x):
    """Intensities in [0, 1] from uint8; anything else unchanged."""
    return x.astype(np.float32) / 255.0 if _is_array(x) and x.dtype == np.uint8 else x


def _as_labels(y):
    return y.astype(np.int32) if _is_array(y) else y


def _as_unit_pair(data):
    if data is None:
        return None
    x, y = _pair(data)
    return _as_unit(x), _as_labels(y)


def _steps(x, batch_size, epochs, more):
    """The number of steps of a training if it is known beforehand, otherwise 0."""
    each = more.get("steps_per_epoch")
    if each is None and _is_array(x):
        each = -(-len(x) // batch_size)
    if each is None and hasattr(x, "cardinality"):
        each = max(0, int(x.cardinality()))
    return epochs * (each or 0)


def _on_tensorflow():
    return keras.backend.backend() == "tensorflow"
