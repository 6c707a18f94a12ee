"""Start a run, or take one up again: from a recipe and a folder to trained weights and a report."""

from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from pipelines.runs import RUNS, STANDING, RunFolder, find_run
from pipelines.scoring.heldout import HeldOut, read_held_out
from pipelines.trained import stored_recipe
from pipelines.training.budget import fit_to_budget
from pipelines.training.data import Data, open_data
from pipelines.training.keeping import Keeper, Standing
from pipelines.training.loop import Loop
from pipelines.training.observers import MetricsFile, Observer, ProgressBar, Sheets, TensorBoard
from pipelines.training.preflight import refuse_bad_data
from pipelines.training.reporting import tell_outcome, write_run_report
from pipelines.training.resolve import resolve
from pipelines.training.session import Session, open_session
from pipelines.training.stopping import listening
from pipelines.training.validation import Validator
from translate.checkpoint import restore_engine
from translate.devices import DeviceName, describe_device, pick_device
from translate.errors import ConfigurationError
from translate.processes import Processes, join_processes
from translate.recipe import Recipe
from translate.storage.atomic import sweep
from translate.storage.shelf import Shelf
from translate.storage.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where and how a run is carried out: nothing here changes which weights come out."""

    device: DeviceName = "auto"
    """Where to compute; auto takes CUDA where there is one."""
    workers: int = 1
    """Processes that read pictures ahead; 0 reads in the training process."""
    runs: Path = RUNS
    """Folder of the runs."""
    check: bool = True
    """Examine the data set first, and refuse one that cannot train."""
    report: bool = True
    """Write report.html at the end."""


def train(
    recipe: Recipe[Any], data: str | Path | None = None, *, name: str, setting: Setting | None = None
) -> RunFolder:
    """Train a recipe on a folder; returns the run, whose `report` is what to look at first.

    Raises ConfigurationError, DatasetError, DeviceError, StorageError, DivergedError, and StoppedError (saved).
    """
    setting = setting or Setting()
    folder = _new_folder(name, setting)
    data = data or recipe.data
    if not data:
        raise ConfigurationError("There is nothing to train on: give the data set's folder (--data DIR)")
    recipe = replace(recipe, data=str(Path(data).resolve()))
    if recipe.start_from:
        recipe = replace(recipe, start_from=str(find_run(recipe.start_from, setting.runs).path.resolve()))
    return _carry_out(recipe, folder, setting, None)


def resume(name: str | Path, setting: Setting | None = None) -> RunFolder:
    """Go on with a run from its newest whole checkpoint, by the recipe in it. Raises as `train` does."""
    setting = setting or Setting()
    folder = find_run(name, setting.runs)
    snapshot = Shelf(folder.snapshots).newest()
    return _carry_out(stored_recipe(snapshot), folder, replace(setting, check=False), snapshot)


def _new_folder(name: str, setting: Setting) -> RunFolder:
    if Path(name).name != name or name == "..":
        raise ConfigurationError(f"--name {name!r}: give the name of a folder, without a path; --runs says where")
    return RunFolder(path=setting.runs / name)


def _carry_out(recipe: Recipe[Any], folder: RunFolder, setting: Setting, snapshot: Snapshot | None) -> RunFolder:
    processes = join_processes()
    console = Console(stderr=True, quiet=not processes.is_first)
    with folder.locked() if processes.is_first else nullcontext():
        _refuse_other_run(folder, snapshot)
        session, held_out = _prepare(recipe, setting, processes, console, snapshot)
        keeper = Keeper(folder, _standing(session, snapshot))
        _greet(console, session, folder, held_out)
        if snapshot is None:
            keeper.save(session, {})
        with listening() as stop, _observers(folder, session, console) as observers:
            validator = Validator(session, held_out)
            Loop(session=session, validator=validator, keeper=keeper, observers=observers, stop=stop).run()
        if setting.report and processes.is_first:
            with console.status("Scoring the held-out pictures ..."):
                report = write_run_report(folder, device=session.engine.device)
            tell_outcome(report, folder, console)
    return folder


def _refuse_other_run(folder: RunFolder, snapshot: Snapshot | None) -> None:
    """Under the lock, since two of one name may start at the same moment."""
    if snapshot is None and folder.exists:
        name = folder.name
        raise ConfigurationError(f"{folder.path} has a run already: go on with --resume {name}, or take another --name")
    sweep(folder.path)


def _prepare(
    recipe: Recipe[Any], setting: Setting, processes: Processes, console: Console, snapshot: Snapshot | None
) -> tuple[Session, HeldOut]:
    device = pick_device(setting.device)
    if setting.check:
        refuse_bad_data(recipe, console)
    data: Data = open_data(recipe)
    recipe = resolve(recipe, pictures=len(data.train), device=device)
    held_out = read_held_out(data.validation, recipe.spec().domains, recipe.augmentation, most=recipe.validation.most)
    with console.status("Measuring how much fits into the budget ...") if recipe.length.minutes else nullcontext():
        recipe = fit_to_budget(recipe, data, held_out, device, processes, setting.workers)
    session = open_session(recipe, data, device, processes, setting.workers, fresh=snapshot is None)
    if snapshot is not None:
        restore_engine(session.engine, snapshot)
    return session, held_out


def _standing(session: Session, snapshot: Snapshot | None) -> Standing:
    if snapshot is not None:
        return Standing(**snapshot.document(STANDING))
    return Standing(metric=session.recipe.validation.best)


@contextmanager
def _observers(folder: RunFolder, session: Session, console: Console) -> Generator[list[Observer]]:
    if not session.engine.processes.is_first:
        yield []
        return
    at = session.engine.images
    observers: list[Observer] = [
        MetricsFile(folder.metrics, resumed_at=at),
        TensorBoard(folder.path / "tensorboard", resumed_at=at),
        Sheets(folder.samples),
        ProgressBar(console, total=session.recipe.length.images or 0, resumed_at=at),
    ]
    try:
        yield observers
    finally:
        for observer in observers:
            observer.close()


def _greet(console: Console, session: Session, folder: RunFolder, held_out: HeldOut) -> None:
    recipe, engine = session.recipe, session.engine
    console.print(f"{session.data.layout.description}", highlight=False)
    console.print(
        f"{recipe.method} on {describe_device(engine.device)}, {recipe.precision}: {recipe.length.images:,} images "
        f"({(recipe.length.images or 0) / len(session.data.train):.1f} epochs) into {folder.path}; "
        f"{held_out.size('a')} validation pictures every {recipe.validation.every_images:,} images",
        highlight=False,
    )
