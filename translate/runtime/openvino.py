"""Runs an `.onnx` file with OpenVINO's own runtime, on a CPU: optional, and the one that has bf16 there."""

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
from translate.runtime.integrity import ModelFile, read_model
from translate.runtime.openvino_model import OpenVinoModel, OpenVinoPrecision, core, require_precision
from translate.runtime.probation import Trial, require_trial

__all__ = ["OpenVinoPrecision", "OpenVinoRuntime"]

_METADATA: Final = ["framework", CARD_KEY]
"""Where OpenVINO keeps a model's metadata."""


class OpenVinoRuntime:
    """One `.onnx` file, as OnnxRuntime takes it: hash first, a child first.

    Args:
        path: the file. Tensors in other files are not followed.
        precision: what convolutions and matrix products compute in. `bf16` is about twice as fast on CPUs that have
            it, and keeps 8 bits of 24: a model whose picture differs from fp32 by more than 0.1 of [-1, 1] anywhere, on
            a made-up input, is refused.

    Raises:
        ConfigurationError: OpenVINO is not installed.
        ModelError: the file is not there, is damaged, is no model, is none of Pixturn's, or is too inexact in bf16.
        DeviceError: this CPU has no bf16.
    """

    def __init__(self, path: str | Path, *, precision: OpenVinoPrecision = "fp32") -> None:
        model = read_model(Path(path))
        require_openvino()
        require_precision(precision)
        require_trial(model, _trial(precision))
        self.card = _card(model.data)
        self.device = f"openvino ({precision})"
        self.has_known_hash = model.has_known_hash
        self._model = _loaded(model, self.card, precision)

    def run(self, inputs: Arrays) -> dict[str, Any]:
        """Outputs by port name; see Runtime.

        Raises:
            StorageError: the machine's memory does not hold this input.
            ModelError: the model cannot be run on such an input.
        """
        given = {port.name: inputs[port.name] for port in self.card.inputs}
        try:
            return self._model.run(given)
        except Exception as problem:  # OpenVINO's errors are plain RuntimeErrors
            raise failed_run(problem, given, self.device) from problem


def _trial(precision: OpenVinoPrecision) -> Trial:
    return Trial(module=openvino_trial.__name__, engine=f"openvino-{version('openvino')}", arguments=(precision,))


def _card(data: bytes) -> Card:
    return Card.from_json(core().read_model(data).get_rt_info(_METADATA).value)


def _loaded(model: ModelFile, card: Card, precision: OpenVinoPrecision) -> OpenVinoModel:
    try:
        return OpenVinoModel(model.data, card, precision)
    except Exception as problem:  # OpenVINO's errors are plain RuntimeErrors
        raise ModelError(f"{model.path} cannot be loaded by OpenVINO: {problem}") from problem
