"""Which file of a model is loaded: where a bundle has two sets of weights, any mixture of them."""

from pathlib import Path
from typing import Final

from pipelines.fidelity import with_fidelity
from pipelines.page.models import Offer
from translate.errors import ConfigurationError

MOST_FAITHFUL: Final = 1.0


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
