"""Small runs for tests: any recipe shrunk without knowing its method, real pictures for any spec, and a toy game."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage import data as photographs
from torch import Tensor, nn

from pipelines.methods import method_class
from pipelines.recipes import named_recipes, recipe_named
from translate.card import Card, Label, LabelMap, Port
from translate.data.augmentation import Augmentation
from translate.data.domain import SampleSpec
from translate.data.domains import Domains, MadePairs, OneDomain, TwoDomains
from translate.data.making.maker import held_out_draws
from translate.data.tensors import assemble
from translate.engine import Engine
from translate.enlarging import EnlargingConfig
from translate.filling import FillingConfig
from translate.method import Batch, Deploy, Method, Progress, Terms, Turn
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.enlargers import EnlargerConfig
from translate.networks.generators import GeneratorConfig
from translate.networks.inpainters import InpainterConfig
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.trunks import TrunkConfig
from translate.noise import Noise
from translate.optimisers import Adam
from translate.recipe import Length, Recipe
from translate.schedule import Schedule

RECIPES = tuple(named_recipes())
"""Every method under its own name, and the variants."""
TRANSLATING = tuple(name for name in RECIPES if isinstance(recipe_named(name).domains, TwoDomains))
DROPPING = tuple(
    name for name in RECIPES if recipe_named(name).method not in ("srgan", "esrgan", "lama", "context_encoder")
)
"""Those whose networks have a place for dropout."""

CPU = torch.device("cpu")
CROP_PX = 32
POOL_SIZE = 3
CLASSES = ("dark", "middle", "light")
PROJECTED_HEADS = 3
"""As many as crops of 32 px take."""

Shrink = Callable[[Any], Any]


def small(part: Any) -> Any:
    """Narrow and shallow networks, small pools; whatever else a configuration says is kept."""
    if isinstance(part, GeneratorConfig):
        return replace(part, width=4, depth=3, blocks=2)
    if isinstance(part, DiscriminatorConfig):
        return replace(part, width=4, layers=1)
    if isinstance(part, EnlargingConfig | FillingConfig):
        return replace(part, perceptual_weight=0.0)  # test_formulas_srgan and _lama look at it; here it takes minutes
    if isinstance(part, EnlargerConfig):
        return replace(part, width=8, blocks=1, growth=4)
    if isinstance(part, InpainterConfig):
        return replace(part, width=4, down=2, blocks=1)
    if isinstance(part, LatentGeneratorConfig):
        return replace(
            part,
            width=4,
            widths=(12,) * min(2, len(part.widths)),
            dense=min(12, part.dense),
            blocks=1,
            embedding=min(3, part.embedding),
        )
    if isinstance(part, TrunkConfig):
        return replace(
            part,
            width=4,
            # Behind two layers so narrow, strong noise leaves nothing that a step could be seen by.
            widths=(24,) if part.noise else (12,) * min(2, len(part.widths)),
            # Batch norm on a dense layer takes away the mean of a batch, by which few steps tell real from made.
            dense=0 if part.norm == "batch" else min(12, part.dense),
            blocks=1,
            embedding=min(3, part.embedding),
            input_noise=min(0.05, part.input_noise),
            noise=min(0.05, part.noise),
        )
    return replace(part, size=8) if isinstance(part, Noise) else part


def noisy(part: Any) -> Any:
    """As `small`, with dropout that acts (a U-Net this shallow has no place for it) and running statistics."""
    part = small(part)
    if isinstance(part, GeneratorConfig):
        return replace(part, kind="resnet", norm="batch", dropout=0.5)
    return replace(part, dropout=0.5) if isinstance(part, TrunkConfig) else part


def projected(part: Any) -> Any:
    """As `small`, with discriminators that look through a frozen network beside their PatchGAN."""
    part = small(part)
    if isinstance(part, DiscriminatorConfig):
        return replace(part, kind="patch+projected", heads=PROJECTED_HEADS)
    return part


def separate(part: Any) -> Any:
    """As `small`, but no picture of a batch has a say in what becomes of another, and nothing is drawn."""
    part = small(part)
    if isinstance(part, GeneratorConfig):
        return replace(part, norm="instance", dropout=0.0)
    if isinstance(part, DiscriminatorConfig):
        return replace(part, norm="none", spectral_norm=False)
    if isinstance(part, InpainterConfig | EnlargerConfig):
        return replace(part, norm="none")
    if isinstance(part, LatentGeneratorConfig):
        return replace(part, norm="none")
    if isinstance(part, TrunkConfig):
        return replace(part, norm="none", input_noise=0.0, noise=0.0, input_dropout=0.0, dropout=0.0)
    return part


def for_any_ports(part: Any) -> Any:
    """As `small`, without what asks for as many channels out as in, or for colours."""
    part = small(part)
    if isinstance(part, GeneratorConfig):
        return replace(part, difference=False)
    return replace(part, perceptual_weight=0.0) if hasattr(part, "perceptual_weight") else part


def _shrunk(part: Any, shrink: Shrink) -> Any:
    if not is_dataclass(part):
        return part
    part = shrink(part)
    changed = {field.name: _shrunk(getattr(part, field.name), shrink) for field in fields(part)}
    if "pool_size" in changed:
        changed["pool_size"] = 0 if shrink is separate else POOL_SIZE
    return replace(part, **changed)


def tiny_recipe(name: str, shrink: Shrink = small, **changes: Any) -> Recipe[Any]:
    """The named recipe with a shrunk configuration, at 32 px, for an engine; `a` and `b` are kinds of pictures."""
    recipe = recipe_named(name)
    kinds = {key: changes.pop(key) for key in ("a", "b") if key in changes}
    plain = {
        "domains": replace(_known(recipe.domains), **kinds),
        "config": _shrunk(recipe.config, shrink),
        "augmentation": Augmentation(load_px=CROP_PX, crop_px=CROP_PX),
        "batch_size": 2,
        "length": Length(images=10_000),
        "precision": "fp32",
        "threads": 1,
    }
    return replace(recipe, **(plain | changes))


def _known(domains: Domains) -> Domains:
    """Samples of x are colour pictures of three classes, as if a data set had said so."""
    if not isinstance(domains, OneDomain):
        return domains
    return replace(domains, x="rgb", classes=CLASSES if domains.labelled else ())


def tiny_method(recipe: Recipe[Any], seed: int = 0) -> Method:
    torch.manual_seed(seed)
    return method_class(recipe.method)(recipe.config, recipe.spec())


def tiny_engine(recipe: Recipe[Any], seed: int = 0) -> Engine:
    return Engine(tiny_method(recipe, seed), recipe, CPU)


def with_rate(recipe: Recipe[Any], learning_rate: float) -> Recipe[Any]:
    """The recipe with one constant learning rate everywhere."""
    optimisers = {name: replace(adam, learning_rate=learning_rate) for name, adam in recipe.optimisers.items()}
    return replace(recipe, optimisers=optimisers, schedule=Schedule(shape="constant"))


@cache
def photograph(name: str) -> np.ndarray:
    """128 x 128 x 3 uint8."""
    return np.asarray(Image.fromarray(getattr(photographs, name)()).convert("RGB").resize((128, 128)))


def photographed(port: Port, top: int, left: int, size_px: int) -> np.ndarray:
    """A crop of a photograph as a port's pixels: H x W x C, or H x W classes by brightness."""
    crop = photograph("astronaut")[top : top + size_px, left : left + size_px]
    if isinstance(port, LabelMap):
        return (crop.astype(np.uint16).sum(axis=2) * port.classes // (3 * 256)).astype(np.uint8)
    if port.channels == 1:
        return crop.mean(axis=2, keepdims=True).astype(np.uint8)
    return np.concatenate([crop, 255 - crop[..., :1]], axis=2)[..., : port.channels]


def batch_of(recipe: Recipe[Any], index: int = 0) -> dict[str, Tensor]:
    """Real pictures by domain, other crops for each `index`; those of `a` are the dark negatives of those of `b`.

    Labels go through the classes in turn. What is made of photos is made of them.
    """
    spec, domains = recipe.spec(), recipe.domains
    places = np.random.default_rng(index).integers(0, 128 - spec.height_px, (spec.batch_size, 2)).tolist()
    stored = domains.stored().items()
    batch = {name: assemble(ports, _arrays(name, ports, places, spec), CPU) for name, ports in stored}
    if isinstance(domains, MadePairs):
        return {"a": domains.making.make(batch["b"], held_out_draws(range(index, index + spec.batch_size))), **batch}
    return batch


def _arrays(domain: str, ports: tuple[Port, ...], places: list[list[int]], spec: SampleSpec) -> dict[str, Tensor]:
    arrays = dict[str, Tensor]()
    for port in ports:
        if isinstance(port, Label):
            arrays[port.name] = torch.arange(spec.batch_size) % port.classes
            continue
        pixels = np.stack([photographed(port, *place, spec.height_px) for place in places])
        if not isinstance(port, LabelMap):
            pixels = pixels.transpose(0, 3, 1, 2)
            pixels = (255 - pixels) // 2 if domain == "a" else pixels
        arrays[port.name] = torch.from_numpy(np.ascontiguousarray(pixels))
    return arrays


def drawing(recipe: Recipe[Any]) -> Callable[[], Mapping[str, Tensor]]:
    """A draw that always gives the same batch."""
    batch = batch_of(recipe)
    return lambda: batch


def drawing_by_position(engine: Engine) -> Callable[[], Mapping[str, Tensor]]:
    """A draw whose batch follows from how far the engine is, as the real stream's does."""
    count = iter(range(engine.draws, 10**9))
    return lambda: batch_of(engine.recipe, next(count))


def card_of(deploy: Deploy) -> Card:
    return Card(
        task=deploy.task,
        method="m",
        name="n",
        inputs=deploy.inputs,
        outputs=deploy.outputs,
        scale=deploy.scale,
        tiling=deploy.tiling,
    )


class Game(Method):
    """A toy: `left` and `right` learn b from a. Turns are what the test says; `seen` records what each turn got."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        pass

    def __init__(self, config: Any = None, spec: SampleSpec | None = None) -> None:
        super().__init__(config or Game.Config(), spec or game_recipe().spec())
        self.left = nn.Conv2d(3, 3, 1)
        self.right = nn.Conv2d(3, 3, 1)
        self.plan: tuple[Turn, ...] = (
            Turn(name="left", trains=(self.left,), loss=self.left_loss),
            Turn(name="right", trains=(self.right,), loss=self.right_loss),
        )
        self.seen: list[tuple[str, int, Progress]] = []
        self.poison: dict[str, Callable[[Tensor], Tensor]] = {}

    def turns(self) -> tuple[Turn, ...]:
        return self.plan

    def left_loss(self, batch: Batch, progress: Progress) -> Terms:
        return self._loss("left", self.left, batch, progress)

    def right_loss(self, batch: Batch, progress: Progress) -> Terms:
        return self._loss("right", self.right, batch, progress)

    def both_loss(self, batch: Batch, progress: Progress) -> Terms:
        return {
            **self._loss("left", self.left, batch, progress),
            "second": 3.0 * self.right(batch["a"]).square().mean(),
        }

    def _loss(self, name: str, network: nn.Module, batch: Batch, progress: Progress) -> Terms:
        self.seen.append((name, int(batch["number"]) if "number" in batch else -1, progress))
        made = network(batch["a"])
        batch.note(f"{name}_mean", made.mean())
        return {"distance": self.poison.get(name, lambda loss: loss)((made - batch["b"]).square().mean())}

    def deploys(self) -> dict[str, Deploy]:
        ports = self.spec.domains["a"]
        return {
            "AtoB": Deploy(module=self.left, networks=(self.left,), task="translate", inputs=ports, outputs=ports),
        }


def game_recipe(**changes: Any) -> Recipe[Any]:
    plain: dict[str, Any] = {
        "method": "game",
        "config": Game.Config(),
        "optimisers": {"left": Adam(), "right": Adam()},
        "length": Length(images=1000),
        "domains": TwoDomains(paired=True),
        "augmentation": Augmentation(load_px=8, crop_px=8),
        "batch_size": 2,
        "schedule": Schedule(shape="constant"),
        "precision": "fp32",
    }
    return Recipe(**(plain | changes))


def game_engine(plan: Callable[[Game], tuple[Turn, ...]] | None = None, **changes: Any) -> Engine:
    torch.manual_seed(0)
    game = Game()
    if plan is not None:
        game.plan = plan(game)
    return Engine(game, game_recipe(**changes), CPU)


def numbered(batch_size: int = 2) -> Callable[[], Mapping[str, Tensor]]:
    """A draw of pictures drawn from a seed, with the count of the draw as the tensor `number`."""
    count = iter(range(10**9))

    def draw() -> Mapping[str, Tensor]:
        number = next(count)
        generator = torch.Generator().manual_seed(number)
        a, b = torch.rand(2, batch_size, 3, 8, 8, generator=generator) * 2 - 1
        return {"a": a, "b": b, "number": torch.tensor(number)}

    return draw


def terms_of(method: Method, turn_name: str, batch: Batch, progress: Progress | None = None) -> Terms:
    """What one turn's loss says, with the movers' gradients on, as the engine has it."""
    turn = next(turn for turn in method.turns() if turn.name == turn_name)
    with batch.turn(turn.trains):
        return turn.loss(batch, progress or Progress(images=0, total_images=1))


def assert_same_move(method: Method, turn_name: str, batch: Batch, expected: Callable[[], Terms]) -> None:
    """A turn's terms and the gradients of its movers are those of `expected`, term by term and as a sum."""
    turn = next(turn for turn in method.turns() if turn.name == turn_name)
    movers = [parameter for network in turn.trains for parameter in network.parameters()]
    method.requires_grad_(False)
    for parameter in movers:
        parameter.requires_grad_(True)
    terms = terms_of(method, turn_name, batch)
    truth = expected()
    assert terms.keys() == truth.keys()
    for name, value in truth.items():
        assert float(value.detach()) != 0.0
        torch.testing.assert_close(terms[name].detach(), value.detach(), rtol=1e-5, atol=1e-7, msg=f"term {name}")
        _assert_same_gradients(terms[name], value, movers, name)
    method.requires_grad_(False)


def _assert_same_gradients(term: Tensor, truth: Tensor, movers: list[nn.Parameter], name: str) -> None:
    got = torch.autograd.grad(term, movers, retain_graph=True, materialize_grads=True)
    wanted = torch.autograd.grad(truth, movers, retain_graph=True, materialize_grads=True)
    largest = max(float(gradient.abs().max()) for gradient in wanted)
    assert largest > 0
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * largest, msg=f"gradient of {name}")
