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
_PHOTO_RECIPE: Final = "compact"
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
            help_behavior_hint="(default: pix2pix for pairs, cyclegan without, compact for photos, dcgan-small for "
            "classes or arrays, gan-points for points)",
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
    crop_px: Annotated[int | None, tyro.conf.arg(metavar="PX", help_behavior_hint="(default: the recipe's)")] = None
    """Width and height of the training crops in pixels."""
    estimate: bool = True
    """Try a few steps of training, and say how long a run would take and how much memory."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(CheckOptions, prog="pixturn check", args=list(arguments))
    name = options.recipe or _fitting(options)
    recipe = _recipe(name, is_required=bool(options.recipe))
    crop_px = options.crop_px or (recipe.augmentation.crop_px if recipe else None)
    estimate = (lambda: _estimate(options, name, recipe)) if options.estimate else None
    if options.recipe and recipe and (code := _for_recipe(options, recipe, estimate)) is not None:
        return code
    if is_collection(options.folder):
        return check_collection(options.folder, crop_px=crop_px, estimate=estimate)
    code = check(
        options.folder,
        direction=options.direction,
        paired=_PAIRED[options.paired],
        a_kinds=options.a,
        b_kinds=options.b,
        crop_px=crop_px or _CROP_PX,
        estimate=estimate,
    )
    if may_be_classes(options.folder):
        tell_of_classes(options.folder)
    elif name == _PHOTO_RECIPE and not options.recipe:
        Console().print(_FOR_PHOTOS, highlight=False, soft_wrap=True)
    return code


def _recipe(name: str, *, is_required: bool) -> "Recipe[Any] | None":
    """The recipe of this name.

    Recipes need torch, and the doctor does not: without it, one that was not asked for is None, and one that
    was raises ModuleNotFoundError.
    """
    try:
        from pipelines.recipes import recipe_named
    except ModuleNotFoundError:
        if is_required:
            raise
        return None
    return recipe_named(name)


def _for_recipe(options: CheckOptions, recipe: "Recipe[Any]", estimate: Callable[[], str] | None) -> int | None:
    """The exit code where the recipe that was named reads folders in a way of its own; None where it does not."""
    from translate.data.domains import MadePairs, OneDomain

    crop_px = options.crop_px or recipe.augmentation.crop_px
    if isinstance(recipe.domains, MadePairs):
        return check_photos(options.folder, kinds=recipe.domains.b, crop_px=crop_px, estimate=estimate)
    if isinstance(recipe.domains, OneDomain):
        return check_collection(options.folder, crop_px=crop_px, estimate=estimate)
    return None


def _estimate(options: CheckOptions, name: str, recipe: "Recipe[Any] | None") -> str:
    try:
        from pipelines.training.estimate import estimate
    except ModuleNotFoundError as problem:
        return f"No estimate: training needs {problem.name} (pip install 'pixturn[train]')"
    assert recipe is not None  # where training can be imported, recipes can
    try:
        return estimate(_as_asked(options, recipe), name=name)
    except PixturnError as problem:
        return f"No estimate: {problem}"


def _as_asked(options: CheckOptions, recipe: "Recipe[Any]") -> "Recipe[Any]":
    """The recipe for this folder: with the options that were given, and crops of the size that was asked for."""
    from translate.data.domains import TwoDomains

    domains = recipe.domains
    if isinstance(domains, TwoDomains):
        domains = TwoDomains(direction=options.direction, a=options.a, b=options.b, paired=domains.paired)
    augmentation = recipe.augmentation
    if options.crop_px:
        load_px = round(options.crop_px * augmentation.load_px / augmentation.crop_px)
        augmentation = replace(augmentation, crop_px=options.crop_px, load_px=load_px)
    return replace(recipe, data=str(options.folder), domains=domains, augmentation=augmentation)


def _fitting(options: CheckOptions) -> str:
    """The recipe for a folder of this kind; the usual one where it cannot be understood, which the doctor tells."""
    try:
        if is_collection(options.folder):
            return "gan-points" if has_points(options.folder) else "dcgan-small"
        train = _layout(options).splits["train"]
    except (DatasetError, KeyError):
        return "pix2pix"
    if set(train.domains) == {"a"}:
        return _PHOTO_RECIPE
    return "pix2pix" if train.paired else "cyclegan"


def _layout(options: CheckOptions) -> "Layout":
    from translate.data.layouts import find_layout

    return find_layout(
        options.folder,
        direction=options.direction,
        a_ports=len(options.a),
        b_ports=len(options.b),
        paired=_PAIRED[options.paired],
    )
