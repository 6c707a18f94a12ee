"""`pixturn evaluate NAME|FOLDER --against FOLDER`: how good is what a model makes, as a set, beside real pictures?"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table

from pipelines.assessing import held_out, judged
from pipelines.evaluating import Evaluation, FeaturesName, evaluate
from pipelines.evaluating.documents import evaluation_json
from pipelines.evaluating.evaluation import AT_MOST
from pipelines.evaluating.figures import figures
from pipelines.evaluating.page import page
from pipelines.evaluating.watching import printable, say, say_left_out, say_written, watched
from pipelines.runs import RUNS
from translate.devices import DeviceName, pick_device
from translate.errors import ConfigurationError
from translate.storage.atomic import write_atomically


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """Compares two sets of pictures at equal counts, and writes figures, and a sheet of what gives the fakes away.

    Pictures may be of any sizes: each is cut to the square in its middle and resized (bicubic, averaged where it
    shrinks) to one side, the smaller of the two folders' median shorter sides, at most 128 px (299 for inception).

    Where the real folder has twice as many pictures, as many others of them are scored too: what a perfect generator
    would get. Files that cannot be read are listed and left out.
    """

    made: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME|FOLDER")]
    """What is judged: a folder with all pictures in it and below; or a generator, as the name or folder of a trained
    run or an .onnx file, by its first pictures of the seed."""
    against: Annotated[
        Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="(default: what the run held out)")
    ] = None
    """Real pictures, that no model was trained on."""
    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""
    features: FeaturesName = "effnet-lite1"
    """Through what the pictures are seen. inception: FID's own network, where its weights are on this machine."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="FILE")] = Path("evaluation.json")
    """The figures; the sheet goes beside it as .png."""
    html: bool = False
    """Also write a page with the table and the sheet beside it, as .html."""
    at_most: Annotated[int, tyro.conf.arg(metavar="N")] = AT_MOST
    """Pictures of a folder beyond this number are left out, drawn by the seed."""
    seed: int = 0
    """Draws which pictures, and the halves of the test."""
    device: DeviceName = "auto"
    """Where to compute; auto takes CUDA where there is one."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(EvaluateOptions, prog="pixturn evaluate", args=list(arguments))
    require_json(options.out)
    with watched() as progress:
        real = options.against or held_out(options.made, most=2 * options.at_most, runs=options.runs)
        evaluation = evaluate(
            judged(options.made, count=options.at_most, seed=options.seed, device=options.device, runs=options.runs),
            real,
            features=options.features,
            at_most=options.at_most,
            seed=options.seed,
            device=pick_device(options.device),
            progress=progress,
        )
    _tell(evaluation)
    _write(evaluation, options)
    return 0


def require_json(out: Path) -> None:
    """Raises ConfigurationError for a place where no .json file can go: it is known before the work, not after."""
    if out.suffix.lower() != ".json" or not out.parent.is_dir():
        raise ConfigurationError(f"--out {out}: give a file ending in .json, in a folder that is there")


def _tell(evaluation: Evaluation) -> None:
    made, real = evaluation.made, evaluation.real
    say(
        f"{len(made)} pictures of each ({made.found} and {real.found} are there), at {made.pixels.shape[1]} px, "
        f"through {evaluation.features}; seed {evaluation.seed}"
    )
    table = Table("figure", "measured")
    if evaluation.reference:
        table.add_column("other real pictures")
    table.add_column("what it says")
    for each in figures(evaluation):
        cells = [each.name, each.value, *([each.reference] if evaluation.reference else []), each.meaning]
        table.add_row(*map(printable, cells))
    Console(file=sys.stdout).print(table, highlight=False, markup=False)
    for note in evaluation.notes:
        say(note)
    say_left_out((made, real))


def _write(evaluation: Evaluation, options: EvaluateOptions) -> None:
    picture, html = options.out.with_suffix(".png"), options.out.with_suffix(".html")
    write_atomically(options.out, evaluation_json(evaluation))
    write_atomically(picture, evaluation.sheet())
    if options.html:
        write_atomically(html, page(evaluation))
    say_written(options.out, picture, *([html] if options.html else []))
