"""Gradients and a step along them, on any of Keras's backends.

TensorFlow records operations on a tape, PyTorch on the tensors themselves. JAX differentiates
functions of values, so there a model's variables are replaced by values during differentiation.
"""

import contextlib
import functools
import math

import keras
from keras import ops


def descend(optimizer, variables, loss):
    """Take one step of ``optimizer`` that reduces the mean of ``loss()``; return ``loss()``.

    Parameters
    ----------
    variables : the variables that the step updates.
    loss : function without arguments that returns a tensor ``(batch,)``.
    """
    return descend_each([(optimizer, variables, "loss")], lambda: {"loss": loss()})["loss"]


def descend_each(steps, terms):
    """Take one step of each optimiser, each for the mean of its term, all from the same point.

    Parameters
    ----------
    steps : ``[(optimizer, variables, name of the term), ...]``.
    terms : function without arguments that returns ``{name: (batch,)}``.

    Returns
    -------
    The result of ``terms()``.
    """
    # Where gradients are of half precision, the optimiser scales the loss, and `apply` scales back
    wanted = [(name, variables, optimizer.scale_loss) for optimizer, variables, name in steps]
    found, gradients = _GRADIENTS[keras.backend.backend()](wanted, terms)
    for (optimizer, variables, _), gradient in zip(steps, gradients, strict=True):
        with _traced_in_few_operations(optimizer, variables):
            optimizer.apply(gradient, variables)
    return found


@contextlib.contextmanager
def _traced_in_few_operations(optimizer, variables):
    """A context in which Adam's step is traced in far fewer operations, with the same numbers.

    Keras computes what is equal for all variables anew for each, and each operation through three
    layers of its own: half the time in which TensorFlow traces a training, and a quarter of XLA's.
    """
    plain = type(optimizer) in (keras.optimizers.Adam, keras.optimizers.AdamW)
    if (
        keras.backend.backend() != "tensorflow"
        or not plain
        or optimizer.amsgrad
        or optimizer.gradient_accumulation_steps
        or any(variable.dtype != "float32" for variable in variables)
    ):
        yield
        return
    # Not by setattr: Keras looks through every attribute that is set for variables to save
    vars(optimizer)["_backend_update_step"] = functools.partial(_adam_step, optimizer)
    try:
        yield
    finally:
        del vars(optimizer)["_backend_update_step"]


def _adam_step(optimizer, gradients, variables, learning_rate):
    """Kingma & Ba 2015, algorithm 1 in the order of section 2's last paragraph, as Keras has it."""
    import tensorflow as tf

    t = tf.cast(optimizer.iterations.value + 1, tf.float32)
    beta_1, beta_2 = optimizer.beta_1, optimizer.beta_2
    rate = tf.cast(learning_rate, tf.float32)
    alpha = rate * tf.sqrt(1 - tf.pow(beta_2, t)) / (1 - tf.pow(beta_1, t))
    for g, variable in zip(gradients, variables, strict=True):
        g, i = tf.convert_to_tensor(g), optimizer._get_variable_index(variable)
        m, v = optimizer._momentums[i].value, optimizer._velocities[i].value
        m.assign_add((g - m) * (1 - beta_1), read_value=False)
        v.assign_add((tf.square(g) - v) * (1 - beta_2), read_value=False)
        step = m * alpha / (tf.sqrt(v) + optimizer.epsilon)
        variable.value.assign_sub(step, read_value=False)


def build(optimizer, variables):
    """Create an optimiser's variables if they do not exist yet."""
    if not optimizer.built:
        optimizer.build(variables)


def unrecorded():
    """A context in which PyTorch records no operations; `descend` still records its own."""
    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    return torch.no_grad()


def _by_tensorflow(wanted, terms):
    import tensorflow as tf

    values = [[variable.value for variable in variables] for _, variables, _ in wanted]
    with tf.GradientTape(persistent=len(wanted) > 1, watch_accessed_variables=False) as tape:
        tape.watch(values)
        found = terms()
        means = [scale(ops.mean(found[name])) for name, _, scale in wanted]
    return found, [tape.gradient(*pair) for pair in zip(means, values, strict=True)]


