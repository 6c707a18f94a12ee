"""The true engine of a recipe on a synthetic batch, one iteration a call; and what this machine's torch can do."""

import gc
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor

from pipelines.benching.machine import free_memory_bytes
from pipelines.benching.training.batches import synthetic_batch
from pipelines.benching.training.comparing import Workshop
from pipelines.benching.training.settings import TrainingSetting
from pipelines.training.fitting import peak_bytes, usable_bytes
from pipelines.training.session import build_method, require_optimisers
from translate.card import FixedPicture, PicturePort
from translate.devices import multiplies_bf16, prepare_device
from translate.engine import Engine
from translate.method import Progress
from translate.random_state import seed_everything
from translate.recipe import Layout, Length, Precision, Recipe

_log = logging.getLogger(__name__)

_IMAGES: Final = 10**9
"""Length of the run that an iteration is taken out of."""
_FRACTIONS: Final = (0.5, 0.0, 0.99)
"""How far the run is; where most turns are due, the first in this order."""


class Step:
    """One iteration of a recipe's engine, with all its work done when the call returns."""

    def __init__(self, recipe: Recipe[Any], device: torch.device) -> None:
        torch.set_num_threads(recipe.threads)
        prepare_device(device)
        seed_everything(recipe.seed)
        method = build_method(recipe)
        require_optimisers(recipe, method)
        self._engine = Engine(method, recipe, device)
        self._batch = synthetic_batch(recipe, device)
        self._threads = recipe.threads
        samples = recipe.batch_size * self._engine.processes.world
        self._engine.draws = round(_busiest(self._engine) * _IMAGES) // samples

    def __call__(self) -> None:
        """One iteration."""
        torch.set_num_threads(self._threads)
        self._engine.play(self._draw)
        if self._engine.device.type == "cuda":
            torch.cuda.synchronize(self._engine.device)

    def _draw(self) -> Mapping[str, Tensor]:
        return dict(self._batch)


class _Memory:
    """What settings take, by fake tensors, and what there is."""

    def __init__(self, recipe: Recipe[Any], device: torch.device) -> None:
        self._recipe = recipe
        self._device = device
        self._known: dict[TrainingSetting, int | None] = {}

    def peak_bytes(self, setting: TrainingSetting) -> int | None:
        """See Workshop; only precision and batch size make a difference that is known of."""
        key = replace(setting, layout="plain", compile=False, threads=1)
        if key not in self._known:
            self._known[key] = self._counted(key)
        return self._known[key]

    def _counted(self, setting: TrainingSetting) -> int | None:
        try:
            return peak_bytes(setting.applied(self._recipe))
        except Exception as problem:  # an operation that fake tensors do not know; then trying it tells
            _log.info("The memory of %s cannot be told: %s", setting.words, problem)
            return None

    def free_bytes(self) -> int | None:
        """See Workshop: what was closed counts as free."""
        gc.collect()
        if self._device.type == "cuda":
            return usable_bytes(torch.cuda.mem_get_info(self._device)[0])
        return free_memory_bytes()


def workshop(recipe: Recipe[Any], device: torch.device) -> Workshop:
    """Steps of a recipe on a device; `recipe` says what its data are, and nothing else is `auto`."""
    recipe = lasting(recipe)

    def open_step(setting: TrainingSetting) -> Step:
        return Step(setting.applied(recipe), device)

    memory = _Memory(recipe, device)
    return Workshop(open=open_step, memory_bytes=memory.peak_bytes, free_bytes=memory.free_bytes, forget=_forget)


def lasting(recipe: Recipe[Any]) -> Recipe[Any]:
    """The recipe as a run so long that no iteration changes how far it is."""
    return replace(recipe, length=Length(images=_IMAGES))


def precisions_on(device: torch.device) -> tuple[list[Precision], list[str]]:
    """Arithmetic that the device has, fp32 first; and what is told of what it has not."""
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return ["fp32", "bf16", "fp16"], []
        return ["fp32", "fp16"], ["bf16: this GPU would emulate it"]
    if device.type != "cpu":
        return ["fp32"], [f"bf16: not tried on {device.type}"]
    if multiplies_bf16():
        return ["fp32", "bf16"], []
    return ["fp32"], ["bf16: this processor would emulate it (it has neither AVX512-BF16 nor AMX)"]


def layouts_for(recipe: Recipe[Any]) -> Sequence[Layout]:
    """Both for pictures; points and single numbers have one order."""
    ports = [port for domain in recipe.domains.stored().values() for port in domain]
    are_pictures = any(isinstance(port, PicturePort | FixedPicture) for port in ports)
    return ["plain", "channels-last"] if are_pictures else ["plain"]


def _busiest(engine: Engine) -> float:
    """How far the run is where most turns are due."""

    def due(fraction: float) -> int:
        progress = Progress(images=round(fraction * _IMAGES), total_images=_IMAGES)
        return sum(turn.is_due(0, progress) for turn in engine.turns)

    return max(_FRACTIONS, key=due)


def _forget() -> None:
    torch.compiler.reset()
