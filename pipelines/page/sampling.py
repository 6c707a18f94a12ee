"""What the page does with generators: samples of a seed, and what they are shown and packed as; no user interface."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipelines.generating.folder import write_samples
from pipelines.generating.generate import Generate
from pipelines.page.again import Again, Loading, file_stem, samples_again
from pipelines.page.bench import Bench
from pipelines.page.jobs import Job
from pipelines.page.models import Offer
from pipelines.tasks import pipeline_for
from translate.card import FixedPicture
from translate.errors import ConfigurationError

MOST_SAMPLES: Final = 100
_TOGETHER: Final = 8
"""Few enough that a stop is noticed soon, and progress is told."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which samples: `label` is a class by name (None: all in turn), `codes` are further numbers by port."""

    n: int
    seed: int = 0
    label: str | None = None
    codes: Mapping[str, Sequence[float]] = field(default_factory=dict[str, Sequence[float]])
    spread: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """The samples, with what each is called; all of them in one archive; and words."""

    pictures: tuple[tuple[Path, str], ...]
    archive: Path
    told: str
    again: Again


def makes_pictures(offer: Offer) -> bool:
    """Whether there is something to look at."""
    return any(isinstance(port, FixedPicture) and port.channels <= 4 for port in offer.card.outputs)


def sample(offer: Offer, wanted: Wanted, bench: Bench, job: Job) -> Sampled:
    """Make samples, as `pixturn generate` does. Raises PixturnError, and StoppedError where the job was stopped."""
    if not 1 <= wanted.n <= MOST_SAMPLES:
        raise ConfigurationError(f"{wanted.n} samples: the page makes 1 to {MOST_SAMPLES} at a time")
    if offer.path not in bench.shelf:
        job.say(f"Loading {offer.name}")
    generate = pipeline_for(bench.shelf.runtime(offer.path).for_job(job))
    if not isinstance(generate, Generate):
        raise ConfigurationError(f"{offer.name} does not make pictures out of noise")
    began = job.seconds
    folder, names = _written(generate, wanted, bench, job)
    seconds = job.seconds - began
    stem = f"{file_stem(offer.name)}-seed-{wanted.seed}"
    archive = shutil.make_archive(str(bench.intake.folder.new("").with_name(stem)), "zip", folder)
    pictures = sorted(folder.glob("*.png"))
    return Sampled(
        pictures=tuple(zip(pictures, names, strict=True)),
        archive=Path(archive),
        told=f"{wanted.n} samples with {offer.name}, {offer.card.precision} on {generate.device} in {seconds:.1f} s",
        again=_again(offer, wanted),
    )


def _written(generate: Generate, wanted: Wanted, bench: Bench, job: Job) -> tuple[Path, list[str]]:
    inputs = generate.draw(wanted.n, seed=wanted.seed, label=wanted.label, codes=wanted.codes, spread=wanted.spread)
    folder = bench.intake.folder.new("").with_name("samples")
    step = job.steps("samples")
    write_samples(generate, inputs, folder, seed=wanted.seed, spread=wanted.spread, batch=_TOGETHER, progress=step)
    port = generate.inputs.label
    numbers = [] if port is None else [int(number) for number in inputs[port.name]]
    named = [port.names[number] if port is not None and port.names else str(number) for number in numbers]
    return folder, named or [str(index) for index in range(wanted.n)]


def _again(offer: Offer, wanted: Wanted) -> Again:
    return samples_again(
        Loading(spoken=offer.spoken),
        n=wanted.n,
        seed=wanted.seed,
        label=wanted.label,
        codes=wanted.codes,
        spread=wanted.spread,
    )
