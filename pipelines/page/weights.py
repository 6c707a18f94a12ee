"""Which file of a model is loaded: where a bundle has two sets of weights, any mixture of them."""

from pathlib import Path
from typing import Final

from pipelines.fidelity import with_fidelity
from pipelines.page.models import Offer
from translate.errors import ConfigurationError

MOST_FAITHFUL: Final = 1.0
FIDELITY_STEP: Final = 0.1
"""Each mixture is a file in the cache: visitors have eleven to choose from."""


def stepped(fidelity: float) -> float:
    """The nearest that there is."""
    return round(round(fidelity / FIDELITY_STEP) * FIDELITY_STEP, 1)


def weights_of(offer: Offer, fidelity: float) -> Path:
    """The file to load: 1 for the weights that are closest to the truth, 0 for those that look sharpest.

    Raises:
        ConfigurationError: the number is not from 0 to 1, or the model has one set of weights only.
        ModelError: the two cannot be mixed.
    """
    if fidelity == MOST_FAITHFUL:
        return offer.path
    if offer.perceptual is None:
        raise ConfigurationError(f"{offer.name} has one set of weights: leave the fidelity at 1")
    return with_fidelity(offer.path, fidelity)
