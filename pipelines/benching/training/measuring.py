"""`compare_settings`: a named recipe, measured with each of its settings on this machine."""

import time
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

import torch
import tyro

from pipelines.benching.training.batches import with_known_domains
from pipelines.benching.training.comparing import BATCH_SIZES, Comparison, Plan
from pipelines.benching.training.results import Failed, TrainingResults
from pipelines.benching.training.settings import TrainingSetting
from pipelines.benching.training.steps import layouts_for, precisions_on, workshop
from pipelines.benching.watching import Watch
from pipelines.recipes import recipe_named
from pipelines.training.resolve import resolve
from translate.devices import DeviceName, describe_device, pick_device
from translate.errors import require
from translate.recipe import Recipe

_PICTURES: Final = 10_000
"""In a data set; no time depends on it."""


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Tries precision, layout, threads, compiling and batch sizes, one after the other.

    Iterations are those of the true engine on noise of the right shapes, so that no data set is needed; reading and
    augmenting pictures is not timed.
    """

    batch_size: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: the recipe's own)")] = (
        None
    )
    """Batch size of all but the last comparison."""
    crop_px: Annotated[int | None, tyro.conf.arg(metavar="P", help_behavior_hint="(default: the recipe's own)")] = None
    """Side of the training crops in pixels."""
    batch_sizes: Annotated[tuple[int, ...], tyro.conf.arg(metavar="N...")] = BATCH_SIZES
    """Batch sizes to compare, while they fit; none: give the one of --batch-size."""
    compile: bool = True
    """Try torch.compile, which takes minutes for a large network."""
    rounds: int = 5
    """Timed iterations of each setting."""
    longest_sec: float = 20.0
    """Batch sizes whose iteration would take longer than so many seconds are not tried."""
    x: str = "rgb"
    """For recipes that generate, what the data set would say: grey, rgb, rgba, or vector:N for points."""
    device: DeviceName = "auto"
    """Where to compute; auto takes CUDA where there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        for name, value in (("batch-size", self.batch_size), ("crop-px", self.crop_px), ("rounds", self.rounds)):
            require(value is None or value >= 1, name, value or 0, "at least 1")
        require(self.longest_sec > 0, "longest-sec", self.longest_sec, "above 0 seconds")
        require(min(self.batch_sizes, default=1) >= 1, "batch-sizes", min(self.batch_sizes, default=1), "at least 1")


def compare_settings(name: str, options: TrainingOptions, watch: Watch) -> TrainingResults:
    """Measure a recipe; what a signal cut short is left out.

    Raises:
        ConfigurationError: there is no such recipe, or it cannot have such crops.
        DeviceError: the device is not there.
    """
    device = pick_device(options.device)
    recipe = _sized(recipe_named(name), options)
    usual = resolve(with_known_domains(recipe, options.x), pictures=_PICTURES, device=device)
    precisions, lacking = precisions_on(device)
    layouts, all_threads = layouts_for(usual), usual.threads
    setting = TrainingSetting.of(usual)
    plan = Plan(
        plain=replace(setting, precision="fp32", layout="plain", compile=False, threads=all_threads),
        usual=setting,
        precisions=precisions,
        layouts=layouts,
        threads=_fewer(all_threads) if device.type == "cpu" else (),
        compiles=options.compile,
        batch_sizes=options.batch_sizes,
        rounds=options.rounds,
        longest_sec=options.longest_sec,
    )
    comparison = Comparison(plan, workshop(usual, device), watch, time.perf_counter)
    threads = torch.get_num_threads()
    try:
        comparison.run()
    finally:
        torch.set_num_threads(threads)
    results = comparison.results(name, describe_device(device))
    told = [Failed(setting=precision, reason=reason.strip()) for precision, _, reason in map(_parted, lacking)]
    return replace(results, failed=(*told, *results.failed))


def _sized(recipe: Recipe[Any], options: TrainingOptions) -> Recipe[Any]:
    if options.crop_px is not None:
        augmentation = recipe.augmentation
        load_px = max(augmentation.load_px, options.crop_px)
        recipe = replace(recipe, augmentation=replace(augmentation, crop_px=options.crop_px, load_px=load_px))
    return recipe if options.batch_size is None else replace(recipe, batch_size=options.batch_size)


def _fewer(threads: int) -> list[int]:
    """A half and a quarter of the threads: cores may share their arithmetic units, or their memory."""
    return sorted({threads // 2, threads // 4} - {0, threads}, reverse=True)


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(":")
