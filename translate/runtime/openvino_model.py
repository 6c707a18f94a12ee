"""A model loaded by OpenVINO's own runtime, on the CPU."""

from functools import cache
from typing import Any, Literal

from translate.card import Card
from translate.errors import DeviceError
from translate.runtime.base import Arrays
from translate.runtime.cores import usable_cores

OpenVinoPrecision = Literal["fp32", "bf16"]

_HINTS = {"fp32": "f32", "bf16": "bf16"}


def require_precision(precision: OpenVinoPrecision) -> None:
    """Raises DeviceError where this CPU does not compute in that precision: OpenVINO would take another one."""
    if precision == "bf16" and "BF16" not in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise DeviceError("--device openvino in bf16: this CPU has no bf16 (AVX512-BF16 or AMX); take fp32")


class OpenVinoModel:
    """The model in `data`, ready to run in a precision with as many threads as this process may use cores."""

    def __init__(self, data: bytes, card: Card, precision: OpenVinoPrecision) -> None:
        self._model = core().read_model(data)
        self._settings = {
            # Without it OpenVINO takes bf16 on CPUs that have it.
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": usable_cores(),
            "NUM_STREAMS": "1",
        }
        self._names = [port.name for port in card.outputs]
        self._request = self._new_request()

    def run(self, inputs: Arrays) -> dict[str, Any]:
        """As in Runtime."""
        try:
            made = self._request.infer(dict(inputs))
        except Exception:
            # What failed for want of memory asks for as much again at the next, small picture.
            self._request = self._new_request()
            raise
        return {name: made[name] for name in self._names}

    def _new_request(self) -> Any:  # noqa: ANN401 - openvino is typed in part
        return core().compile_model(self._model, "CPU", self._settings).create_infer_request()


@cache
def core() -> Any:  # noqa: ANN401
    """One for the whole process, and never closed.

    The plugin gives the thread a stack for signals of its own; when it is closed, the thread keeps that stack, which is
    no memory any more, and the next signal (Ctrl-C, SIGTERM) ends the process with a segmentation fault.
    """
    import openvino

    return openvino.Core()
