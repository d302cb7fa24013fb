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
from Code.parts.images import to_unit
from Code.parts.inputs import (
    as_array,
    checked_batch_size,
    checked_images,
    checked_labels,
    checked_source,
    checked_weights,
    in_one_line,
    intensities,
    is_array,
    is_pass,
    pair,
    split_off,
    unit_batch,
)
from Code.parts.living import Living
from Code.parts.one_call import in_one_call

# XLA takes seconds to compile an epoch; a training with fewer steps does not gain them back
STEPS_WORTH_XLA = 2000
EVALUATION_BATCH = 1000
EVALUATION_PASS = 10_000


class WholeEpochModel(keras.Model):
    """A Keras model that trains one epoch per call to the device.

    A subclass defines its loss in ``loss_terms`` and overrides ``update`` where a training step is
    more than one gradient step on that loss. ``compile``, ``fit``, ``evaluate``, ``predict`` and
    callbacks work as in Keras; what they do not honour is an error that names it.

    Attributes
    ----------
    terms : names of the values that ``loss_terms`` returns in addition to ``"loss"``.
    measures : those of the ``terms`` that are no part of the loss, and that no weights change.
    live : names of the hyperparameters that every step reads. They may be changed during a
        training, by a callback for example, and act from the next epoch on. Base classes' names
        count too.
    any_range : whether inputs may lie outside [0, 1], as the features of a layer do.
    compile_with_xla : whether XLA may compile the epoch of a long training. XLA fuses the
        operations around small matrix products, but on a CPU its convolutions are more than ten
        times slower than oneDNN's.
    """

    terms: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    any_range = False
    compile_with_xla = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        keep_freed_memory()
        self._compiled = SimpleNamespace()
        self._living = Living(self)
        self._weights_of_batch = None
        self._term_trackers = [keras.metrics.Mean(name=name) for name in self.terms]

    # What a subclass provides ---------------------------------------------------------------

    def loss_terms(self, x, y=None, training=False):
        """Return ``{"loss": (batch,), **terms}``, one value per image.

        Parameters
        ----------
        x : tensor ``(batch, *image_shape)`` with intensities in [0, 1].
        y : integer tensor ``(batch,)`` or None.
        training : whether the values are for a gradient step.
        """
        raise NotImplementedError

    @property
    def n_labels_told(self):
        """The number of classes whose labels the loss reads, or None where it reads none."""
        return None

    @property
    def trained_variables(self):
        """The variables that a gradient step updates."""
        return self.trainable_variables

    def update(self, x, y=None):
        """Take one gradient step on a batch and return its ``loss_terms``."""
        steps = [(self.optimizer, self.trained_variables, "loss")]
        return descend_each(steps, lambda: self.all_terms(x, y, training=True))

    def all_terms(self, x, y=None, training=False):
        """The ``loss_terms``, with what Keras adds to a loss: layers' own losses, and weights."""
        return self.with_losses(lambda: self.loss_terms(x, y, training))

    def with_losses(self, terms):
        """``terms()`` plus the regularizers and ``add_loss`` of all layers; weighted by image.

        As in Keras, each image's value is multiplied by its weight, and the layers' losses are not.
        """
        self._clear_losses()
        found = {
            name: value if name in self.measures else self.weighted(value)
            for name, value in terms().items()
        }
        if own := self.losses:
            added = sum(ops.cast(loss, found["loss"].dtype) for loss in own)
            found = {**found, "loss": found["loss"] + added}
        return found

    def weighted(self, values):
        """Values ``(batch,)``, each times its image's weight, where `fit` was given weights."""
        w = self._weights_of_batch
        return values if w is None else values * ops.cast(w, values.dtype)

    def build_optimizers(self):
        """Create the optimiser's variables, because a compiled loop cannot create them."""
        build(self.optimizer, self.trained_variables)

    # Keras's side ---------------------------------------------------------------------------

    @property
    def input_image_shape(self):
        """``(height, width)`` or ``(height, width, channels)`` of the images that it takes."""
        return self.image_shape

    @property
    def metrics(self):
        if self._loss_tracker is None:
            return self._term_trackers
        return [self._loss_tracker, *self._term_trackers]

    def compile(
        self,
        optimizer="adam",
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        auto_scale_loss=True,
    ):
        """Configure training; the default is Adam with Keras's settings.

        Parameters
        ----------
        optimizer, run_eagerly, auto_scale_loss : as in Keras.
        loss, loss_weights, metrics, weighted_metrics, steps_per_execution : only Keras's defaults.
        jit_compile : whether XLA compiles the epoch; with ``"auto"``, `fit` uses XLA where
            ``compile_with_xla`` allows it and there are `STEPS_WORTH_XLA` steps or more.

        Raises
        ------
        ValueError
            If an argument is given that a variant does not honour.
        """
        if loss is not None:
            raise ValueError(
                f"compile(loss=...) is not honoured: {type(self).__name__} brings its own loss; an "
                "autoencoder takes reconstruction='mse' or 'binary cross-entropy'"
            )
        for name, given in (
            ("loss_weights", loss_weights),
            ("metrics", metrics),
            ("weighted_metrics", weighted_metrics),
        ):
            if given:
                raise ValueError(
                    f"compile({name}=...) is not honoured: the history holds the loss and its "
                    "terms; measure anything else in a callback, or after the training"
                )
        if steps_per_execution != 1:
            raise ValueError(
                "compile(steps_per_execution=...) is not honoured: an epoch of arrays is one call"
            )
        self._xla_is_up_to_fit = jit_compile == "auto" and _on_tensorflow() and not run_eagerly
        if self._xla_is_up_to_fit:
            jit_compile = False
        super().compile(
            optimizer=optimizer,
            run_eagerly=run_eagerly,
            jit_compile=jit_compile,
            auto_scale_loss=auto_scale_loss,
        )
        self._living.seal()

    def get_compile_config(self):
        config = super().get_compile_config()
        if config and self._xla_is_up_to_fit:
            config["jit_compile"] = "auto"
        return config

    def __setattr__(self, name, value):
        living = vars(self).get("_living")
        if living is not None:
            living.check(name, value)
        super().__setattr__(name, value)

    def _decide_on_xla(self, steps):
        """Decide whether XLA compiles a training of ``steps`` steps, unless already decided."""
        wanted = self.compile_with_xla and steps >= STEPS_WORTH_XLA
        if self._xla_is_up_to_fit and wanted != self.jit_compile:
            self.jit_compile, self.train_function = wanted, None

    def compile_from_config(self, config):
        """Compile a loaded model with the configuration it was saved with."""
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**{name: given for name, given in config.items() if given is not None})
        self.build_optimizers()

    @in_one_line
    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ):
        """Train as ``keras.Model.fit`` does; for arrays, with one compiled call per epoch.

        Parameters
        ----------
        x : images ``(n, *image_shape)``, see `Code.parts.images`; or a ``tf.data.Dataset``, a
            generator or a ``PyDataset`` of batches.
        y : integer array ``(n,)``, or None where the loss needs no labels.
        validation_data : ``x``, ``(x, y)`` or ``(x, y, weights)``, evaluated after each epoch.

        Everything else is as in Keras.

        Raises
        ------
        ImageError, LabelError
            If images, labels or weights cannot be used.
        """
        self._assert_compile_called("fit")
        self.build_optimizers()
        checked_batch_size(batch_size)
        checked_batch_size(validation_batch_size, "validation_batch_size")
        x, y, sample_weight = map(as_array, (x, y, sample_weight))
        arrays = is_array(x)
        held = (None, None, None)
        if validation_data is not None:
            held = pair(validation_data, self.input_image_shape)
        if arrays:
            x, y, weights = self._checked(x, y, sample_weight, class_weight)
            class_weight = None
            if validation_split and validation_data is None:
                (x, y, weights), held = split_off(validation_split, x, y, weights)
        else:
            if validation_split:
                raise ValueError("validation_split is for arrays; give validation_data")
            x, weights = self._source(x), sample_weight
        if is_array(held[0]):
            held = self._checked(*held)
        elif held[0] is not None:
            held = (self._source(held[0]), *held[1:])
        self._decide_on_xla(_steps(x, batch_size or 32, epochs, steps_per_epoch))
        settings = {
            "epochs": epochs,
            "verbose": verbose,
            "callbacks": self._living.watching(callbacks),
            "initial_epoch": initial_epoch,
            "validation_freq": validation_freq,
        }
        if arrays and steps_per_epoch is None and validation_steps is None and _on_tensorflow():
            passes = None
            if is_array(held[0]):
                size = validation_batch_size or EVALUATION_BATCH
                passes = evaluation_passes(held[0], held[1], size, held[2])
            elif held[0] is not None:
                passes = held[0]
            return super().fit(
                epoch_passes(x, y, batch_size or 32, shuffle, weights),
                steps_per_epoch=1,
                validation_data=passes,
                shuffle=False,
                **settings,
            )
        if is_array(held[0]):
            validation_batch_size = validation_batch_size or EVALUATION_BATCH
            held = (to_unit(held[0]), *held[1:])
        return super().fit(
            to_unit(x) if arrays else x,
            y,
            batch_size,
            validation_data=None if held[0] is None else _without_nones(held),
            shuffle=shuffle and arrays,
            class_weight=class_weight,
            sample_weight=weights,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            **settings,
        )

    @in_one_line
    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        **kwargs,
    ):
        """Return the means of the loss terms over ``x``, in big batches of one compiled call.

        All arguments are as in Keras.
        """
        self._living.refresh()
        if kwargs.get("_use_cached_eval_dataset"):
            # Keras validates within `fit`, which has checked this data and made its batches
            return super().evaluate(x, y, batch_size, verbose, sample_weight, steps, **kwargs)
        checked_batch_size(batch_size)
        x, y, sample_weight = map(as_array, (x, y, sample_weight))
        if is_array(x):
            x, y, sample_weight = self._checked(x, y, sample_weight)
            batch_size = batch_size or EVALUATION_BATCH
            if steps is None and _on_tensorflow():
                passes = evaluation_passes(x, y, batch_size, sample_weight)
                return super().evaluate(passes, verbose=verbose, **kwargs)
            x = to_unit(x)
        else:
            x = self._source(x)
        if self.optimizer is not None:
            # Otherwise Keras creates them, for all variables instead of the trained ones only
            self.build_optimizers()
        return super().evaluate(x, y, batch_size, verbose, sample_weight, steps, **kwargs)

    @in_one_line
    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """As in Keras; images may be given as `fit` takes them."""
        x = as_array(x)
        x = to_unit(self._checked(x)[0]) if is_array(x) else self._source(x)
        return super().predict(x, batch_size, verbose, steps, callbacks)

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """As in Keras: one step of training on this batch."""
        self._assert_compile_called("train_on_batch")
        self.build_optimizers()
        self._living.refresh()
        x, y, sample_weight = map(as_array, (x, y, sample_weight))
        if is_array(x):
            x, y, sample_weight = self._checked(x, y, sample_weight, class_weight)
            x, class_weight = to_unit(x), None
        return super().train_on_batch(x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """As in Keras: the loss and its terms on this batch."""
        self._living.refresh()
        x, y, sample_weight = map(as_array, (x, y, sample_weight))
        if is_array(x):
            x, y, sample_weight = self._checked(x, y, sample_weight)
            x = to_unit(x)
        return super().test_on_batch(x, y, sample_weight, return_dict)

    def predict_on_batch(self, x):
        """As in Keras; images may be given as `fit` takes them."""
        x = as_array(x)
        return super().predict_on_batch(to_unit(self._checked(x)[0]) if is_array(x) else x)

    def as_input(self, x):
        """An array or list of images by the rule of `Code.parts.images`, checked."""
        return checked_images(x, self.input_image_shape, self.any_range)

    def as_unit(self, x):
        """A batch as a tensor of intensities, in the dtype of the weights."""
        return unit_batch(x, self.input_image_shape, self.variable_dtype)

    def _checked(self, x, y=None, sample_weight=None, class_weight=None):
        given, x = x, self.as_input(x)
        y = checked_labels(None if y is given else y, x, self.n_labels_told)
        return x, y, checked_weights(sample_weight, class_weight, x, y)

    def _source(self, source):
        n_classes = self.n_labels_told
        return checked_source(source, self.input_image_shape, self.any_range, n_classes)

    def train_step(self, *args):
        if is_pass(args[-1]):
            return self._one_pass(args[-1], self.update)
        return self._one_batch(args, self.update)

    def test_step(self, *args):
        def step(x, y):
            return self.all_terms(x, y, training=False)

        if is_pass(args[-1]):
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
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)

        def report():
            with unrecorded():
                terms = self._step_on(step, x, y, weights)
            for tracker in self.metrics:
                tracker.update_state(terms[tracker.name])
            return {tracker.name: tracker.result() for tracker in self.metrics}

        if keras.backend.backend() == "jax":
            return with_values(self._carried(len(state[0])), state[0], report)
        return report()

    def _step_on(self, step, x, y, weights):
        """``step(x, y)`` on intensities, weighted, with the hyperparameters as they are now."""
        self._weights_of_batch = weights
        try:
            with self._living.values():
                return step(self.as_unit(x), y)
        finally:
            self._weights_of_batch = None

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
        """Apply ``function`` to all of ``x`` in batches: few calls of one graph, traced once.

        Parameters
        ----------
        name : name of the function, under which its graph is kept.
        function : tensor ``(batch, ...)`` → tensor ``(batch, ...)``.
        x : array ``(n, ...)``: uint8 values are intensities, scaled to [0, 1] on the device. Values
            are not checked, since they may be codes as well: that is for `encode` and its like.
        """
        x = np.asarray(x)
        x = x if x.dtype == np.uint8 else x.astype(np.float32, copy=False)
        if _on_tensorflow():
            return self._graph(name, function, x)(x, batch_size)
        parts = [x[i : i + batch_size] for i in range(0, len(x), batch_size)]
        found = [self._full(function(ops.convert_to_tensor(to_unit(part)))) for part in parts]
        return np.concatenate([ops.convert_to_numpy(part) for part in found])

    def _graph(self, name, function, x):
        """The function ``(array, batch size) -> array`` that applies ``function`` in batches."""
        key = f"{name} {x.dtype} {x.shape[1:]}"
        if not hasattr(self._compiled, key):

            def step(part):
                return self._full(function(intensities(part, self.variable_dtype)))

            setattr(self._compiled, key, in_one_call(step, x.shape[1:], x.dtype))
        return getattr(self._compiled, key)

    def _full(self, values):
        """Values in the dtype of the weights, where a policy computes them in another."""
        same = keras.backend.standardize_dtype(values.dtype) == self.variable_dtype
        return values if same else ops.cast(values, self.variable_dtype)

    def _one_pass(self, data, step):
        """Run ``step`` over every batch of a pass and report the means over its images."""
        import tensorflow as tf

        batches, last = data["batches"], data.get("last")

        def sums_of(batch):
            given = (batch.get(name) for name in ("images", "labels", "weights"))
            terms = self._step_on(step, *given)
            sums = (tf.reduce_sum(terms[tracker.name]) for tracker in self.metrics)
            return [
                total if total.dtype == tf.float32 else tf.cast(total, tf.float32) for total in sums
            ]

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


