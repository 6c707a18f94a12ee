"""Is the fast way as good? `python -m benchmarks.equal_quality FOLDER` trains both ways and scores what comes out.

The reference and the library see the very same batches in the same order (the library's stream), begin with the same
weights (the library's, by seed), and train on as many pictures; then the library's own validation scores both, in
fp32. Networks are narrow and pictures small, so that a run takes minutes on one thread; everything else is as in the
papers. What is equal is equal within the spread over seeds, which the table gives.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import torch
import tyro
from torch import Tensor

from benchmarks.alike import copy_weights
from benchmarks.quality_runs import MEASURES, Run, keep, known, table
from benchmarks.reference.cyclegan import CycleGAN
from benchmarks.reference.pix2pix import Pix2Pix
from benchmarks.reference.system import System, prepare, train
from pipelines.recipes import recipe_named
from pipelines.training.kit import kit_of
from pipelines.training.resolve import resolve
from pipelines.training.session import Session, open_session
from translate.data.augmentation import Augmentation
from translate.method import Method
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.generators import GeneratorConfig
from translate.processes import Processes
from translate.random_state import seed_everything
from translate.recipe import Length, RateRule, Recipe

BLOCKS: Final = 3
"""Of CycleGAN's narrow ResNet."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to train."""

    data: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
    """Any folder that `pixturn train` takes; for CycleGAN too, pairs by name are what scores need."""
    systems: tuple[str, ...] = ("pix2pix",)
    """pix2pix, cyclegan."""
    contenders: tuple[str, ...] = ()
    """By name; none: all."""
    seeds: int = 3
    """Runs of each contender, from other weights and in another order of pictures."""
    images: int = 8_000
    """Training pictures of a run."""
    px: int = 64
    """Side of the crops."""
    width: int = 16
    """Of all networks; published: 64."""
    held_out: int = 150
    """Pictures to score by, at most."""
    batch: int = 16
    """The large batch."""
    threads: int = 1
    """Of every run."""
    device: str = "cpu"
    """cpu or cuda."""
    json: Path | None = None
    """Write every run's scores to this file, after each run; runs that it has already are not repeated."""


Change = Callable[[Recipe[Any], int], Recipe[Any]]
"""A contender's recipe out of the plain one and the large batch."""


def plain(recipe: Recipe[Any], _: int = 1) -> Recipe[Any]:
    return replace(recipe, precision="fp32", layout="plain", compile=False)


def fast(recipe: Recipe[Any], _: int = 1) -> Recipe[Any]:
    """bf16, and whatever else the library chooses for this machine."""
    return replace(recipe, precision="bf16", layout="auto")


def large(recipe: Recipe[Any], batch: int) -> Recipe[Any]:
    return replace(fast(recipe), batch_size=batch)


def scaled(rule: RateRule, recipe: Recipe[Any], batch: int) -> Recipe[Any]:
    """Rates that grow with the batch, after a warm-up through a tenth of the run."""
    warmup_images = (recipe.length.images or 0) // 10
    schedule = replace(recipe.schedule, warmup_images=warmup_images)
    return replace(large(recipe, batch), rate_rule=rule, rate_batch=1, schedule=schedule)


REFERENCE: Final = "reference fp32"
LIBRARY: Mapping[str, Change] = {
    "library fp32": plain,
    "library bf16": fast,
    "library bf16, large batch": large,
    "library bf16, large batch, rates by square root": partial(scaled, "square-root"),
    "library bf16, large batch, rates linear": partial(scaled, "linear"),
}
CONTENDERS: Final = (REFERENCE, *LIBRARY)


def _pix2pix(recipe: Recipe[Any], width: int) -> Recipe[Any]:
    generator, discriminator = GeneratorConfig(width=width, dropout=0.5), DiscriminatorConfig(width=width)
    return replace(recipe, config=replace(recipe.config, generator=generator, discriminator=discriminator))


