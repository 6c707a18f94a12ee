"""What fits into memory: the peak of a run, and the largest batch or crop for so much memory; needs no GPU.

Iterations of the true engine are played on fake tensors, which have shapes and no numbers: nothing is guessed from the
sizes of networks. What is computed is the sum of live tensors: weights, gradients, moments, averages, kept maps.
Not in it are the CUDA context, cuDNN's workspaces and what the allocator wastes: `usable_bytes` leaves room for them.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeCopyMode, FakeTensorMode

from pipelines.training.session import build_method
from pipelines.training.storages import LiveStorages
from translate.card import Label
from translate.data.domain import SampleSpec
from translate.engine import Engine
from translate.recipe import Length, Recipe

GIB = 2**30
CONTEXT_BYTES = GIB
"""Left for the CUDA context and for what cuDNN needs to compute a convolution."""
WASTED_SHARE = 0.1
"""Of the rest, left for holes between blocks of memory."""
_ITERATIONS = 3
"""At the beginning, in the middle and at the end of a run, so that turns which start late are played, too."""
_GUESSES = 3
_MOST = 1 << 14
"""The largest batch, and crop in steps, that is looked for."""


def peak_bytes(recipe: Recipe[Any], *, batch_size: int | None = None, crop_px: int | None = None) -> int:
    """The most that live tensors of a run take at once, in bytes, in one process.

    Precision, layout and `recompute` are the recipe's; `auto` counts as fp32. Compiled networks keep less. A method
    whose shapes follow from its numbers (sgan) is tried on true tensors, which takes the memory that it tells.

    Args:
        recipe: of any method; its data are not read.
        batch_size: in the place of the recipe's.
        crop_px: height and width of training crops, in the place of the recipe's.
    """
    recipe = _at(recipe, batch_size or recipe.batch_size, crop_px or recipe.augmentation.crop_px)
    with torch.random.fork_rng(devices=[]):
        engine, batch = Engine(build_method(recipe), recipe, torch.device("cpu")), batch_of(recipe.spec())
        try:
            return _peak_of_fake(engine, batch)
        except DynamicOutputShapeException:  # shapes that follow from numbers: the samples of known class, say
            return peak_of(engine, batch)


def _peak_of_fake(engine: Engine, batch: Mapping[str, Tensor]) -> int:
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    with FakeCopyMode(mode):
        fake = copy.deepcopy(engine)
    # torch's optimisers forget in a copy what they were set up for: fused ones that they are.
    optimisers = engine.recipe.optimisers
    fake.optimisers = {name: optimisers[name].build(net.parameters()) for name, net in fake.networks.items()}
    with mode:
        return peak_of(fake, {name: mode.from_tensor(tensor) for name, tensor in batch.items()})


def peak_of(engine: Engine, batch: Mapping[str, Tensor]) -> int:
    """The most bytes that are live at once while an engine plays all its turns on a batch, fake or true."""
    with LiveStorages() as live:
        live.count(batch.values())
        for method in (engine.method, engine.averaged.method):
            live.count([*method.parameters(), *method.buffers()])
        for _ in range(_ITERATIONS):
            engine.iteration = 0  # where every turn is due that is played every so many iterations
            engine.play(lambda: batch)
    return live.peak_bytes


def batch_of(spec: SampleSpec) -> dict[str, Tensor]:
    """Noise in the place of a batch: N x C x H x W in [-1, 1] by domain, N x D points, N classes."""
    return {name: _noise(spec, name) for name in spec.domains}


def _noise(spec: SampleSpec, domain: str) -> Tensor:
    if isinstance(spec.domains[domain][0], Label):
        return torch.randint(spec.classes(domain), (spec.batch_size,))
    shape = spec.shape(domain)
    if domain == "a":
        shape = (shape[0], *(side // spec.scale for side in shape[1:]))
    return torch.rand(spec.batch_size, *shape) * 2.0 - 1.0


def _at(recipe: Recipe[Any], batch_size: int, crop_px: int) -> Recipe[Any]:
    augmentation = replace(recipe.augmentation, crop_px=crop_px, load_px=max(crop_px, recipe.augmentation.load_px))
    length = Length(images=max(1, _ITERATIONS - 1) * batch_size * recipe.accumulate)
    eager = replace(recipe, compile=False, cuda_graphs=False)
    return replace(eager, batch_size=batch_size, augmentation=augmentation, length=length, start_from="")


def usable_bytes(memory_bytes: int) -> int:
    """What tensors can have of a card's memory."""
    return max(0, int((memory_bytes - CONTEXT_BYTES) * (1.0 - WASTED_SHARE)))


def largest_batch(recipe: Recipe[Any], memory_bytes: int) -> int:
    """The largest batch size whose run fits on a card with so much memory; 0 where not even 1 does."""
    return largest(lambda size: peak_bytes(recipe, batch_size=size), usable_bytes(memory_bytes))


def largest_crop_px(recipe: Recipe[Any], memory_bytes: int, *, step_px: int = 64) -> int:
    """The largest crop, a multiple of `step_px`, that fits at the recipe's batch size; 0 where none does."""
    return step_px * largest(lambda steps: peak_bytes(recipe, crop_px=steps * step_px), usable_bytes(memory_bytes))


def largest(needed: Callable[[int], int], available: int, *, known: dict[int, int] | None = None) -> int:
    """The largest whole number, 1 to 16384, for which no more is `needed` than is `available`; 0 where there is none.

    What is needed grows with the number, nearly in a straight line: every next guess is where the line through two
    known points crosses, so that four or five are enough.

    Args:
        needed: bytes for a number.
        available: bytes that there are.
        known: what `needed` said before; what it says now is added, so that the next search asks less.
    """
    known = {} if known is None else known
    known |= {0: 0} | {number: needed(number) for number in (1, 2) if number not in known}
    asked = 0
    while True:
        low = max(number for number, bytes_ in known.items() if bytes_ <= available)
        high = min((number for number, bytes_ in known.items() if bytes_ > available), default=_MOST + 1)
        if high - low == 1:
            return low
        one, other = sorted(known)[-2:] if high > _MOST else (low, high)
        slope = max(1.0, (known[other] - known[one]) / (other - one))
        guess = one + int((available - known[one]) / slope)
        # Where it is far from a straight line, halving in turn with guessing keeps the questions few.
        is_guess = asked < _GUESSES or asked % 2 == 0 or high > _MOST
        probe = min(max(guess if is_guess else (low + high) // 2, low + 1), high - 1)
        known[probe] = needed(probe)
        asked += 1
