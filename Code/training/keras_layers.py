"""The layers of a Keras model, described briefly enough for a box in a drawing."""

from typing import Any


def layers_of(model: Any, given: str = "Input") -> list[tuple[str, str, int, list[int]]]:
    """List the layers of a functional Keras model as (name, output shape, parameters, sources).

    Names are readable, such as "Dense 128, relu" or "Conv 3×3 ×16, relu"; an unknown layer is
    called by its class name. Shapes omit the batch, as in "28×28×16". Nested models are replaced by
    their layers, without their inputs. A layer's sources are the places in the list of the layers
    that it reads: none for an input, several for one that joins branches. Operations that are no
    layers are left out, and what reads them reads their sources. Layers that read the same and end
    there, as z_mean and z_log_var, have their own names in front.

    Parameters
    ----------
    given : name of the model's input.

    Keras is not imported; any object with the same attributes works.
    """
    found: list[tuple[Any, list[int]]] = []
    _walk(model, None, found)
    read = [source for _, sources in found for source in sources]
    rows = []
    for i, (layer, sources) in enumerate(found):
        name = given if _is_input(layer) else _name(layer)
        twins = [s for k, (_, s) in enumerate(found) if k != i and s == sources and k not in read]
        if sources and i not in read and twins:
            name = f"{layer.name}: {name}"
        rows.append((name, _shape(layer), int(layer.count_params()), sources))
    return rows


def _walk(model: Any, given: list[list[int]] | None, found: list) -> list[list[int]]:
    """Append the layers of a model whose inputs come from ``given``; return its outputs' sources.

    A source is the list of places in ``found`` that a tensor comes from.
    """
    model = getattr(model, "_functional", None) or model
    of_tensor: dict[int, list[int]] = {}
    if given is not None:
        for tensor, sources in zip(model.inputs, given, strict=True):
            of_tensor[id(tensor)] = sources
    nodes = {id(node) for depth in model._nodes_by_depth.values() for node in depth}
    for operation in model.operations:
        for node in operation._inbound_nodes:
            if id(node) not in nodes:
                continue
            outputs = node.output_tensors
            if all(id(tensor) in of_tensor for tensor in outputs):
                continue
            sources = [of_tensor[id(tensor)] for tensor in node.input_tensors]
            if hasattr(operation, "layers"):
                results = _walk(operation, sources, found)
            elif place := [i for i, (layer, _) in enumerate(found) if layer is operation]:
                # A layer that is called again is the same layer
                results = [place] * len(outputs)
            elif hasattr(operation, "count_params"):
                found.append((operation, sorted({place for source in sources for place in source})))
                results = [[len(found) - 1]] * len(outputs)
            else:
                results = [[place for source in sources for place in source]] * len(outputs)
            for tensor, result in zip(outputs, results, strict=True):
                of_tensor[id(tensor)] = result
    return [of_tensor[id(tensor)] for tensor in model.outputs]


def _is_input(layer: Any) -> bool:
    return type(layer).__name__ == "InputLayer"


def _name(layer: Any) -> str:
    # Base classes are tried too: a subclass of Dense is shown as a Dense layer.
    for base in type(layer).__mro__:
        match base.__name__:
            case "InputLayer":
                return "Input"
            case "TiedDense":
                return f"Dense {layer.units}{_activation(layer)}, tied"
            case "KeepLargest":
                return f"Keep the {layer.k} largest"
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
            case "BatchNormalization":
                return "Batch normalisation"
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
