"""Hyperparameters that may be changed during a training, and those that may not.

What a step reads from its model, TensorFlow traces as a constant. A number that has been changed
once becomes a variable, so that a further change costs nothing: KL annealing sets β every epoch.
"""

import contextlib
import numbers

import keras

from Code.parts.schedules import InProportion

_OF_KERAS = ("name", "trainable", "dtype")


class Rate:
    """A learning rate as an attribute: whoever sets it sets it in these optimisers too, at once.

    Where it falls in proportion to another (`Code.parts.schedules`), it is the rate at the start.

    Parameters
    ----------
    optimizers : names of the attributes that hold them; those that are not there yet are left out.
    """

    def __init__(self, *optimizers):
        self.optimizers = optimizers

    def __set_name__(self, owner, name):
        self.place = f"_{name}"

    def __get__(self, model, owner=None):
        return self if model is None else getattr(model, self.place)

    def __set__(self, model, rate):
        vars(model)[self.place] = rate
        for name in self.optimizers:
            if name in vars(model):
                optimizer = getattr(model, name)
                schedule = optimizer._learning_rate
                if isinstance(schedule, InProportion):
                    schedule.rate.assign(rate)
                else:
                    optimizer.learning_rate = rate


class Living:
    """Watches the hyperparameters of one model; see ``WholeEpochModel.live``.

    Attributes
    ----------
    names : the model's ``live`` ones and those of its base classes.
    traced : ``{name: value}`` as the compiled functions have them, or None before the first.
    variables : ``{name: variable}`` of the numbers that have been changed.
    """

    def __init__(self, model):
        self.model = model
        parents = type(model).__mro__
        self.names = list(dict.fromkeys(n for c in parents for n in vars(c).get("live", ())))
        self.traced, self.variables, self.built_in = None, {}, frozenset()

    def seal(self):
        """From now on, what is built into the networks cannot be changed any more."""
        rates = {n for c in type(self.model).__mro__ for n, v in vars(c).items() if type(v) is Rate}
        self.built_in = frozenset(self.model.get_config()) - {*self.names, *rates, *_OF_KERAS}

    def check(self, name, value):
        """Raise an error if ``name`` is built into the networks and ``value`` is another.

        Raises
        ------
        ValueError
            If a change would have no effect.
        """
        if name in self.built_in and getattr(self.model, name) != value:
            raise ValueError(
                f"{name} is built into this {type(self.model).__name__} and cannot be changed; "
                "make a new model (or, if the loss reads it, name it in the class's `live`)"
            )

    def refresh(self):
        """Let changed hyperparameters act; return whether the functions must be made anew."""
        model = self.model
        now = {name: getattr(model, name) for name in self.names}
        if self.traced is None or (model.train_function is None and model.test_function is None):
            # They will be traced as they are now; an earlier variable has another value
            self.traced, self.variables = now, {}
            return False
        before, self.traced = self.traced, now
        changed = [name for name, value in now.items() if _differs(value, before[name])]
        anew = False
        for name in changed:
            if name in self.variables and isinstance(now[name], numbers.Real):
                self.variables[name].assign(now[name])
                continue
            self.variables.pop(name, None)
            anew = True
            if _may_vary(now[name], before[name]):
                self.variables[name] = keras.Variable(now[name], dtype="float32", trainable=False)
        if anew:
            model.train_function = model.test_function = None
        return anew

    @contextlib.contextmanager
    def values(self):
        """A context in which the model's attributes are the variables, while a step is traced."""
        own = vars(self.model)
        before = {name: own[name] for name in self.variables}
        # Not by setattr: Keras would take them for weights of the model
        own.update(self.variables)
        try:
            yield
        finally:
            own.update(before)

    def watching(self, callbacks):
        """These callbacks and, after them, one that looks for changes before every epoch."""
        if not self.names:
            return callbacks
        watcher = keras.callbacks.LambdaCallback(on_epoch_begin=self._on_epoch_begin)
        self.refresh()
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(watcher)
            return callbacks
        if callbacks is None:
            return [watcher]
        return [*(callbacks if isinstance(callbacks, list | tuple) else [callbacks]), watcher]

    def _on_epoch_begin(self, epoch, logs=None):
        if self.refresh():
            self.model.make_train_function()


def _may_vary(value, before):
    """Whether TensorFlow can compute with a variable in its place: a real number, not a count."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return real and isinstance(before, float) and keras.backend.backend() == "tensorflow"


def _differs(one, other):
    if isinstance(one, keras.Variable) or isinstance(other, keras.Variable):
        return one is not other
    return type(one) is not type(other) or one != other
