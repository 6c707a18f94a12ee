"""A run in memory: recipe, data, engine, and the stream of batches from where the run stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from pipelines.methods import method_class
from pipelines.training.data import Data
from pipelines.training.initial import start_from
from translate.card import PicturePort, Port, picture_ports
from translate.data.device_augmentation import DeviceAugmentation, DeviceAugmenter
from translate.data.domains import OneDomain
from translate.data.making.maker import Maker
from translate.data.stream import Batches, loader
from translate.data.tensors import assemble
from translate.devices import prepare_device
from translate.engine import Engine
from translate.errors import ConfigurationError
from translate.method import Method
from translate.processes import Processes
from translate.random_state import seed_everything
from translate.recipe import Recipe


@dataclass(frozen=True, kw_only=True, eq=False)
class Session:
    """What the training loop works with; `draw` gives the next batch by domain, on the device."""

    recipe: Recipe[Any]
    data: Data
    engine: Engine
    workers: int

    def stream(self) -> "DomainStream":
        """The batches from the engine's position on."""
        recipe, engine = self.recipe, self.engine
        batches = loader(
            self.data.train,
            batch_size=recipe.batch_size,
            seed=recipe.seed,
            position=engine.images,
            workers=self.workers,
            rank=engine.processes.rank,
            world=engine.processes.world,
            pin_memory=engine.device.type == "cuda",
        )
        augmenter = DeviceAugmenter(
            recipe.device_augmentation,
            _pictures(recipe.domains.stored()),
            seed=recipe.seed,
            paired=recipe.domains.paired,
        )
        maker = Maker(recipe.domains, seed=recipe.seed)
        return DomainStream(batches=batches, session=self, augmenter=augmenter, maker=maker)


@dataclass(frozen=True, kw_only=True, eq=False)
class DomainStream:
    """Calling it gives the next batch: the tensors of each domain, on the device."""

    batches: Batches
    session: Session
    augmenter: DeviceAugmenter
    maker: Maker

    def __call__(self) -> Mapping[str, Tensor]:
        """N x C x H x W in [-1, 1] by domain."""
        recipe, engine = self.session.recipe, self.session.engine
        position = self.batches.position + engine.processes.rank * recipe.batch_size
        arrays = next(self.batches)
        stored = recipe.domains.stored()
        tensors = {name: assemble(ports, arrays, engine.device) for name, ports in stored.items()}
        if recipe.device_augmentation != DeviceAugmentation():
            pictures = {name: tensors[name] for name in _pictures(stored)}
            tensors |= self.augmenter(pictures, position=position)
        return self.maker(tensors, position=position)


def _pictures(domains: Mapping[str, tuple[Port, ...]]) -> dict[str, tuple[PicturePort, ...]]:
    """The domains that hold pictures: points and classes are not turned or coloured."""
    return {
        name: picture_ports(ports)
        for name, ports in domains.items()
        if all(isinstance(port, PicturePort) for port in ports)
    }


def require_optimisers(recipe: Recipe[Any], method: Method) -> None:
    """Refuse a recipe whose optimisers are not those of the method's networks."""
    wanted, given = set(method.networks()), set(recipe.optimisers)
    if wanted != given:
        raise ConfigurationError(
            f"--optimisers: {recipe.method} has the networks {', '.join(sorted(wanted))}, but the recipe's optimisers "
            f"are for {', '.join(sorted(given)) or 'none'}; give one for each network, by its name"
        )


@runtime_checkable
class _WantsSize(Protocol):
    """A network that takes no smaller pictures; discriminators have this, which see crops as they are."""

    at_least_px: int


def build_method(recipe: Recipe[Any]) -> Method:
    """The recipe's method with its initial weights, on the CPU; draws from torch's global random state.

    Raises ConfigurationError where the crops are too small for a discriminator.
    """
    kind = method_class(recipe.method)
    if isinstance(recipe.domains, OneDomain) and recipe.domains.labels_a_class and not kind.takes_unlabelled:
        raise ConfigurationError(f"--labels-a-class: {recipe.method} needs every label; leave it out, or train sgan")
    method = kind(recipe.config, recipe.spec())
    crop_px = recipe.augmentation.crop_px
    for name, network in method.networks().items():
        if isinstance(network, _WantsSize) and network.at_least_px > crop_px:
            raise ConfigurationError(
                f"{name} needs crops of at least {network.at_least_px} px, and --augmentation.crop-px is {crop_px}: "
                "enlarge it, or give the discriminator fewer layers, scales or heads"
            )
    return method


def open_session(
    recipe: Recipe[Any],
    data: Data,
    device: torch.device,
    processes: Processes,
    workers: int,
    *,
    fresh: bool = True,
) -> Session:
    """A run at its start. Sets threads and device, seeds everything; a run that is not fresh will be restored."""
    torch.set_num_threads(recipe.threads)
    prepare_device(device)
    seed_everything(recipe.seed)
    method = build_method(recipe)
    require_optimisers(recipe, method)
    if fresh and recipe.start_from:
        start_from(method, recipe.start_from)
    engine = Engine(method, recipe, device, processes)
    # All processes start from one set of weights and then draw their own noise.
    seed_everything(recipe.seed + processes.rank)
    return Session(recipe=recipe, data=data, engine=engine, workers=workers)
