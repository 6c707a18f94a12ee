"""The kit for learning to translate: two domains of pictures, paired or not."""

from typing import Any

from pipelines.training.session import Session
from pipelines.training.translation.data import Data, open_data
from pipelines.training.translation.preflight import refuse_bad_data
from pipelines.training.translation.reporting import report
from pipelines.training.translation.two import two_domains
from pipelines.training.translation.validation import Validator
from translate.recipe import Recipe

__all__ = ["open_data", "refuse_bad_data", "report", "usual_measure", "validator"]


def usual_measure(recipe: Recipe[Any]) -> str:
    """The perceptual distance to the truth where there is one."""
    return "perceptual" if two_domains(recipe).paired else "kid"


def validator(session: Session) -> Validator:
    """A validator for a session that translates."""
    assert isinstance(session.data, Data)
    return Validator(session, session.data.held_out)