def _cyclegan(recipe: Recipe[Any], width: int) -> Recipe[Any]:
    generator = GeneratorConfig(kind="resnet", norm="instance", width=width, blocks=BLOCKS)
    discriminator = DiscriminatorConfig(width=width, norm="instance")
    return replace(recipe, config=replace(recipe.config, generator=generator, discriminator=discriminator))


NARROW: Mapping[str, Callable[[Recipe[Any], int], Recipe[Any]]] = {"pix2pix": _pix2pix, "cyclegan": _cyclegan}
REFERENCES: Mapping[str, Callable[[Options], System]] = {
    "pix2pix": lambda o: Pix2Pix(width=o.width, depth=(o.px & -o.px).bit_length() - 1, device=o.device),
    "cyclegan": lambda o: CycleGAN(width=o.width, blocks=BLOCKS, device=o.device),
}


def main(options: Options) -> None:
    """Print a table in Markdown."""
    prepare()
    runs = known(options.json)
    for system in options.systems:
        for seed in range(options.seeds):
            for contender in options.contenders or CONTENDERS:
                if not any((run.system, run.contender, run.seed) == (system, contender, seed) for run in runs):
                    runs.append(_run(system, contender, seed, options))
                    keep(runs, options.json)
                    print(runs[-1], flush=True)
    print("\n" + "\n".join(table(runs, REFERENCE)))


def recipe_of(system: str, seed: int, options: Options) -> Recipe[Any]:
    """The paper's recipe but narrow, for small pictures, and as long as was asked for."""
    recipe = recipe_named(system)
    return replace(
        NARROW[system](recipe, options.width),
        data=str(options.data),
        augmentation=Augmentation(load_px=options.px * 9 // 8, crop_px=options.px),
        length=Length(images=options.images),
        validation=replace(recipe.validation, most=options.held_out),
        threads=options.threads,
        seed=seed,
    )


def _run(system: str, contender: str, seed: int, options: Options) -> Run:
    recipe = recipe_of(system, seed, options)
    change = plain if contender == REFERENCE else LIBRARY[contender]
    session = _opened(change(recipe, options.batch), options)
    reference = REFERENCES[system](options)
    seed_everything(seed)  # dropout draws the same numbers in both
    clock, computed = time.perf_counter(), time.process_time()
    if contender == REFERENCE:
        _train_reference(session, reference)
    else:
        _train_library(session)
    seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - computed
    scores = _scores(session, options)
    return Run(system=system, contender=contender, seed=seed, seconds=seconds, cpu_seconds=cpu_seconds, scores=scores)


def _opened(recipe: Recipe[Any], options: Options) -> Session:
    device = torch.device(options.device)
    recipe, data = kit_of(recipe).open_data(recipe)
    recipe = resolve(recipe, pictures=len(data.train), device=device)
    return open_session(recipe, data, device, Processes(), 0)


def _train_library(session: Session) -> None:
    stream = session.stream()
    while session.engine.images < (session.recipe.length.images or 0):
        session.engine.play(stream)
    stream.batches.close()


def _train_reference(session: Session, reference: System) -> None:
    """From the session's weights, on its pictures; its networks get what comes out."""
    networks = session.engine.networks
    copy_weights(networks, reference.networks)
    total = (session.recipe.length.images or 0) // session.recipe.batch_size
    for _ in train(reference, _batches(session), total=total):
        pass
    copy_weights(reference.networks, networks)


def _batches(session: Session) -> Iterator[tuple[Tensor, Tensor]]:
    stream = session.stream()
    while True:
        batch = stream()
        yield batch["a"], batch["b"]


def _scores(session: Session, options: Options) -> dict[str, float]:
    """All are judged alike, in fp32, whatever they were trained in."""
    judged = _opened(plain(session.recipe), options)
    method: Method = judged.engine.method
    method.load_state({name: value.contiguous() for name, value in session.engine.method.state().items()})
    measured = kit_of(judged.recipe).validator(judged).measure()
    return {name: score.value for name, score in measured.items() if name in MEASURES}


if __name__ == "__main__":
    main(tyro.cli(Options))
