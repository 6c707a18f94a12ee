"""`pixturn bench [RECIPE...|MODEL]`: what is fastest on this machine, and the command line that says so."""

import importlib.util
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import tyro
from rich.console import Console

from pipelines.benching.machine import Machine
from pipelines.benching.models import telling as told_of_models
from pipelines.benching.models.measuring import ModelOptions, compare_ways
from pipelines.benching.watching import Shown, show_table, warn, watched
from pipelines.runs import RUNS, RunFolder, bundle_of
from pipelines.telling import say
from translate.errors import ConfigurationError
from translate.storage.atomic import write_atomically

if TYPE_CHECKING:
    from pipelines.benching.training.measuring import TrainingOptions

USUAL: Final = ("pix2pix-small", "cyclegan-small", "compact")
"""Recipes to measure where none is named."""
_USAGE: Final = """usage: pixturn bench [RECIPE ...] [OPTIONS]     training settings, by recipe
       pixturn bench MODEL [OPTIONS]            engines that run MODEL.onnx, a bundle or a run

`pixturn bench pix2pix --help` lists the options for recipes; those for models are below. Without a name: {usual}.
A name that is a recipe's and a bundle's means the recipe; for the bundle give its path (checkpoints/NAME).

`--json FILE` also writes everything that was measured. Ctrl-C ends with what was measured so far.
""".format(usual=", ".join(USUAL))


@dataclass(frozen=True, kw_only=True)
class ForModel:
    """Times a model on every engine that is there."""

    options: Annotated[ModelOptions, tyro.conf.arg(name="")] = field(default_factory=ModelOptions)
    json: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """Where to write everything that was measured."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    given = list(arguments)
    if given in (["-h"], ["--help"]):
        Console(file=sys.stdout).print(_USAGE, highlight=False, markup=False, soft_wrap=True)
        return _model("MODEL", given)
    count = next((index for index, word in enumerate(given) if word.startswith("-")), len(given))
    names, rest = given[:count], given[count:]
    runs = _runs_in(rest)
    models = [name for name in names if is_model(name, runs)]
    _require_clear(names, models, rest, runs)
    return _model(models[0], rest) if models else _recipes(names or USUAL, rest)


def _require_clear(names: Sequence[str], models: Sequence[str], rest: Sequence[str], runs: Path) -> None:
    """Raise ConfigurationError, with the lines to type, where names are not one model or some recipes, and first."""
    late = [] if names else [word for word in rest if _is_recipe(word) or is_model(word, runs)]
    if late:
        others = [word for word in rest if word not in late]
        raise ConfigurationError(f"Names come before the options: pixturn bench {shlex.join([*late, *others])}")
    if models and len(names) > 1:
        kinds = ", ".join(f"{name} is a {'model' if name in models else 'recipe'}" for name in names)
        recipes = [name for name in names if name not in models]
        lines = [*([shlex.join(recipes)] if recipes else []), *map(shlex.quote, models)]
        told = ", then ".join(f"pixturn bench {line}" for line in lines)
        raise ConfigurationError(f"{kinds}; models are timed one by one, and not with recipes: {told}")


def is_model(name: str, runs: Path = RUNS) -> bool:
    """Whether a name means a file, a bundle or a run rather than a recipe; a recipe's name does not."""
    if Path(name).suffix.lower() == ".onnx":
        return True
    if Path(name).name == name and _is_recipe(name):
        return False
    is_run = any(RunFolder(path=path).exists for path in (Path(name), runs / name))
    return is_run or bundle_of(name, runs) is not None


def _is_recipe(name: str) -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    from pipelines.recipes import named_recipes

    return name in named_recipes()


def _runs_in(arguments: Sequence[str]) -> Path:
    """Where `--runs` says that the runs lie: what a name means depends on it."""
    for word, following in zip(arguments, [*arguments, ""][1:], strict=True):
        if word == "--runs":
            return Path(following)
        if word.startswith("--runs="):
            return Path(word.partition("=")[2])
    return RUNS


def _model(name: str, arguments: Sequence[str]) -> int:
    options = tyro.cli(ForModel, prog=f"pixturn bench {name}", args=list(arguments))
    _require_json(options.json)
    machine = _machine()
    with watched() as (shown, stop):
        results = compare_ways(name, options.options, shown)
    title = f"{name} on {machine.processor}, {machine.cores} cores"
    show_table(title, told_of_models.HEADS, told_of_models.lines(results))
    for line in told_of_models.advice(results):
        say(line)
    _write(options.json, machine, [told_of_models.document(results)])
    if stop:
        raise stop.error("Stopped: the table holds what was measured")
    return 0


def _recipes(names: Sequence[str], arguments: Sequence[str]) -> int:
    from pipelines.benching.training import telling
    from pipelines.benching.training.measuring import compare_settings
    from pipelines.recipes import recipe_named

    recipes = {name: recipe_named(name) for name in names}  # a name that is none is told at once
    options, file = _training_options(names, arguments)
    machine, documents = _machine(), list[dict[str, Any]]()
    for name, recipe in recipes.items():
        with watched() as (shown, stop):
            results = compare_settings(name, options, _Named(name, shown))
        crop_px = options.crop_px or recipe.augmentation.crop_px
        title = f"{name}, crops of {crop_px} px, on {machine.processor}, {results.device}"
        show_table(title, telling.HEADS, telling.lines(results))
        for line in telling.advice(results, recipe, crop_px=crop_px):
            say(line)
        say("")
        documents.append(telling.document(results, recipe, crop_px=crop_px))
        _write(file, machine, documents)
        if stop:
            raise stop.error("Stopped: the tables hold what was measured")
    return 0


def _training_options(names: Sequence[str], arguments: Sequence[str]) -> "tuple[TrainingOptions, Path | None]":
    from pipelines.benching.training.measuring import TrainingOptions

    @dataclass(frozen=True, kw_only=True)
    class ForRecipes(TrainingOptions):
        __doc__ = TrainingOptions.__doc__

        json: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
        """Where to write everything that was measured."""

    options = tyro.cli(ForRecipes, prog=f"pixturn bench {' '.join(names)}", args=list(arguments))
    _require_json(options.json)
    return options, options.json


class _Named:
    """A watch that says which recipe it is about."""

    def __init__(self, name: str, shown: Shown) -> None:
        self._name = name
        self._shown = shown
        self.advance = shown.advance
        self.asks_to_stop = shown.asks_to_stop

    def expect(self, words: str, units: float) -> None:
        self._shown.expect(f"{self._name}: {words}", units)


def _machine() -> Machine:
    machine = Machine.now()
    if machine.warning:
        warn(machine.warning)
    return machine


def _require_json(file: Path | None) -> None:
    """Known before the work, not after."""
    if file is not None and (file.suffix.lower() != ".json" or not file.parent.is_dir()):
        raise ConfigurationError(f"--json {file}: give a file ending in .json, in a folder that is there")


def _write(file: Path | None, machine: Machine, documents: Sequence[dict[str, Any]]) -> None:
    if file is not None:
        write_atomically(file, json.dumps({"machine": asdict(machine), "measured": list(documents)}, indent=2) + "\n")
