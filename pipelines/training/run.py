"""Start a run, or take one up again: from a recipe and a folder to trained weights and a report."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro
from rich.console import Console

from pipelines.runs import RUNS, STANDING, RunFolder, find_run
from pipelines.stopping import listening
from pipelines.trained import stored_recipe
from pipelines.training.alerts import Alerts
from pipelines.training.budget import fit_to_budget
from pipelines.training.caching import CACHE_FOLDER, picture_store
from pipelines.training.claim import folder_for, make_ready, refuse_bad_name
from pipelines.training.keeping import Keeper, Standing
from pipelines.training.kit import kit_of
from pipelines.training.loop import Loop
from pipelines.training.memory import memory_told
from pipelines.training.observers import MetricsFile, Observer, ProgressBar, Sheets, TensorBoard, closing
from pipelines.training.reporting import run_name, tell_outcome, write_run_report
from pipelines.training.resolve import resolve
from pipelines.training.session import Session, open_session
from translate.checkpoint import restore_engine
from translate.devices import DeviceName, describe_device, pick_device
from translate.errors import ConfigurationError, require
from translate.processes import Processes, joined_processes
from translate.recipe import Recipe
from translate.storage.shelf import Shelf
from translate.storage.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where and how a run is carried out: nothing here changes which weights come out."""

    device: DeviceName = "auto"
    """Where to compute; auto takes CUDA where there is one."""
    workers: int = 1
    """Processes that read pictures ahead; 0 reads in the training process."""
    cache: Annotated[Path | None, CACHE_FOLDER, tyro.conf.arg(help_behavior_hint="(default: off)")] = None
    """Keep the training pictures decoded, on disk: in DIR, or in your cache folder. docs/training.md gives its cost."""
    runs: Path = RUNS
    """Folder of the runs."""
    check: bool = True
    """Examine the data set first, and refuse one that cannot train."""
    report: bool = True
    """Write report.html at the end."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        require(self.workers >= 0, "workers", self.workers, "0 (read in the training process) or more")


def train(
    recipe: Recipe[Any], data: str | Path | None = None, *, name: str | None = None, setting: Setting | None = None
) -> RunFolder:
    """Train a recipe on a folder; returns the run, whose `report` is what to look at first.

    Args:
        recipe: What to train, and how.
        data: The data set's folder; None: the one that the recipe names.
        name: Of the run: its folder in `setting.runs`. None: the method's name and the first free number
            (`pix2pix-1`). A run of that name that had learnt nothing yet is begun anew.
        setting: Where and how the run is carried out.

    Raises:
        ConfigurationError: An option cannot be used, or the name is taken.
        DatasetError: The folder cannot be trained on.
        DeviceError: The device is not there.
        StorageError: Disk or memory are full.
        DivergedError: Numbers stopped being finite.
        StoppedError: A signal came; the run is saved.
    """
    setting = setting or Setting()
    if name is not None:
        refuse_bad_name(name)
    data = data or recipe.data
    if not data:
        raise ConfigurationError("There is nothing to train on: give the data set's folder (--data DIR)")
    recipe = replace(recipe, data=str(Path(data).resolve()))
    if recipe.start_from:
        recipe = replace(recipe, start_from=str(find_run(recipe.start_from, setting.runs).path.resolve()))
    return _carry_out(recipe, setting, lambda processes: folder_for(recipe.method, name, setting.runs, processes))


def resume(name: str | Path, setting: Setting | None = None) -> RunFolder:
    """Go on with a run from its newest whole checkpoint, by the recipe in it. Raises as `train` does."""
    setting = setting or Setting()
    folder = find_run(name, setting.runs)
    return _carry_out(None, replace(setting, check=False), lambda _: folder)


def _carry_out(recipe: Recipe[Any] | None, setting: Setting, choose: Callable[[Processes], RunFolder]) -> RunFolder:
    """Train in the chosen folder: by the recipe from the start, or without one on from the newest checkpoint."""
    device = pick_device(setting.device)
    with memory_told(), ExitStack() as held:
        with joined_processes() as processes:
            folder = choose(processes)
            console = Console(stderr=True, quiet=not processes.is_first)
            with processes.agreeing():
                if processes.is_first:
                    held.enter_context(folder.locked())
                    make_ready(folder, anew=recipe is not None)
                    if recipe is not None and setting.check:
                        kit_of(recipe).refuse_bad_data(recipe, console)
            _train(_beginning(recipe, folder), folder, device, setting, processes, console)
        if setting.report and processes.is_first:
            with console.status("Scoring the held-out pictures ..."):
                report = write_run_report(folder, device=device)
            tell_outcome(report, folder, console)
    return folder


@dataclass(frozen=True, kw_only=True)
class _Beginning:
    """A recipe, and the checkpoint from which a run by it goes on."""

    recipe: Recipe[Any]
    snapshot: Snapshot | None = None


def _beginning(recipe: Recipe[Any] | None, folder: RunFolder) -> _Beginning:
    if recipe is not None:
        return _Beginning(recipe=recipe)
    snapshot = Shelf(folder.snapshots).newest()
    return _Beginning(recipe=stored_recipe(snapshot), snapshot=snapshot)


def _train(
    beginning: _Beginning,
    folder: RunFolder,
    device: torch.device,
    setting: Setting,
    processes: Processes,
    console: Console,
) -> None:
    session = _prepare(beginning, device, setting, processes, console)
    keeper = Keeper(folder, _standing(session, beginning.snapshot))
    _greet(console, session, folder)
    if beginning.snapshot is None:
        keeper.save(session, {})
    with listening() as stop, _observers(folder, session, console) as observers:
        Loop(
            session=session,
            validator=kit_of(session.recipe).validator(session),
            keeper=keeper,
            observers=observers,
            alerts=Alerts(console),
            stop=stop,
        ).run()


def _prepare(
    beginning: _Beginning, device: torch.device, setting: Setting, processes: Processes, console: Console
) -> Session:
    snapshot = beginning.snapshot
    recipe, data = kit_of(beginning.recipe).open_data(beginning.recipe)
    if setting.cache is not None:
        with picture_store(setting.cache, console) as store:
            data = data.cached(store)
    recipe = resolve(recipe, pictures=len(data.train), device=device)
    with console.status("Measuring how much fits into the budget ...") if recipe.length.minutes else nullcontext():
        recipe = fit_to_budget(recipe, data, device, processes, setting.workers)
    session = open_session(recipe, data, device, processes, setting.workers, fresh=snapshot is None)
    if snapshot is not None:
        restore_engine(session.engine, snapshot)
    return session


def _standing(session: Session, snapshot: Snapshot | None) -> Standing:
    if snapshot is not None:
        return Standing(**snapshot.document(STANDING))
    return Standing(metric=session.recipe.validation.best)


@contextmanager
def _observers(folder: RunFolder, session: Session, console: Console) -> Generator[list[Observer]]:
    if not session.engine.processes.is_first:
        yield []
        return
    at, total = session.engine.images, session.recipe.length.images or 0
    with ExitStack() as opened:
        yield [
            opened.enter_context(closing(MetricsFile(folder.metrics, resumed_at=at))),
            opened.enter_context(closing(TensorBoard(folder.path / "tensorboard", resumed_at=at))),
            opened.enter_context(closing(Sheets(folder.samples))),
            opened.enter_context(closing(ProgressBar(console, total=total, resumed_at=at))),
        ]


def _greet(console: Console, session: Session, folder: RunFolder) -> None:
    recipe, engine = session.recipe, session.engine
    if engine.images >= (recipe.length.images or 0):
        name = run_name(folder)
        told = f"{name} has finished ({engine.images:,} images). To go on from its weights: --start-from {name}"
        console.print(told, highlight=False, markup=False, soft_wrap=True)
        return
    console.print(session.data.description, highlight=False)
    console.print(
        f"{recipe.method} on {describe_device(engine.device)}, {recipe.precision}: {recipe.length.images:,} images "
        f"({(recipe.length.images or 0) / len(session.data.train):.1f} epochs) into {folder.path}; "
        f"{session.data.held_out_told} every {recipe.validation.every_images:,} images",
        highlight=False,
    )
