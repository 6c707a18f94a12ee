"""`pixturn train RECIPE --data DIR [--name NAME]`, and `pixturn train --resume NAME`."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, cast

import tyro
from rich.console import Console
from rich.table import Table

from pipelines.methods import method_class, method_names
from pipelines.recipes import named_recipes, recipe_named
from pipelines.training import Setting, resume, train
from pipelines.training.kit import kit_of
from pipelines.training.resolve import resolve
from translate.data.domains import MadePairs, OneDomain, TwoDomains
from translate.devices import pick_device
from translate.errors import ConfigurationError
from translate.recipe import Length, Recipe, to_json

ConfigT = TypeVar("ConfigT")

_KINDS: Mapping[str, type[Any]] = {
    "Picture to picture": TwoDomains,
    "Enlarge, repair, colour (inputs are made from photos)": MadePairs,
    "Out of noise, codes, classes (samples of one kind)": OneDomain,
}
_OTHERWISE = "(default: the recipe's length)"


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Generic[ConfigT]):
    """The recipe is what decides the weights; the rest says where and for how long."""

    recipe: Annotated[Recipe[ConfigT], tyro.conf.arg(name="")]
    name: Annotated[str, tyro.conf.arg(metavar="NAME", help_behavior_hint="(default: METHOD-1, METHOD-2, ...)")] = ""
    """Name of the run: its folder below --runs."""
    images: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint=_OTHERWISE)] = None
    """Length of the run: training samples drawn."""
    epochs: Annotated[float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint=_OTHERWISE)] = None
    """Length of the run: passes over the training set."""
    minutes: Annotated[float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint=_OTHERWISE)] = None
    """Length of the run: wall-clock budget in minutes; measured at the start, it becomes a number of images."""
    dry_run: bool = False
    """Print the resolved recipe as JSON and stop."""
    setting: Annotated[Setting, tyro.conf.arg(name="")] = field(default_factory=Setting)


@dataclass(frozen=True, kw_only=True)
class ResumeOptions:
    """Everything but where to run comes from the checkpoint."""

    resume: Annotated[str, tyro.conf.arg(metavar="NAME")]
    """Name or folder of the run to go on with."""
    setting: Annotated[Setting, tyro.conf.arg(name="")] = field(default_factory=Setting)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    given = list(arguments)
    if any(argument.partition("=")[0] == "--resume" for argument in given):
        _refuse_of_a_recipe(given)
        options = tyro.cli(ResumeOptions, prog="pixturn train", args=given)
        resume(options.resume, options.setting)
        return 0
    if given in (["-h"], ["--help"]):
        _print_usage(Console(file=sys.stdout))
        return 0
    if not given or given[0].startswith("-"):
        _print_usage(Console(stderr=True))
        raise ConfigurationError("pixturn train needs a recipe, before its options")
    return _train(given[0], given[1:])


def _refuse_of_a_recipe(given: Sequence[str]) -> None:
    """Raise ConfigurationError for options that a run which goes on has in its checkpoint."""
    told = [word.partition("=")[0].replace("_", "-") for word in given if word.startswith("--")]
    known = ["--resume", "--help", *(f"--{field.name}" for field in fields(Setting))]
    others = [word for word in told if word.replace("--no-", "--") not in known]
    if others:
        raise ConfigurationError(
            f"--resume takes recipe, data and length from the checkpoint: leave out {', '.join(others)}; only "
            f"{', '.join(known[2:])} may be given"
        )


def _train(name: str, arguments: Sequence[str]) -> int:
    options = parse(name, arguments)
    recipe = _with_length(options)
    if recipe.data:
        recipe = replace(recipe, data=str(Path(recipe.data).resolve()))
    if options.dry_run:
        print(to_json(_resolved(recipe, options.setting)))  # noqa: T201 - the command's result
        return 0
    if not recipe.data:
        raise ConfigurationError(f"pixturn train {name} needs --data DIR")
    train(recipe, name=options.name or None, setting=options.setting)
    return 0


def parse(name: str, arguments: Sequence[str]) -> TrainOptions[Any]:
    """The options for a named recipe; an unknown one ends the program with the nearest name."""
    recipe = recipe_named(name)
    # The recipe's own Config gives the options their names, types and help.
    typed = cast("Any", TrainOptions)[type(recipe.config)]
    return tyro.cli(typed, default=TrainOptions(recipe=recipe), prog=f"pixturn train {name}", args=list(arguments))


def _with_length(options: TrainOptions[Any]) -> Recipe[Any]:
    if options.images is None and options.epochs is None and options.minutes is None:
        return options.recipe
    length = Length(images=options.images, epochs=options.epochs, minutes=options.minutes)
    return replace(options.recipe, length=length)


def _resolved(recipe: Recipe[Any], setting: Setting) -> Recipe[Any]:
    if not recipe.data:
        return recipe
    recipe, data = kit_of(recipe).open_data(recipe)
    return resolve(recipe, pictures=len(data.train), device=pick_device(setting.device))


def _print_usage(console: Console) -> None:
    console.print("usage: pixturn train RECIPE --data DIR [--name NAME] [OPTIONS]", highlight=False)
    console.print("       pixturn train --resume NAME", highlight=False)
    width = max(map(len, named_recipes())) + 2
    for title, kind in _KINDS.items():
        table = Table.grid(padding=(0, 3))
        table.add_column(min_width=width)
        for name in sorted(name for name in named_recipes() if isinstance(recipe_named(name).domains, kind)):
            table.add_row(f"  [bold]{name}[/bold]", _about(name))
        console.print(f"\n{title}:", highlight=False)
        console.print(table)
    console.print("\n`pixturn train RECIPE --help` lists a recipe's options.", highlight=False)


def _about(recipe: str) -> str:
    """What a recipe is: for a method's own, what the method does."""
    if recipe not in method_names():
        return _first_line(named_recipes()[recipe])
    method = method_class(recipe)
    return f"{_first_line(method)} {_first_line(method.recipe)}"


def _first_line(described: object) -> str:
    return (described.__doc__ or "").partition("\n")[0]
