"""The kit for learning to generate: one domain of samples, with classes or without."""

from typing import Any

from pipelines.training.generation.data import Data, open_data
from pipelines.training.generation.preflight import refuse_bad_data
from pipelines.training.generation.reporting import report
from pipelines.training.generation.validation import Validator
from pipelines.training.session import Session
from translate.card import Vector
from translate.data.domains import X
from translate.recipe import Recipe

__all__ = ["open_data", "refuse_bad_data", "report", "usual_measure", "validator"]


def usual_measure(recipe: Recipe[Any]) -> str:
    """KID of pictures, the energy distance of points."""
    return "energy" if isinstance(recipe.domains.ports()[X][0], Vector) else "kid"


def validator(session: Session) -> Validator:
    """A validator for a session that generates."""
    assert isinstance(session.data, Data)
    return Validator(session, session.data.held_out)
