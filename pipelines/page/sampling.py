"""What the page does with generators: samples of a seed, and what they are shown and packed as; no user interface."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.generating.folder import write_samples
from pipelines.generating.generate import Generate
from pipelines.generating.inputs import Inputs
from pipelines.generating.outputs import write_numbers
from pipelines.page.again import Again, Drawn, Loading, file_stem, points_again, samples_again
from pipelines.page.bench import Bench
from pipelines.page.choices import by_whom
from pipelines.page.jobs import Job
from pipelines.page.models import Offer
from pipelines.tasks import pipeline_for
from translate.card import FixedPicture, Vector
from translate.errors import ConfigurationError

MOST_SAMPLES: Final = 100
MOST_POINTS: Final = 2_500
_TOGETHER: Final = 8
"""Few enough that a stop is noticed soon, and progress is told."""


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """The samples, with what each is called; all of them in one archive; and words."""

    pictures: tuple[tuple[Path, str], ...]
    archive: Path
    told: str
    again: Again


@dataclass(frozen=True, kw_only=True, eq=False)
class SampledPoints:
    """Points, N x size; a file with them and with what they were made of; and words."""

    points: NDArray[np.float32]
    file: Path
    told: str
    again: Again


def makes_pictures(offer: Offer) -> bool:
    """Whether there is something to look at."""
    return any(isinstance(port, FixedPicture) and port.channels <= 4 for port in offer.card.outputs)


def makes_points(offer: Offer) -> bool:
    """Whether samples are numbers, of which the first two are a place."""
    return isinstance(offer.card.outputs[0], Vector)


def sample(offer: Offer, drawn: Drawn, bench: Bench, job: Job) -> Sampled:
    """Make samples, as `pixturn generate` does. Raises PixturnError, and StoppedError where the job was stopped."""
    generate = _opened(offer, drawn, bench, job, most=MOST_SAMPLES)
    began = job.seconds
    folder, names = _written(generate, drawn, bench, job)
    seconds = job.seconds - began
    archive = shutil.make_archive(str(bench.intake.folder.new("").with_name(_stem(offer, drawn))), "zip", folder)
    pictures = sorted(folder.glob("*.png"))
    return Sampled(
        pictures=tuple(zip(pictures, names, strict=True)),
        archive=Path(archive),
        told=f"{drawn.n} samples with {by_whom(offer, generate.device)} in {seconds:.1f} s",
        again=samples_again(Loading(spoken=offer.spoken), drawn),
    )


def sample_points(offer: Offer, drawn: Drawn, bench: Bench, job: Job) -> SampledPoints:
    """Make points, as `pixturn generate -o FILE.npz` does. Raises as `sample` does."""
    generate = _opened(offer, drawn, bench, job, most=MOST_POINTS)
    began = job.seconds
    inputs = _inputs(generate, drawn)
    made = generate.run(inputs, progress=job.steps("points"))
    seconds = job.seconds - began
    file = bench.intake.folder.new("").with_name(f"{_stem(offer, drawn)}.npz")
    write_numbers({**inputs, **made}, file)
    port = offer.card.outputs[0].name
    size = made[port].shape[1]
    seen = "" if size <= 2 else f"; seen are the first two of {size} numbers"
    return SampledPoints(
        points=made[port],
        file=file,
        told=f"{drawn.n} points with {by_whom(offer, generate.device)} in {seconds:.1f} s{seen}",
        again=points_again(Loading(spoken=offer.spoken), drawn, port),
    )


def _opened(offer: Offer, drawn: Drawn, bench: Bench, job: Job, *, most: int) -> Generate:
    if not 1 <= drawn.n <= most:
        raise ConfigurationError(f"{drawn.n} samples: the page makes 1 to {most} at a time")
    if offer.path not in bench.shelf:
        job.say(f"Loading {offer.name}")
    generate = pipeline_for(bench.shelf.runtime(offer.path).for_job(job))
    if not isinstance(generate, Generate):
        raise ConfigurationError(f"{offer.name} makes nothing out of noise")
    return generate


def _inputs(generate: Generate, drawn: Drawn) -> Inputs:
    return generate.draw(drawn.n, seed=drawn.seed, label=drawn.label, codes=drawn.codes, spread=drawn.spread)


def _stem(offer: Offer, drawn: Drawn) -> str:
    return f"{file_stem(offer.name)}-seed-{drawn.seed}"


def _written(generate: Generate, drawn: Drawn, bench: Bench, job: Job) -> tuple[Path, list[str]]:
    inputs = _inputs(generate, drawn)
    folder = bench.intake.folder.new("").with_name("samples")
    step = job.steps("samples")
    write_samples(generate, inputs, folder, seed=drawn.seed, spread=drawn.spread, batch=_TOGETHER, progress=step)
    port = generate.inputs.label
    numbers = [] if port is None else [int(number) for number in inputs[port.name]]
    named = [port.names[number] if port is not None and port.names else str(number) for number in numbers]
    return folder, named or [str(index) for index in range(drawn.n)]
