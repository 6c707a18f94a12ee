"""`pixturn check DIR`: the dataset doctor, and what a run on the folder would take."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from pipelines.check import check
from pipelines.check_collection import check_collection, has_points, is_collection, may_be_classes, tell_of_classes
from translate.data.domains import OneDomain, TwoDomains
from translate.errors import PixturnError

if TYPE_CHECKING:
    from translate.recipe import Recipe

_PAIRED = {"auto": None, "yes": True, "no": False}


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """Reads every picture, lists all problems at once with their fixes, and ends with what would be trained."""

    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    """The data set's folder."""
    recipe: Annotated[
        str,
        tyro.conf.arg(
            metavar="RECIPE",
            help_behavior_hint="(default: pix2pix for pairs, cyclegan without, dcgan or gan for one domain)",
        ),
    ] = ""
    """Recipe whose time and memory are estimated; of one that generates, two folders are two classes."""
    direction: Literal["AtoB", "BtoA"] = "AtoB"
    """BtoA turns the data set round: what lies in B is the input."""
    paired: Literal["auto", "yes", "no"] = "auto"
    """Whether pictures are paired by name; auto: found out."""
    a: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KIND...")] = ("rgb",)
    """Kind of the input pictures: grey, rgb, rgba, or labels:N for N classes; one for each picture of a sample."""
    b: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KIND...")] = ("rgb",)
    """Kind of the output pictures, likewise."""
    crop_px: int = 256
    """Width and height of the training crops in pixels."""
    estimate: bool = True
    """Try a few steps of training, and say how long a run would take and how much memory."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(CheckOptions, prog="pixturn check", args=list(arguments))
    estimate = (lambda: _estimate(options)) if options.estimate else None
    if is_collection(options.folder) or _is_of_one_domain(options.recipe):
        return check_collection(options.folder, crop_px=options.crop_px, estimate=estimate)
    code = check(
        options.folder,
        direction=options.direction,
        paired=_PAIRED[options.paired],
        a_kinds=options.a,
        b_kinds=options.b,
        crop_px=options.crop_px,
        estimate=estimate,
    )
    if may_be_classes(options.folder):
        tell_of_classes(options.folder)
    return code


def _is_of_one_domain(recipe: str) -> bool:
    """Whether a recipe was named that reads folders as classes. Raises ConfigurationError for one that is none."""
    if not recipe:
        return False
    from pipelines.recipes import recipe_named

    return isinstance(recipe_named(recipe).domains, OneDomain)


def _estimate(options: CheckOptions) -> str:
    try:
        from pipelines.training.estimate import estimate
    except ModuleNotFoundError as problem:
        return f"No estimate: training needs {problem.name} (pip install 'pixturn[train]')"
    try:
        return estimate(_recipe(options))
    except PixturnError as problem:
        return f"No estimate: {problem}"


def _recipe(options: CheckOptions) -> "Recipe[Any]":
    from pipelines.recipes import recipe_named

    recipe = recipe_named(options.recipe or _fitting(options))
    if not isinstance(recipe.domains, TwoDomains):
        return replace(recipe, data=str(options.folder))
    augmentation = replace(recipe.augmentation, crop_px=options.crop_px, load_px=round(options.crop_px * 286 / 256))
    return replace(
        recipe,
        data=str(options.folder),
        domains=TwoDomains(direction=options.direction, a=options.a, b=options.b, paired=recipe.domains.paired),
        augmentation=augmentation,
    )


def _fitting(options: CheckOptions) -> str:
    from translate.data.layouts import find_layout

    if is_collection(options.folder):
        return "gan-points" if has_points(options.folder) else "dcgan-small"
    layout = find_layout(
        options.folder,
        direction=options.direction,
        a_ports=len(options.a),
        b_ports=len(options.b),
        paired=_PAIRED[options.paired],
    )
    return "pix2pix" if layout.splits["train"].paired else "cyclegan"
