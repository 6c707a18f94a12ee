"""Runs an `.onnx` file with ONNX Runtime: the card is inside, and no torch is needed."""

import contextlib
import ctypes
import io
import logging
import sys
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from translate.card import Card
from translate.errors import DeviceError, ModelError
from translate.runtime.base import Arrays
from translate.runtime.extras import require_onnxruntime

CARD_KEY: Final = "pixturn.card"
"""Where the card's JSON lies in the model's metadata."""

OnnxDevice = Literal["auto", "cpu", "cuda"]

_CUDA: Final = "CUDAExecutionProvider"
_CPU: Final = "CPUExecutionProvider"
_DRIVER: Final = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
_ERRORS_ONLY: Final = 3

_log = logging.getLogger(__name__)


class OnnxRuntime:
    """One `.onnx` file on one device; `device` says which one `auto` took.

    Args:
        path: the file. Its bytes are read once, and tensors in other files are not followed.
        device: `cuda` is CUDA or an error, never the CPU in silence; `auto` takes CUDA where it works.

    Raises:
        ConfigurationError: ONNX Runtime is not installed, or twice.
        ModelError: the file is not there, is no model, or is none of Pixturn's.
        DeviceError: CUDA was asked for and the session does not have it.
    """

    def __init__(self, path: str | Path, *, device: OnnxDevice = "auto") -> None:
        require_onnxruntime()
        self._session = _session(Path(path), _providers(device))
        self.device = _device(self._session, device)
        self.card = _card(self._session, Path(path))

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.float32]]:
        """Outputs by port name; see Runtime."""
        names = [port.name for port in self.card.outputs]
        given = {port.name: inputs[port.name] for port in self.card.inputs}
        return dict(zip(names, self._session.run(names, given), strict=True))


def _providers(device: OnnxDevice) -> list[str]:
    """What to ask a session for, the best first. Raises DeviceError where CUDA is wanted and not built in."""
    import onnxruntime

    built_in = _CUDA in onnxruntime.get_available_providers()
    if device == "cuda" and not built_in:
        raise DeviceError(
            "--device cuda: the installed onnxruntime is built for CPUs alone: pip uninstall -y onnxruntime, then "
            "pip install 'pixturn[gpu]'; or use --device cpu"
        )
    # Without a driver, asking for CUDA costs time and prints errors, and ends on the CPU all the same.
    if device == "cpu" or not built_in or (device == "auto" and not _has_driver()):
        return [_CPU]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find; the session says so too
        onnxruntime.preload_dlls()
    return [_CUDA, _CPU]


def _has_driver() -> bool:
    try:
        ctypes.CDLL(_DRIVER)
    except OSError:
        return False
    return True


def _session(path: Path, providers: list[str]) -> Any:  # noqa: ANN401 - onnxruntime has no types
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=providers)
    except OSError as problem:
        raise ModelError(f"{path} cannot be read: {problem.strerror}") from problem
    except Exception as problem:  # ONNX Runtime's errors have no base class of their own
        raise ModelError(f"{path} is no model that ONNX Runtime can run: {problem}") from problem


def _device(session: Any, wanted: OnnxDevice) -> OnnxDevice:  # noqa: ANN401
    """What the session runs on: asked for CUDA, ONNX Runtime takes the CPU without an error where that fails."""
    if session.get_providers()[0] == _CUDA:
        return "cuda"
    if wanted == "cuda":
        raise DeviceError(
            "--device cuda: ONNX Runtime could not start CUDA and would run on the CPU. Look at the driver with "
            "nvidia-smi and at the libraries that onnxruntime-gpu asks for, or use --device cpu"
        )
    if wanted == "auto" and _has_driver():
        _log.warning("There is a CUDA driver, but ONNX Runtime could not start CUDA: this runs on the CPU")
    return "cpu"


def _card(session: Any, path: Path) -> Card:  # noqa: ANN401
    text = session.get_modelmeta().custom_metadata_map.get(CARD_KEY)
    if text is None:
        raise ModelError(f"{path} has no card ({CARD_KEY!r} in its metadata), so it was not exported by Pixturn")
    card = Card.from_json(text)
    _require_names(path, "inputs", [port.name for port in card.inputs], [port.name for port in session.get_inputs()])
    _require_names(path, "outputs", [port.name for port in card.outputs], [port.name for port in session.get_outputs()])
    return card


def _require_names(path: Path, which: str, on_card: list[str], in_model: list[str]) -> None:
    if sorted(on_card) != sorted(in_model):
        raise ModelError(f"{path}: its card names the {which} {on_card}, and its graph {in_model}; export it again")
