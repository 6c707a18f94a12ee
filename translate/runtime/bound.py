"""A session whose inputs and outputs have places on its device, which are used again for pictures of the same size.

Nothing is then allocated from run to run, and CUDA can record a whole run and replay it as one graph, which wants fixed
places. What is copied is what the model takes: pixels as uint8 where it has them inside (`pixturn export --pixels`).

What it costs is memory: the places, which are bounded. CUDA graphs cost more. They are recorded by a session of their
own, which holds the weights a second time; and a graph stays, with the memory that it computes in, for as long as that
session, though its place is given up.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from numpy.typing import NDArray

from translate.runtime.providers import Provider
from translate.runtime.session import new_session

Binding = Literal["no", "yes", "graphs"]
"""Whether memory is bound; `graphs` replays CUDA graphs on it."""

MOST_PLACES: Final = 8
"""Sizes whose places are kept; those that were used longest ago are given up for others."""
MOST_BYTES: Final = 2**30
"""What those places may take together: 8 pictures of 2048 px, in float32, as they go in and come out. A size that takes
more is kept, alone."""
_NO_GRAPH: Final = "-1"
_Key = tuple[tuple[str, ...], tuple[tuple[str, tuple[int, ...], str], ...]]

_log = logging.getLogger(__name__)


class BoundSession:
    """Stands in for a session: `run` gives what `onnxruntime.InferenceSession.run` gives, to the last bit.

    Args:
        session: of ONNX Runtime.
        device: where its memory lies: cpu, or cuda (also for TensorRT).
        replays: whether the session was opened for CUDA graphs; the first sizes that come get one each.
    """

    def __init__(self, session: Any, device: Literal["cpu", "cuda"], *, replays: bool = False) -> None:  # noqa: ANN401 - onnxruntime has no types
        self._session, self._device, self._replays = session, device, replays
        self._places = OrderedDict[_Key, _Place]()
        self._recorded = 0
        self._alone = threading.Lock()

    def run(self, output_names: Sequence[str], given: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Outputs in the order of their names; arrays of their own, which later runs leave alone."""
        shapes = tuple((name, array.shape, array.dtype.str) for name, array in given.items())
        key = (tuple(output_names), shapes)
        with self._alone:  # the places are everybody's
            place = self._places.pop(key, None) or self._new_place(output_names, given)
            made = place.run(given)
            self._make_room(place.size_bytes)  # only now is known what comes out
            self._places[key] = place  # not before: a run that failed leaves no place
            return made

    def _new_place(self, output_names: Sequence[str], given: Mapping[str, NDArray[Any]]) -> "_Place":
        self._make_room(_size_bytes(given.values()))  # first of all, for its memory
        # A graph is kept by the session for good, and its number with it.
        graph = str(self._recorded) if self._replays and self._recorded < MOST_PLACES else _NO_GRAPH
        self._recorded += graph != _NO_GRAPH
        return _Place(self._session, self._device, output_names, given, graph=graph)

    def _make_room(self, coming_bytes: int) -> None:
        """Give up places for one more."""
        while self._places and (len(self._places) >= MOST_PLACES or self._kept_bytes + coming_bytes > MOST_BYTES):
            self._places.popitem(last=False)

    @property
    def _kept_bytes(self) -> int:
        return sum(place.size_bytes for place in self._places.values())


class _Place:
    """Memory for inputs and outputs of certain shapes."""

    def __init__(
        self,
        session: Any,  # noqa: ANN401
        device: str,
        output_names: Sequence[str],
        given: Mapping[str, NDArray[Any]],
        *,
        graph: str,
    ) -> None:
        from onnxruntime import OrtValue

        self._session, self._names, self._graph = session, output_names, graph
        self._binding = session.io_binding()
        self._inputs = {
            name: OrtValue.ortvalue_from_shape_and_type(array.shape, array.dtype, device, 0)
            for name, array in given.items()
        }
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        for name in output_names:
            self._binding.bind_output(name, device)
        self._outputs: list[Any] = []
        self.size_bytes = _size_bytes(given.values())

    def run(self, given: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        for name, value in self._inputs.items():
            value.update_inplace(given[name])
        if self._outputs:
            self._session.run_with_iobinding(self._binding, _options(self._graph))
        else:
            self._first_run()
        made = [_own(value.numpy()) for value in self._outputs]
        self.size_bytes = _size_bytes([*given.values(), *made])
        return made

    def _first_run(self) -> None:
        """The session makes room for the outputs, whose shapes it alone knows; that room is theirs from then on."""
        self._session.run_with_iobinding(self._binding, _options(_NO_GRAPH))
        self._outputs = self._binding.get_outputs()
        for name, value in zip(self._names, self._outputs, strict=True):
            self._binding.bind_ortvalue_output(name, value)


def session_for_graphs(data: bytes, providers: Sequence[Provider]) -> Any | None:  # noqa: ANN401
    """A session on CUDA that records graphs; None, with a warning, where the model cannot be recorded."""
    recording = [
        (name, {**options, "enable_cuda_graph": "1"} if _is_cuda(name) else options) for name, options in providers
    ]
    try:
        return new_session(data, recording)
    except Exception as problem:  # ONNX Runtime's errors have no base class of their own
        _log.warning("This model cannot be replayed as a CUDA graph, and runs without: %s", problem)
        return None


def _size_bytes(arrays: Iterable[NDArray[Any]]) -> int:
    return sum(array.nbytes for array in arrays)


def _own(array: NDArray[Any]) -> NDArray[Any]:
    """Out of a CPU's place comes a view of it, out of a GPU's a copy."""
    return array if array.flags.owndata else array.copy()


def _is_cuda(provider: str) -> bool:
    return provider == "CUDAExecutionProvider"


def _options(graph: str) -> Any:  # noqa: ANN401
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("gpu_graph_id", graph)
    return options
