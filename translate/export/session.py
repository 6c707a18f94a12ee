"""Runs a graph that is not a file yet, on the CPU: what the proof looks at."""

from typing import Any

from onnx import ModelProto

from translate.card import Card
from translate.errors import ModelError
from translate.runtime.base import Arrays
from translate.runtime.extras import require_onnxruntime
from translate.runtime.session import new_session, run_session


class ProtoRuntime:
    """A Runtime for a model in memory.

    Raises:
        ConfigurationError: ONNX Runtime is not installed.
        ModelError: ONNX Runtime does not take the model.
    """

    device = "cpu"

    def __init__(self, model: ModelProto, card: Card) -> None:
        require_onnxruntime()
        self.card = card
        try:
            self._session = new_session(model.SerializeToString())
        except Exception as problem:  # ONNX Runtime's errors have no base class of their own
            raise ModelError(f"ONNX Runtime does not take the exported graph: {problem}") from problem

    def run(self, inputs: Arrays) -> dict[str, Any]:
        """As OnnxRuntime.run."""
        return run_session(self._session, self.card, inputs, self.device)
