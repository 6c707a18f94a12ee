"""Runs an `.onnx` file with ONNX Runtime: the card is inside, and no torch is needed."""

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
_ERRORS_ONLY: Final = 3


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
        self._session = _session(Path(path), device)
        self.card = _card(self._session, Path(path))
        self.device = "cuda" if _has_cuda(self._session) else "cpu"

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.float32]]:
        """Outputs by port name; see Runtime."""
        names = [port.name for port in self.card.outputs]
        given = {port.name: inputs[port.name] for port in self.card.inputs}
        return dict(zip(names, self._session.run(names, given), strict=True))


def _session(path: Path, device: OnnxDevice) -> Any:  # noqa: ANN401 - onnxruntime has no types
    import onnxruntime

    if device == "cuda" and _CUDA not in onnxruntime.get_available_providers():
        raise DeviceError(
            "--device cuda: the installed onnxruntime is built for CPUs alone: pip uninstall -y onnxruntime, then "
            "pip install 'pixturn[gpu]'; or use --device cpu"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=_providers(onnxruntime, device))
    except OSError as problem:
        raise ModelError(f"{path} cannot be read: {problem.strerror}") from problem
    except Exception as problem:  # ONNX Runtime's errors have no base class of their own
        raise ModelError(f"{path} is no model that ONNX Runtime can run: {problem}") from problem
    if device == "cuda" and not _has_cuda(session):
        raise DeviceError(
            f"--device cuda: ONNX Runtime finds no CUDA device that works, and would run {path} on the CPU. "
            "Look at the driver with nvidia-smi, or use --device cpu"
        )
    return session


def _providers(onnxruntime: Any, device: OnnxDevice) -> list[str]:  # noqa: ANN401
    """What to ask for, the best first; where there is no GPU, asking for CUDA only prints errors."""
    found = any(entry.ep_name == _CUDA for entry in onnxruntime.get_ep_devices())
    return [_CUDA, _CPU] if device == "cuda" or (device == "auto" and found) else [_CPU]


def _has_cuda(session: Any) -> bool:  # noqa: ANN401
    """Whether the session took CUDA: it falls back to the CPU without an error."""
    return session.get_providers()[0] == _CUDA


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
        raise ModelError(f"{path}: the {which} on the card are {on_card}, those of the model {in_model}; export it again")
