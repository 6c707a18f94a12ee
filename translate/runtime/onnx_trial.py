"""The child that tries a model with ONNX Runtime, on the CPU."""

from importlib import import_module
from typing import Any

from translate.card import Card
from translate.runtime.base import Arrays
from translate.runtime.session import new_session
from translate.runtime.trial import answer


class _Model:
    def __init__(self, data: bytes, card: Card) -> None:
        self._session = new_session(data, threads=1)
        self._names = [port.name for port in card.outputs]

    def run(self, inputs: Arrays) -> dict[str, Any]:
        """As in Runtime."""
        return dict(zip(self._names, self._session.run(self._names, dict(inputs)), strict=True))


def main() -> None:
    """Answer on standard output; see `trial`."""
    import_module("onnxruntime")  # while there are no limits yet
    answer(_Model)
