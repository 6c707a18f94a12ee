"""Runs an `.onnx` file with OpenVINO's own runtime, on a CPU: optional, and the one that has bf16 there."""

from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from translate.card import Card
from translate.errors import ModelError
from translate.runtime import openvino_trial
from translate.runtime.base import Arrays
from translate.runtime.extras import require_openvino
from translate.runtime.failures import failed_run
from translate.runtime.gate import CARD_KEY
from translate.runtime.integrity import ModelFile, read_model, read_unchanged
from translate.runtime.openvino_model import Compute, OpenVinoModel, OpenVinoPiece, core, require_compute
from translate.runtime.origin import Origin
from translate.runtime.probation import Trial, require_trial
from translate.runtime.tiling import Tiled

__all__ = ["Compute", "OpenVinoRuntime"]

_METADATA: Final = ["framework", CARD_KEY]
"""Where OpenVINO keeps a model's metadata."""


class OpenVinoRuntime:
    """One `.onnx` file, as OnnxRuntime takes it: hash first, a child first.

    Args:
        path: the file. Tensors in other files are not followed.
        compute: what convolutions and matrix products compute in. `bf16` is about twice as fast on CPUs that have
            it, and keeps 8 bits of 24: a model whose picture differs from fp32 by more than 0.1 of [-1, 1] anywhere, on
            a made-up input, is refused.

    Raises:
        ConfigurationError: OpenVINO is not installed.
        ModelError: the file is not there, is damaged, is no model, is none of Pixturn's, or is too inexact in bf16.
        DeviceError: this CPU has no bf16.
    """

    def __init__(self, path: str | Path, *, compute: Compute = "fp32") -> None:
        model = read_model(Path(path))
        require_openvino()
        require_compute(compute)
        require_trial(model, _trial(compute))
        self.card = _card(model.data)
        self.device = f"openvino ({compute})"
        self.has_known_hash = model.has_known_hash
        self.origin = Origin.of_file(model, compute=compute, openvino=_version())
        self._model = _loaded(model, compute)
        self._path, self._sha256 = model.path, model.sha256
        self._open_piece = partial(OpenVinoPiece, compute=compute)

    def run(self, inputs: Arrays) -> dict[str, Any]:
        """Outputs by port name; see Runtime.

        Raises:
            StorageError: the machine's memory does not hold this input.
            ModelError: the model cannot be run on such an input.
        """
        given = {port.name: inputs[port.name] for port in self.card.inputs}
        try:
            made = self._model.run(given)
        except Exception as problem:  # OpenVINO's errors are plain RuntimeErrors
            raise failed_run(problem, given, self.device) from problem
        return {port.name: made[port.name] for port in self.card.outputs}

    def tiled(self) -> Tiled:
        """The model in tiles. Raises ModelError for one that cannot be, or a file that changed."""
        data = read_unchanged(self._path, self._sha256)
        return Tiled(data, self.card, device=self.device, open_session=self._open_piece)


def _trial(compute: Compute) -> Trial:
    return Trial(module=openvino_trial.__name__, engine=f"openvino-{_version()}", arguments=(compute,))


def _version() -> str:
    return version("openvino")


def _card(data: bytes) -> Card:
    return Card.from_json(core().read_model(data).get_rt_info(_METADATA).value)


def _loaded(model: ModelFile, compute: Compute) -> OpenVinoModel:
    try:
        return OpenVinoModel(model.data, compute)
    except Exception as problem:  # OpenVINO's errors are plain RuntimeErrors
        raise ModelError(f"{model.path} cannot be loaded by OpenVINO: {problem}") from problem
