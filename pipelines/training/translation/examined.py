"""What the dataset doctor finds in the folder of a recipe that translates."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipelines.training.translation.two import two_domains
from translate.data.doctor import Problem, examine
from translate.data.domains import MadePairs, TwoDomains
from translate.recipe import Recipe


def examined(recipe: Recipe[Any], on_progress: Callable[[int, int], None] | None = None) -> Sequence[Problem]:
    """All problems; pictures that were looked at before are remembered, so that a second time is quick.

    `on_progress` is told how many pictures were looked at, of how many.
    """
    two = two_domains(recipe)
    seen = _as_one_domain(two) if isinstance(two, MadePairs) else two
    return examine(
        Path(recipe.data),
        direction=seen.direction,
        paired=seen.paired,
        a_kinds=seen.a,
        b_kinds=seen.b,
        crop_px=recipe.augmentation.crop_px,
        on_progress=on_progress,
    ).problems


def _as_one_domain(domains: MadePairs) -> TwoDomains:
    """A folder of photos alone is one of domain a to the doctor."""
    return TwoDomains(a=domains.b, b=domains.b, paired=False)
