"""What a run would take on this machine, by trying a step or two of it: time and memory."""

import resource
import sys
from typing import Any

import torch

from pipelines.training.budget import images_per_sec
from pipelines.training.kit import kit_of
from pipelines.training.memory import memory_told
from pipelines.training.resolve import resolve
from pipelines.training.session import open_session
from translate.devices import DeviceName, describe_device, pick_device
from translate.processes import Processes
from translate.recipe import Recipe

_TRIED_SEC = 3.0


def estimate(recipe: Recipe[Any], device_name: DeviceName = "auto", *, name: str = "") -> str:
    """Time and memory of the recipe on its folder, in a sentence; measured on a few real steps.

    `name` is what the recipe is called; without it, it is called by its method.
    """
    device = pick_device(device_name)
    recipe, data = kit_of(recipe).open_data(recipe)
    recipe = resolve(recipe, pictures=len(data.train), device=device)
    with memory_told():
        session = open_session(recipe, data, device, Processes(), workers=0)
        rate = images_per_sec(session, warm_up=1, least=1, at_least_sec=_TRIED_SEC)
    where = f"on {describe_device(device)}, {_memory_gb(device):.1f} GB of memory"
    return f"{name or recipe.method}{_length(recipe, rate)} {where}"


def _length(recipe: Recipe[Any], rate: float) -> str:
    """The time that a number of images takes, or the number that a time allows; `rate` is images a second."""
    size = f"images of {recipe.augmentation.crop_px} px"
    images, minutes = recipe.length.images, recipe.length.minutes
    if images is not None:
        return f" as by its recipe ({images:,} {size}): about {_duration(images / rate)}"
    assert minutes is not None  # epochs have become images
    return f": {minutes:g} minutes by its recipe, about {rate * 60 * minutes:,.0f} {size}"


def _memory_gb(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kibibytes, macOS bytes.
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
