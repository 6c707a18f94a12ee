"""What the dataset doctor finds in the folder of a recipe that translates."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipelines.training.translation.two import two_domains
from translate.data.doctor import Problem, examine, examine_photos
from translate.data.domains import MadePairs
from translate.recipe import Recipe


def examined(recipe: Recipe[Any], on_progress: Callable[[int, int], None] | None = None) -> Sequence[Problem]:
    """All problems; pictures that were looked at before are remembered, so that a second time is quick.

    `on_progress` is told how many pictures were looked at, of how many.
    """
    two, root, crop_px = two_domains(recipe), Path(recipe.data), recipe.augmentation.crop_px
    if isinstance(two, MadePairs):
        return examine_photos(root, kinds=two.b, crop_px=crop_px, on_progress=on_progress).problems
    return examine(
        root,
        direction=two.direction,
        paired=two.paired,
        a_kinds=two.a,
        b_kinds=two.b,
        crop_px=crop_px,
        on_progress=on_progress,
    ).problems
