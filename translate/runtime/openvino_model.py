"""A model loaded by OpenVINO's own runtime, on the CPU."""

from functools import cache
from typing import Any, Final, Literal

from numpy.typing import NDArray

from translate.errors import DeviceError
from translate.runtime.base import Arrays
from translate.runtime.cores import usable_cores

Compute = Literal["fp32", "bf16"]
"""What floating-point layers compute in; a file may hold fp16 or int8 besides, as its card says."""

_HINTS: Final = {"fp32": "f32", "bf16": "bf16"}


def require_compute(compute: Compute) -> None:
    """Raises DeviceError where this CPU does not compute in that: OpenVINO would take something else."""
    if compute == "bf16" and "BF16" not in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise DeviceError("--device openvino in bf16: this CPU has no bf16 (AVX512-BF16 or AMX); take fp32")


class OpenVinoModel:
    """The model in `data`, ready to run, with as many threads as this process may use cores."""

    def __init__(self, data: bytes, compute: Compute) -> None:
        self._model = core().read_model(data)
        self._settings = {
            # Without it OpenVINO takes bf16 on CPUs that have it.
            "INFERENCE_PRECISION_HINT": _HINTS[compute],
            "INFERENCE_NUM_THREADS": usable_cores(),
            "NUM_STREAMS": "1",
        }
        self._request = self._new_request()

    def run(self, inputs: Arrays) -> dict[str, Any]:
        """All outputs of the graph by name, for inputs by name."""
        try:
            made = self._request.infer(dict(inputs))
        except Exception:
            # What failed for want of memory asks for as much again at the next, small picture.
            self._request = self._new_request()
            raise
        return {name: made[name] for output in self._model.outputs for name in output.names}

    def _new_request(self) -> Any:  # noqa: ANN401 - openvino is typed in part
        return core().compile_model(self._model, "CPU", self._settings).create_infer_request()


class OpenVinoPiece:
    """A piece of a model, in the words of a session of ONNX Runtime: see `translate.runtime.tiling`."""

    def __init__(self, content: bytes, *, compute: Compute) -> None:
        self._model = OpenVinoModel(content, compute)

    def run(self, output_names: list[str], input_feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """The outputs, in the order of their names."""
        made = self._model.run(input_feed)
        return [made[name] for name in output_names]


@cache
def core() -> Any:  # noqa: ANN401
    """One for the whole process, and never closed.

    The plugin gives the thread a stack for signals of its own; when it is closed, the thread keeps that stack, which is
    no memory any more, and the next signal (Ctrl-C, SIGTERM) ends the process with a segmentation fault.
    """
    import openvino

    return openvino.Core()
