"""What the training benchmark times: the references, and the library with its tricks on or off, one by one.

Tricks are in `benchmarks.tricks`.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.alike import copy_weights
from benchmarks.reference.cyclegan import CycleGAN
from benchmarks.reference.enlarging import Enlarging
from benchmarks.reference.pix2pix import Pix2Pix
from benchmarks.reference.system import System
from benchmarks.tricks import COMPILED, TRICKS, Contender, alone, is_on, plain, switched
from pipelines.methods import method_class
from pipelines.recipes import recipe_named
from pipelines.training.resolve import resolve
from translate.data.augmentation import Augmentation
from translate.engine import Engine
from translate.method import Method
from translate.networks.generators import GeneratorConfig
from translate.recipe import Length, Recipe

Step = Callable[[], object]
DEEPEST: Final = 8


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A system at one size: square pictures of `size_px`, `batch_size` a step."""

    system: str
    size_px: int
    batch_size: int

    @property
    def depth(self) -> int:
        """How often a U-Net halves these pictures: 8 times at 256 px, as published."""
        return min(DEEPEST, (self.size_px & -self.size_px).bit_length() - 1)

    def tensors(self, device: torch.device) -> dict[str, Tensor]:
        """Random pictures: which ones changes no time."""
        small = self.size_px // (2 if self.system == "compact" else 1)
        random = torch.Generator().manual_seed(0)
        shapes = {"a": small, "b": self.size_px}
        return {
            name: (2 * torch.rand(self.batch_size, 3, side, side, generator=random) - 1).to(device)
            for name, side in shapes.items()
        }


REFERENCES: Mapping[str, Callable[[Workload, str], System]] = {
    "pix2pix": lambda work, device: Pix2Pix(depth=work.depth, device=device),
    "cyclegan": lambda _, device: CycleGAN(device=device),
    "compact": lambda _, device: Enlarging(device=device),
}
PUBLISHED: Mapping[str, tuple[int, int]] = {"pix2pix": (256, 1), "cyclegan": (256, 1), "compact": (96, 16)}
"""Side and batch of the published runs."""


def recipe_of(work: Workload) -> Recipe[Any]:
    """The library's run of the same work, as it ships; nothing is averaged, since the reference does not."""
    recipe = recipe_named(work.system)
    if work.system == "pix2pix":
        generator = GeneratorConfig(dropout=0.5, depth=work.depth)
        recipe = replace(recipe, config=replace(recipe.config, generator=generator))
    return replace(
        recipe,
        augmentation=Augmentation(load_px=work.size_px, crop_px=work.size_px),
        batch_size=work.batch_size,
        length=Length(images=10**9),
        average_half_life_images=0.0,
    )


def as_it_ships(work: Workload, device: torch.device) -> Contender:
    """With what the library chooses for this machine."""
    return Contender(recipe=resolve(recipe_of(work), pictures=1, device=device))


REFERENCE: Final = "reference"
PLAIN: Final = "library, every trick off"
SHIPPED: Final = "library"


def contenders(work: Workload, device: torch.device, *, compiled: bool) -> dict[str, Contender]:
    """The library's contenders by name: each trick alone, and each switched in what ships."""
    shipped = as_it_ships(work, device)
    bare = plain(shipped)
    found = {PLAIN: bare, SHIPPED: shipped}
    for trick in TRICKS:
        if work.system in trick.systems and (compiled or trick.words != COMPILED):
            found[alone(trick)] = trick.on(bare)
            found[switched(trick, shipped)] = trick.off(shipped) if is_on(trick, shipped) else trick.on(shipped)
    return found


def of_tricks(work: Workload, device: torch.device, words: tuple[str, ...]) -> tuple[str, ...]:
    """The names of those that say what these tricks gain."""
    shipped = as_it_ships(work, device)
    wanted = [trick for trick in TRICKS if trick.words in words]
    return (REFERENCE, PLAIN, SHIPPED, *(name for each in wanted for name in (alone(each), switched(each, shipped))))


def reference_step(work: Workload, device: torch.device) -> Step:
    """One iteration of the reference, on pictures that lie on the device.

    It begins with the library's weights: how long a CPU takes for some layers depends on the numbers in them.
    """
    system = REFERENCES[work.system](work, str(device))
    copy_weights(_method(recipe_of(work)).networks(), system.networks)
    tensors = work.tensors(device)
    return lambda: system.step(tensors["a"], tensors["b"])


def library_step(contender: Contender, work: Workload, device: torch.device) -> Step:
    """The same of the library, by its own engine."""
    method = _method(contender.recipe)
    use_torchs(contender.torchs_own, method)
    engine = Engine(method, contender.recipe, device)
    tensors = work.tensors(device)
    return lambda: engine.play(lambda: tensors)


def _method(recipe: Recipe[Any]) -> Method:
    """With the same first weights each time."""
    torch.manual_seed(0)
    return method_class(recipe.method)(recipe.config, recipe.spec())


def use_torchs(layers: Iterable[type[nn.Module]], module: nn.Module) -> None:
    """Make torch's own of the library's layers of these kinds, with the same weights: what they are derived from."""
    kinds = tuple(layers)
    for child in module.modules():
        if isinstance(child, kinds):
            child.__class__ = type(child).__mro__[1]


def steps(work: Workload, device: torch.device, names: tuple[str, ...], *, compiled: bool) -> dict[str, Step]:
    """The contenders of these names, ready; all where no name is given."""
    known = contenders(work, device, compiled=compiled)
    wanted = names or (REFERENCE, *known)
    return {
        name: reference_step(work, device) if name == REFERENCE else library_step(known[name], work, device)
        for name in wanted
    }


def use(threads: int) -> int:
    """Give every contender so many threads; 0: as many as there are cores."""
    threads = threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    return threads
