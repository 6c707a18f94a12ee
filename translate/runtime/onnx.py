"""Runs an `.onnx` file with ONNX Runtime: the card is inside, and no torch is needed."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

from translate.card import Card
from translate.errors import ModelError
from translate.runtime import onnx_trial
from translate.runtime.base import Arrays
from translate.runtime.bound import Binding, BoundSession, session_for_graphs
from translate.runtime.extras import require_onnxruntime
from translate.runtime.gate import CARD_KEY
from translate.runtime.integrity import ModelFile, read_model, read_unchanged
from translate.runtime.origin import Origin
from translate.runtime.probation import Trial, require_trial
from translate.runtime.providers import CPU, OnnxDevice, Provider, device_of, providers_for, refused, warn_of_cpu
from translate.runtime.session import new_session, run_session
from translate.runtime.tiling import Tiled

__all__ = ["CARD_KEY", "OnnxDevice", "OnnxRuntime"]

_log = logging.getLogger(__name__)


class OnnxRuntime:
    """One `.onnx` file on one device; `device` says which one `auto` took.

    The file's bytes are read once, compared with the hash beside it, tried in a child process if no model with this
    hash was tried before, and then loaded. `has_known_hash` says whether there was a hash to compare with.

    Args:
        path: the file. Tensors in other files are not followed.
        device: `cuda` and `tensorrt` are that or an error, never the CPU in silence; `auto` takes CUDA where it works.
        binding: whether inputs and outputs keep their places on the device; see translate.runtime.bound. CUDA graphs
            are for CUDA, and for models that can be recorded; others are bound, with a warning.

    Raises:
        ConfigurationError: ONNX Runtime is not installed, or twice.
        ModelError: the file is not there, is damaged, is no model, or is none of Pixturn's.
        DeviceError: the device that was asked for cannot be had.
    """

    def __init__(self, path: str | Path, *, device: OnnxDevice = "auto", binding: Binding = "no") -> None:
        model = read_model(Path(path))
        require_onnxruntime()
        providers = providers_for(device)
        require_trial(model, trial_of_onnx())
        self._session = _session(model, providers, device)
        self.device = device_of(self._session.get_providers()[0])
        self.card = Card.from_json(self._session.get_modelmeta().custom_metadata_map[CARD_KEY])
        self.has_known_hash = model.has_known_hash
        self.origin = Origin.of_file(model, onnxruntime=_version())
        self._path, self._sha256 = model.path, model.sha256
        self._running = self._session if binding == "no" else self._bound(model.data, binding)

    def run(self, inputs: Arrays) -> dict[str, Any]:
        """Outputs by port name; see Runtime.

        Raises:
            StorageError, DeviceError: the memory of the machine or of the device does not hold this input.
            ModelError: the model cannot be run on such an input.
        """
        return run_session(self._running, self.card, inputs, self.device)

    def _bound(self, data: bytes, binding: Binding) -> BoundSession:
        memory = "cpu" if self.device == "cpu" else "cuda"
        if binding == "graphs" and self.device != "cuda":
            _log.warning("CUDA graphs are for --device cuda: on %s memory is bound, and nothing replayed", self.device)
        elif binding == "graphs":
            recording = session_for_graphs(data, list(self._session.get_provider_options().items()))
            if recording is not None:
                return BoundSession(recording, memory, replays=True)
        return BoundSession(self._session, memory)

    def tiled(self) -> Tiled:
        """The model on the same device in tiles. Raises ModelError for one that cannot be, or a file that changed."""
        data = read_unchanged(self._path, self._sha256)
        session = partial(new_session, providers=list(self._session.get_provider_options().items()))
        return Tiled(data, self.card, device=self.device, open_session=session)


def trial_of_onnx() -> Trial:
    """How models are tried that ONNX Runtime is to run."""
    return Trial(module=onnx_trial.__name__, engine=f"onnxruntime-{_version()}")


def _version() -> str:
    import onnxruntime

    return str(onnxruntime.__version__)


def _session(model: ModelFile, providers: list[Provider], device: OnnxDevice) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """A session on the device; `auto` may still end on the CPU, and says so."""
    try:
        session = new_session(model.data, providers)
    except Exception as problem:  # ONNX Runtime's errors have no base class of their own
        if providers == [CPU]:
            raise ModelError(f"{model.path} cannot be loaded by ONNX Runtime: {problem}") from problem
        return _on_cpu(model, device, str(problem))
    if session.get_providers()[0] != providers[0][0]:
        return _on_cpu(model, device, "ONNX Runtime left it out, or put it behind the CPU")
    return session


def _on_cpu(model: ModelFile, device: OnnxDevice, reason: str) -> Any:  # noqa: ANN401
    """A session on the CPU with a warning for `auto`; for a device that was asked for, an error."""
    if device != "auto":
        raise refused(device, reason)
    warn_of_cpu(reason)
    return _session(model, [CPU], device)
