"""`pixturn evaluate NAME|FOLDER --against FOLDER`: how good is what a model makes, as a set, beside real pictures?"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

import tyro
from rich.console import Console
from rich.table import Table

from pipelines.assessing import SEED, AssessmentOptions, assess
from pipelines.evaluating import FeaturesName, Told
from pipelines.evaluating.documents import written
from pipelines.evaluating.evaluation import AT_MOST
from pipelines.evaluating.features import USUAL
from pipelines.evaluating.figures import COLUMNS
from pipelines.evaluating.page import page
from pipelines.evaluating.sets import Progress
from pipelines.evaluating.watching import say_left_out, say_written, watched
from pipelines.runs import RUNS
from pipelines.telling import printable, say
from translate.devices import DeviceName
from translate.errors import ConfigurationError
from translate.storage.atomic import require_place, write_atomically

_FEATURES = f"{{{','.join(get_args(FeaturesName))}}}"


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """Compares two sets of samples at equal counts, and writes figures, and a sheet of what gives the fakes away.

    Pictures may be of any sizes: each is cut to the square in its middle and resized (bicubic, averaged where it
    shrinks) to one side, the smaller of the two folders' median shorter sides, at most 128 px (299 for inception).

    Where there are twice as many real pictures, as many others of them are scored too: what a perfect generator would
    get. Files that cannot be read are listed and left out.

    A generator is measured by the papers' protocols too, where they fit: modes that the data set knows, GAN-test and
    GAN-train of classes, a Parzen window of points and small grey pictures.
    """

    made: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME|FOLDER")]
    """What is judged: a folder with all pictures in it and below; or a generator, as the name or folder of a trained
    run or an .onnx file, by its first pictures of the seed."""
    against: Annotated[
        Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="(default: what the run held out)")
    ] = None
    """Real samples, that no model was trained on: a folder of pictures, or a data set as for training (its test split
    is compared, its training split is for classifiers to learn from)."""
    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""
    features: Annotated[
        FeaturesName | None, tyro.conf.arg(metavar=_FEATURES, help_behavior_hint=f"(default: {USUAL})")
    ] = None
    """The network whose features are compared. inception: FID's own network, where its weights are on this machine. Not
    for points."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="FILE")] = Path("evaluation.json")
    """The figures; the sheet goes beside it as .png."""
    html: bool = False
    """Also write a page with the table and the sheet beside it, as .html."""
    at_most: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint=f"(default: {AT_MOST})")] = None
    """Pictures of a folder beyond this number are left out, drawn by the seed. Not for points."""
    protocols: bool = True
    """Whether to follow the papers' protocols: up to a minute or two of a core."""
    seed: int = SEED
    """Draws the noise, which pictures, and the halves of the test. Not 0 by default: a run's best weights were chosen
    by the noise of that seed, and would look too good."""
    device: DeviceName = "auto"
    """Where to compute; auto takes CUDA where there is one."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(EvaluateOptions, prog="pixturn evaluate", args=list(arguments))
    require_json(options.out)
    with watched() as progress:
        told = assess(options.made, options.against, _how(options, progress))
    _tell(told)
    _write(told, options)
    return 0


def _how(options: EvaluateOptions, progress: Progress) -> AssessmentOptions:
    return AssessmentOptions(
        features=options.features,
        at_most=options.at_most,
        seed=options.seed,
        device=options.device,
        protocols=options.protocols,
        runs=options.runs,
        progress=progress,
    )


def require_json(out: Path) -> None:
    """Make sure of it before the work, not after.

    Raises:
        ConfigurationError: a place where no .json file can go.
        StorageError: one where nobody may write.
    """
    if out.suffix.lower() != ".json" or not out.parent.is_dir():
        raise ConfigurationError(f"--out {out}: give a file ending in .json, in a folder that is there")
    require_place(out)


def _tell(told: Told) -> None:
    say(told.about)
    shown = [(each.name, each.value, each.reference, each.meaning) for each in told.figures]
    has_reference = any(reference for _, _, reference, _ in shown)
    table = Table(*(name for name in COLUMNS if has_reference or name != COLUMNS[2]))
    for name, value, reference, meaning in shown:
        table.add_row(*map(printable, (name, value, *([reference] if has_reference else []), meaning)))
    Console(file=sys.stdout).print(table, highlight=False, markup=False)
    for note in told.notes:
        say(note)
    say_left_out(told.sets)


def _write(told: Told, options: EvaluateOptions) -> None:
    picture, html = options.out.with_suffix(".png"), options.out.with_suffix(".html")
    write_atomically(options.out, written(told.document))
    write_atomically(picture, told.sheet)
    if options.html:
        write_atomically(html, page(told))
    say_written(options.out, picture, *([html] if options.html else []))