def epoch_passes(x, y, batch_size, shuffle=True, weights=None):
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

    arrays = tf.data.Dataset.from_tensors(_arrays(x, y, weights)).cache().repeat()
    passes = tf.data.Dataset.zip(arrays, tf.data.Dataset.counter()).map(one_epoch)
    # The next epoch is shuffled while this one trains
    return _as_is(passes.prefetch(1))


def evaluation_passes(x, y=None, batch_size=EVALUATION_BATCH, weights=None):
    """A ``tf.data.Dataset`` of the data in its own order, with several big batches per element.

    If the number of images allows it, every element holds 10,000 images, so that one compiled call
    serves both the training and the test images of MNIST; any other data is one element. All
    elements hold equally many images, so the mean of their means is the mean over the images.
    """
    import tensorflow as tf

    n = len(x)
    size = EVALUATION_PASS if n % EVALUATION_PASS == 0 else n
    passes = {
        name: array.reshape(-1, size, *array.shape[1:])
        for name, array in _arrays(x, y, weights).items()
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


def _arrays(x, y, weights=None):
    x = np.asarray(x)
    arrays = {"images": x if x.dtype == np.uint8 else x.astype(np.float32, copy=False)}
    if y is not None:
        arrays["labels"] = np.asarray(y, dtype=np.int32)
    if weights is not None:
        arrays["weights"] = np.asarray(weights, dtype=np.float32)
    return arrays


def _without_nones(data):
    """``(x, y, weights)`` without what is None at its end, as Keras takes it."""
    data = list(data)
    while len(data) > 1 and data[-1] is None:
        data.pop()
    return tuple(data) if len(data) > 1 else data[0]


def _steps(x, batch_size, epochs, each=None):
    """The number of steps of a training if it is known beforehand, otherwise 0."""
    if each is None and is_array(x):
        each = -(-len(x) // batch_size)
    if each is None and hasattr(x, "cardinality"):
        each = max(0, int(x.cardinality()))
    return epochs * (each or 0)


def _on_tensorflow():
    return keras.backend.backend() == "tensorflow"
