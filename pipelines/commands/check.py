"""`pixturn check DIR`: the dataset doctor, and what a run on the folder would take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import tyro
from rich.console import Console

from pipelines.check import check, check_photos
from pipelines.check_collection import check_collection, has_points, is_collection, may_be_classes, tell_of_classes
from translate.errors import DatasetError, PixturnError

if TYPE_CHECKING:
    from translate.data.items import Layout
    from translate.recipe import Recipe

_CROP_PX: Final = 256
_FOR_PHOTOS: Final = (
    "One folder of pictures: the recipe compact learns to enlarge from it (pixturn check DIR --recipe compact), and "
    "dcgan-small to make more like them"
)
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
            help_behavior_hint="(default: pix2pix for pairs, cyclegan without, compact for photos, dcgan or gan for "
            "classes or arrays)",
        ),
    ] = ""
    """Recipe whose time and memory are estimated; of one that generates, two folders are two classes; of one that makes
    its inputs from photos, folders are albums."""
    direction: Literal["AtoB", "BtoA"] = "AtoB"
    """BtoA turns the data set round: what lies in B is the input."""
    paired: Literal["auto", "yes", "no"] = "auto"
    """Whether pictures are paired by name; auto: found out."""
    a: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KIND...")] = ("rgb",)
    """Kind of the input pictures: grey, rgb, rgba, or labels:N for N classes; one for each picture of a sample."""
    b: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KIND...")] = ("rgb",)
    """Kind of the output pictures, likewise."""
    crop_px: Annotated[
        int | None, tyro.conf.arg(metavar="PX", help_behavior_hint="(default: 256; of photos, the recipe's)")
    ] = None
    """Width and height of the training crops in pixels."""
    estimate: bool = True
    """Try a few steps of training, and say how long a run would take and how much memory."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(CheckOptions, prog="pixturn check", args=list(arguments))
    estimate = (lambda: _estimate(options)) if options.estimate else None
    if options.recipe and (code := _for_recipe(options, estimate)) is not None:
        return code
    crop_px = options.crop_px or _CROP_PX
    if is_collection(options.folder):
        return check_collection(options.folder, crop_px=crop_px, estimate=estimate)
    code = check(
        options.folder,
        direction=options.direction,
        paired=_PAIRED[options.paired],
        a_kinds=options.a,
        b_kinds=options.b,
        crop_px=crop_px,
        estimate=estimate,
    )
    if may_be_classes(options.folder):
        tell_of_classes(options.folder)
    elif not options.recipe and _is_of_photos(options):
        Console().print(_FOR_PHOTOS, highlight=False, soft_wrap=True)
    return code


def _for_recipe(options: CheckOptions, estimate: Callable[[], str] | None) -> int | None:
    """The exit code where the recipe that was named reads folders in a way of its own; None where it does not.

    Recipes need torch: without one being named, the doctor works without.
    """
    from pipelines.recipes import recipe_named
    from translate.data.domains import MadePairs, OneDomain

    recipe = recipe_named(options.recipe)
    if isinstance(recipe.domains, MadePairs):
        crop_px = options.crop_px or recipe.augmentation.crop_px
        return check_photos(options.folder, kinds=recipe.domains.b, crop_px=crop_px, estimate=estimate)
    if isinstance(recipe.domains, OneDomain):
        return check_collection(options.folder, crop_px=options.crop_px or _CROP_PX, estimate=estimate)
    return None


def _is_of_photos(options: CheckOptions) -> bool:
    """Whether all pictures are of one domain, without classes."""
    try:
        return set(_layout(options).splits["train"].domains) == {"a"}
    except (DatasetError, KeyError):
        return False


def _estimate(options: CheckOptions) -> str:
    try:
        from pipelines.training.estimate import estimate
    except ModuleNotFoundError as problem:
        return f"No estimate: training needs {problem.name} (pip install 'pixturn[train]')"
    try:
        name = options.recipe or _fitting(options)
        return estimate(_recipe(options, name), name=name)
    except PixturnError as problem:
        return f"No estimate: {problem}"


def _recipe(options: CheckOptions, name: str) -> "Recipe[Any]":
    from pipelines.recipes import recipe_named
    from translate.data.domains import TwoDomains

    recipe = recipe_named(name)
    if not isinstance(recipe.domains, TwoDomains):
        return replace(recipe, data=str(options.folder))
    crop_px = options.crop_px or _CROP_PX
    augmentation = replace(recipe.augmentation, crop_px=crop_px, load_px=round(crop_px * 286 / 256))
    return replace(
        recipe,
        data=str(options.folder),
        domains=TwoDomains(direction=options.direction, a=options.a, b=options.b, paired=recipe.domains.paired),
        augmentation=augmentation,
    )


def _fitting(options: CheckOptions) -> str:
    if is_collection(options.folder):
        return "gan-points" if has_points(options.folder) else "dcgan-small"
    if _is_of_photos(options):
        return "compact"
    return "pix2pix" if _layout(options).splits["train"].paired else "cyclegan"


def _layout(options: CheckOptions) -> "Layout":
    from translate.data.layouts import find_layout

    return find_layout(
        options.folder,
        direction=options.direction,
        a_ports=len(options.a),
        b_ports=len(options.b),
        paired=_PAIRED[options.paired],
    )