def _by_torch(wanted, terms):
    import torch

    with torch.enable_grad():
        found = terms()
        means = [scale(ops.mean(found[name])) for name, _, scale in wanted]
    gradients = [
        torch.autograd.grad(
            mean, [variable.value for variable in variables], retain_graph=True, allow_unused=True
        )
        for mean, (_, variables, _) in zip(means, wanted, strict=True)
    ]
    return {name: value.detach() for name, value in found.items()}, gradients


def _by_jax(wanted, terms):
    import jax

    variables = list({id(v): v for _, group, _ in wanted for v in group}.values())
    assigned = []

    def of_values(values):
        with _Inner(zip(variables, values, strict=True)) as scope:
            found = terms()
            means = [scale(ops.mean(found[name])) for name, _, scale in wanted]
        assigned[:] = scope.assigned.values()
        return means, (found, [scope.get_current_value(variable) for variable in assigned])

    values = [variable.value for variable in variables]
    means, pull, (found, new) = jax.vjp(of_values, values, has_aux=True)
    for variable, value in zip(assigned, new, strict=True):
        variable.assign(value)
    gradients = []
    for i, (_, group, _) in enumerate(wanted):
        (pulled,) = pull([ops.full_like(mean, float(i == j)) for j, mean in enumerate(means)])
        of = {id(variable): one for variable, one in zip(variables, pulled, strict=True)}
        gradients.append([of[id(variable)] for variable in group])
    return found, gradients


_GRADIENTS = {"tensorflow": _by_tensorflow, "torch": _by_torch, "jax": _by_jax}


class _Inner(keras.StatelessScope):
    """A scope within a scope: it takes values that it does not hold from the outer scope.

    Attributes
    ----------
    assigned : the variables that were assigned in this scope, by their identity.
    """

    def __init__(self, values):
        super().__init__(list(values))
        self.assigned = {}

    def get_current_value(self, variable):
        value = super().get_current_value(variable)
        if value is None and self.original_scope is not None:
            value = self.original_scope.get_current_value(variable)
        return value

    def add_update(self, update):
        variable, _ = update
        self.assigned[id(variable)] = variable
        super().add_update(update)


def unit_gradients(function, x):
    """The gradient of each output unit of ``function`` with respect to x, itself differentiable.

    Parameters
    ----------
    function : callable ``(batch, ...)`` → ``(batch, ...)`` of static size; each image's output
        depends on that image alone.
    x : tensor ``(batch, ...)``.

    Returns
    -------
    One tensor of x's shape per unit of the output.
    """

    def units_of(x):
        values = function(x)
        size = math.prod(values.shape[1:])
        return ops.unstack(ops.reshape(values, (-1, size)), size, axis=1)

    return _UNIT_GRADIENTS[keras.backend.backend()](units_of, ops.convert_to_tensor(x))


def _unit_gradients_by_tensorflow(units_of, x):
    import tensorflow as tf

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        units = units_of(x)
    return [tape.gradient(unit, x, unconnected_gradients="zero") for unit in units]


def _unit_gradients_by_torch(units_of, x):
    import torch

    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        return [
            torch.autograd.grad(unit.sum(), x, create_graph=True, materialize_grads=True)[0]
            for unit in units_of(x)
        ]


def _unit_gradients_by_jax(units_of, x):
    import jax

    units, pull = jax.vjp(units_of, x)
    return [
        pull([ops.full_like(unit, float(i == j)) for j, unit in enumerate(units)])[0]
        for i in range(len(units))
    ]


_UNIT_GRADIENTS = {
    "tensorflow": _unit_gradients_by_tensorflow,
    "torch": _unit_gradients_by_torch,
    "jax": _unit_gradients_by_jax,
}


def with_values(variables, values, step):
    """Run ``step()`` with other values for the variables, which themselves do not change (JAX).

    Parameters
    ----------
    variables, values : lists of lists, as Keras's trainer for JAX passes its state.

    Returns
    -------
    The result of ``step()``, and the values after it as a tuple of lists.
    """
    pairs = [
        pair
        for group, state in zip(variables, values, strict=True)
        for pair in zip(group, state, strict=True)
    ]
    with keras.StatelessScope(pairs) as scope:
        result = step()
    return result, tuple([scope.get_current_value(v) for v in group] for group in variables)
