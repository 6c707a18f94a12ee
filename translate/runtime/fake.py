"""A runtime without a model, for tests of whatever holds a runtime."""

import numpy as np

from translate.card import Card
from translate.runtime.base import Arrays


class FakeRuntime:
    """Gives the mean of the first input's channels, negated, on every output channel; exact at every size."""

    device = "fake"

    def __init__(self, card: Card) -> None:
        self.card = card

    def run(self, inputs: Arrays) -> Arrays:
        """The negative of the first input."""
        first = inputs[self.card.inputs[0].name]
        grey = -first.mean(axis=1, keepdims=True)
        return {port.name: np.repeat(grey, port.channels, axis=1) for port in self.card.output_pictures}
