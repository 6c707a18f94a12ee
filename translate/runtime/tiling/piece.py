"""One stage as a model of its own, ready to be run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from translate.errors import ModelError, PixturnError
from translate.runtime.failures import failed_run
from translate.runtime.tiling.graph import Graph
from translate.runtime.tiling.stages import Stage

if TYPE_CHECKING:
    from onnx import ValueInfoProto

Feed = Mapping[str, NDArray[Any]]


class Session(Protocol):
    """What runs a model: onnxruntime.InferenceSession, or what stands in for it."""

    def run(self, output_names: list[str], input_feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """The outputs, in the order of their names."""
        ...


class OpenSession(Protocol):
    """Starts a session, on whatever device its maker means, from a model's bytes."""

    def __call__(self, content: bytes, /) -> Session:
        """A session. Raises ModelError, or DeviceError."""
        ...


class Piece:
    """Runs one stage on windows.

    Raises:
        ModelError: what runs models does not take this piece.
    """

    def __init__(self, graph: Graph, stage: Stage, open_session: OpenSession, device: str) -> None:
        computed = {name for layer in stage.layers for name in layer.outputs}
        self._outputs = [name for name in stage.makes if name in computed]
        used = {name for layer in stage.layers for name in layer.inputs}
        given = (*stage.reads, *(name for each in stage.statistics for name in (each.mean, each.variance)))
        self._inputs = [name for name in given if name in used]
        self._device = device
        self._session = self._open(_model(graph, stage, self._outputs), open_session) if self._outputs else None

    def run(self, feed: Feed) -> Feed:
        """The maps that the stage makes, for one window of those that it reads.

        Raises:
            StorageError, DeviceError: memory does not hold a window of this size.
            ModelError: the piece cannot be run.
        """
        if self._session is None:  # what it measures is the picture itself
            return feed
        given = {name: feed[name] for name in self._inputs}
        try:
            made = self._session.run(self._outputs, given)
        except Exception as problem:  # ONNX Runtime's errors have no base class of their own
            raise failed_run(problem, given, self._device) from problem
        return {**feed, **dict(zip(self._outputs, made, strict=True))}

    def _open(self, content: bytes, open_session: OpenSession) -> Session:
        try:
            return open_session(content)
        except PixturnError:
            raise
        except Exception as problem:  # as above
            raise ModelError(f"A piece of the model cannot be loaded for {self._device}: {problem}") from problem


def _model(graph: Graph, stage: Stage, outputs: list[str]) -> bytes:
    from onnx import helper

    layers = [*_constant_layers(graph, stage), *(layer.node for layer in stage.layers)]
    used = {name for node in layers for name in node.input}
    made = helper.make_graph(
        layers,
        "stage",
        [*(_kind(graph, name) for name in stage.reads if name in used), *_statistics(stage, used)],
        [_kind(graph, name) for name in outputs],
        [tensor for name, tensor in graph.initializers.items() if name in used],
    )
    model = helper.make_model(made, opset_imports=graph.opsets, ir_version=graph.ir_version)
    return model.SerializeToString()


def _constant_layers(graph: Graph, stage: Stage) -> list[Any]:
    """The layers that compute the stage's constants, as those that unpack weights of 8 bits."""
    wanted = {name for layer in stage.layers for name in layer.inputs if graph.is_constant(name)}
    layers: list[Any] = []
    for layer in reversed(graph.layers):
        if not wanted.isdisjoint(layer.outputs):
            layers.append(layer.node)
            wanted.update(layer.inputs)
    return layers[::-1]


def _kind(graph: Graph, name: str) -> "ValueInfoProto":
    from onnx import helper

    return helper.make_tensor_value_info(name, graph.element(name), [1, graph.channels(name), None, None])


def _statistics(stage: Stage, used: set[str]) -> list["ValueInfoProto"]:
    from onnx import helper

    return [
        helper.make_tensor_value_info(name, each.element, each.shape)
        for each in stage.statistics
        for name in (each.mean, each.variance)
        if name in used
    ]
