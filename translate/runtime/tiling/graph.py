"""An `.onnx` model's graph, as what tiling asks of it: its layers, its constants, and the kinds of its maps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from translate.errors import ModelError

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One node of the graph with its attributes; `inputs` that are left out are empty strings."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    node: "NodeProto"

    def refused(self, why: str) -> ModelError:
        """The error for a layer that cannot be cut into tiles, ready to be raised."""
        return ModelError(f"This model cannot be run in tiles: its layer {self.op} {self.name!r} {why}")


class Graph:
    """Layers in an order in which they can be computed, constants, and types.

    Args:
        model: a checked model. It is not changed.

    Raises:
        ModelError: it is no valid ONNX model.
    """

    def __init__(self, model: "ModelProto") -> None:
        graph = _inferred(model).graph
        self.opsets = list(model.opset_import)
        self.ir_version = model.ir_version
        self.initializers: dict[str, TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
        self.inputs = [each.name for each in graph.input if each.name not in self.initializers]
        self.outputs = [each.name for each in graph.output]
        self.layers = [_layer(node) for node in graph.node]
        self._kinds: dict[str, ValueInfoProto] = {
            each.name: each for group in (graph.input, graph.value_info, graph.output) for each in group
        }
        self._constants = _constant_names(self.layers, self.initializers)

    def is_constant(self, name: str) -> bool:
        """Whether a tensor is the same for every picture."""
        return name in self._constants

    def numbers(self, layer: Layer, index: int) -> NDArray[Any] | None:
        """The constant that is a layer's input at `index`, or None where that input is left out."""
        from onnx import numpy_helper

        if index >= len(layer.inputs) or not layer.inputs[index]:
            return None
        if layer.inputs[index] not in self.initializers:
            raise layer.refused(f"takes {layer.inputs[index]!r}, which must be stored in the file and not computed")
        return numpy_helper.to_array(self.initializers[layer.inputs[index]])

    def shape(self, name: str) -> Sequence[int]:
        """Lengths along the axes, 0 where they depend on the picture. Raises ModelError where nothing is known."""
        if name in self.initializers:
            return tuple(self.initializers[name].dims)
        kind = self._kinds.get(name)
        if kind is None or not kind.type.tensor_type.HasField("shape"):
            raise ModelError(f"This model cannot be run in tiles: the shape of {name!r} is unknown; export it again")
        return tuple(axis.dim_value for axis in kind.type.tensor_type.shape.dim)

    def channels(self, name: str) -> int:
        """Channels of a map. Raises ModelError for what is no N x C x H x W, or of unknown C."""
        shape = self.shape(name)
        if len(shape) != 4 or shape[1] < 1:
            raise ModelError(f"This model cannot be run in tiles: {name!r} is not a map of known channels: {shape}")
        return shape[1]

    def element(self, name: str) -> int:
        """ONNX's number for the type of a tensor's elements."""
        return self._kinds[name].type.tensor_type.elem_type

    def dtype(self, name: str) -> np.dtype[Any]:
        """The type of a tensor's elements."""
        from onnx import helper

        return np.dtype(helper.tensor_dtype_to_np_dtype(self.element(name)))


def read_graph(content: bytes) -> Graph:
    """The graph of an `.onnx` file's bytes. Raises ModelError."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return Graph(onnx.load_from_string(content))
    except DecodeError as problem:
        raise ModelError(f"This is not an ONNX model: {problem}") from problem


def _inferred(model: "ModelProto") -> "ModelProto":
    import onnx

    try:
        return onnx.shape_inference.infer_shapes(model, check_type=True)
    except onnx.shape_inference.InferenceError as problem:
        raise ModelError(f"This model's graph is not valid: {problem}") from problem


def _layer(node: "NodeProto") -> Layer:
    from onnx import helper

    return Layer(
        op=node.op_type if not node.domain else f"{node.domain}.{node.op_type}",
        name=node.name or node.output[0],
        inputs=tuple(node.input),
        outputs=tuple(name for name in node.output if name),
        attributes={each.name: helper.get_attribute_value(each) for each in node.attribute},
        node=node,
    )


def _constant_names(layers: Sequence[Layer], initializers: Mapping[str, object]) -> set[str]:
    names = set(initializers) | {""}
    for layer in layers:
        if names.issuperset(layer.inputs):
            names.update(layer.outputs)
    return names


def without_constants(graph: Graph) -> Iterator[Layer]:
    """The layers whose outputs depend on the picture."""
    return (layer for layer in graph.layers if not all(graph.is_constant(name) for name in layer.inputs))
