"""What every pipeline has in common: it holds a runtime, and says what that is. No torch."""

from translate.card import Card
from translate.runtime.base import Runtime


class HoldsRuntime:
    """Says of the runtime that it holds what it does and where it runs."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def card(self) -> Card:
        """What it takes and gives, and where the model comes from."""
        return self._runtime.card

    @property
    def device(self) -> str:
        """Where it runs, in words."""
        return self._runtime.device
