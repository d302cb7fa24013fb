"""The layers of a Keras model, described briefly enough for a box in a drawing."""

from collections.abc import Iterator
from typing import Any


def layers_of(model: Any) -> list[tuple[str, str, int]]:
    """List the layers of a functional Keras model as (name, output shape, parameters), in order.

    Names are readable, such as "Dense 128, relu" or "Conv 3×3 ×16, relu"; an unknown layer is
    called by its class name. Shapes omit the batch, as in "28×28×16". Nested models are
    replaced by their layers, without their inputs. Layers that read the same tensor side by side
    become one row, as in "z_mean ∥ z_log_var: Dense 2" with the shape "2 ∥ 2".

    Keras is not imported; any object with the same attributes works.
    """
    rows = []
    group: list[Any] = []
    for layer in _flat(model):
        if group and not _side_by_side(group[-1], layer):
            rows.append(_row(group))
            group = []
        group.append(layer)
    if group:
        rows.append(_row(group))
    return rows


def _flat(model: Any, nested: bool = False) -> Iterator[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _flat(layer, nested=True)
        elif not (nested and type(layer).__name__ == "InputLayer"):
            yield layer


def _side_by_side(one: Any, other: Any) -> bool:
    tensors = [getattr(layer, "input", None) for layer in (one, other)]
    return tensors[0] is not None and tensors[0] is tensors[1]


def _row(group: list[Any]) -> tuple[str, str, int]:
    kinds = [_name(layer) for layer in group]
    weights = sum(int(layer.count_params()) for layer in group)
    shape = " ∥ ".join(_shape(layer) for layer in group)
    if len(group) == 1:
        return kinds[0], shape, weights
    if len(set(kinds)) == 1:
        return f"{' ∥ '.join(layer.name for layer in group)}: {kinds[0]}", shape, weights
    return " ∥ ".join(kinds), shape, weights


def _name(layer: Any) -> str:
    # Base classes are tried too: a subclass of Dense is shown as a Dense layer.
    for base in type(layer).__mro__:
        match base.__name__:
            case "InputLayer":
                return "Input"
            case "Dense":
                return f"Dense {layer.units}{_activation(layer)}"
            case "UpConv2D":
                size = _times(layer.kernel_size)
                return f"Up-sample 2×2, conv {size} ×{layer.filters}{_activation(layer)}"
            case "Conv2D" | "Conv2DTranspose" as kind:
                word = "Conv" if kind == "Conv2D" else "Transposed conv"
                stride = "" if set(layer.strides) == {1} else f", stride {_times(layer.strides)}"
                size = _times(layer.kernel_size)
                return f"{word} {size} ×{layer.filters}{stride}{_activation(layer)}"
            case "MaxPooling2D":
                return f"Max-pool {_times(layer.pool_size)}"
            case "AveragePooling2D":
                return f"Mean-pool {_times(layer.pool_size)}"
            case "ZeroPadding2D":
                return "Border of zeros"
            case "Cropping2D":
                return "Crop"
            case "UpSampling2D":
                return f"Up-sample {_times(layer.size)}"
            case "Activation":
                return f"Activation{_activation(layer).replace(',', '')}"
            case "Dropout":
                return f"Dropout {layer.rate:g}"
    return type(layer).__name__


def _activation(layer: Any) -> str:
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", None) or getattr(activation, "name", "")
    return "" if name in ("", "linear") else f", {name}"


def _times(sizes: Any) -> str:
    sizes = (sizes,) if isinstance(sizes, int) else sizes
    return "×".join(str(size) for size in sizes)


def _shape(layer: Any) -> str:
    outputs = layer.output
    if not isinstance(outputs, list | tuple):
        outputs = [outputs]
    return " ∥ ".join(_times(output.shape[1:]) or "1" for output in outputs)
