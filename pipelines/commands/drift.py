"""`pixturn drift TRAIN_DIR PRODUCTION_DIR`: has what arrives left what the model was trained on?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pipelines.commands.evaluate import require_json
from pipelines.evaluating import Drift, FeaturesName, drift
from pipelines.evaluating.documents import drift_json
from pipelines.evaluating.drifting import ALPHA, AT_MOST
from pipelines.evaluating.watching import say_left_out, say_written, watched
from pipelines.telling import say
from translate.devices import DeviceName, pick_device
from translate.errors import ConfigurationError, DatasetError, PartialFailureError
from translate.storage.atomic import write_atomically

_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class DriftOptions:
    """Trains a fresh classifier to tell the two folders apart, and tests it on pictures that it never saw.

    Says in words whether they differ and how surely, and which production pictures say so. Pictures may be of any
    sizes, and are compared at one, as by `pixturn evaluate`. Files that cannot be read are listed and left out.
    """

    train: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TRAIN_DIR")]
    """What the model was trained on: all pictures in the folder and below."""
    production: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="PRODUCTION_DIR")]
    """What it is given now."""
    features: FeaturesName = "effnet-lite1"
    """The network whose features are compared."""
    alpha: float = ALPHA
    """Report drift when p is below this; it is also the false-alarm rate."""
    fail: bool = False
    """End with exit code 8 where there is drift, and 3 where there are too few pictures to say."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="FILE")] = Path("drift.json")
    """The figures and the score of every production picture; the sheet goes beside it as .png."""
    at_most: Annotated[int, tyro.conf.arg(metavar="N")] = AT_MOST
    """Pictures of a folder beyond this number are left out, drawn by the seed."""
    seed: int = 0
    """Draws which pictures, and the halves of the test."""
    device: DeviceName = "auto"
    """Where to compute; auto takes CUDA where there is one."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(DriftOptions, prog="pixturn drift", args=list(arguments))
    require_json(options.out)
    if not 0 < options.alpha < 1:
        raise ConfigurationError(f"--alpha {options.alpha}: give a chance between 0 and 1, such as 0.05")
    with watched() as progress:
        result = drift(
            options.train,
            options.production,
            features=options.features,
            alpha=options.alpha,
            at_most=options.at_most,
            seed=options.seed,
            device=pick_device(options.device),
            progress=progress,
        )
    _tell(result)
    picture = options.out.with_suffix(".png")
    write_atomically(options.out, drift_json(result))
    write_atomically(picture, result.sheet())
    say_written(options.out, picture)
    return _exit_code(result) if options.fail else 0


def _exit_code(result: Drift) -> int:
    codes = {"drift": PartialFailureError.exit_code, "undecided": DatasetError.exit_code, "no drift seen": 0}
    return codes[result.verdict]


def _tell(result: Drift) -> None:
    training, production = result.training, result.production
    say(
        f"{len(training)} training and {len(production)} production pictures ({training.found} and {production.found} "
        f"are there), at {training.pixels.shape[1]} px, through {result.features}; seed {result.seed}"
    )
    say(result.words)
    if result.verdict == "drift":
        say("Least like the training pictures:")
        for each in result.ranked[:_NAMED]:
            say(f"  {each.score:+.2f}  {each.name}")
    for note in result.notes:
        say(note)
    say_left_out((training, production))
