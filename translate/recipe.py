"""A run as plain data: everything that decides which weights come out, with an exact JSON round trip.

A run is one recipe; a published result is a function that returns one. Every field is an option of
`pixturn train`, its docstring the help. Lengths are counted in images (training samples drawn), never in steps,
so that a recipe means the same at any batch size.
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

import cattrs
import tyro
from cattrs.strategies import configure_tagged_union

from translate.data.augmentation import Augmentation
from translate.data.device_augmentation import DeviceAugmentation
from translate.data.domain import SampleSpec
from translate.data.domains import Domains
from translate.data.making import Making
from translate.errors import ConfigurationError, require
from translate.optimisers import Optimiser
from translate.schedule import Schedule

ConfigT = TypeVar("ConfigT")

_SEEDS = 2**63

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Layout = Literal["auto", "plain", "channels-last"]
RateRule = Literal["none", "linear", "square-root"]


@dataclass(frozen=True, kw_only=True)
class Length:
    """How long a run is; give exactly one."""

    images: int | None = None
    """Training samples drawn."""
    epochs: float | None = None
    """Passes over the training set."""
    minutes: float | None = None
    """Wall-clock budget in minutes; after a measured warm-up it becomes a number of images."""

    def __post_init__(self) -> None:
        """Refuse a length that is given twice, or not at all, or not above zero."""
        lengths = {"images": self.images, "epochs": self.epochs, "minutes": self.minutes}
        given = {name: value for name, value in lengths.items() if value is not None}
        if len(given) != 1:
            told = " and ".join(f"--{name}" for name in given) or "none of them"
            raise ConfigurationError(f"Give one length, --images, --epochs or --minutes, above 0 (given: {told})")
        for name, value in given.items():
            if not 0 < value < math.inf:
                raise ConfigurationError(f"--{name} {value:g}: give one length above 0")


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Held-out pictures, and how often they are scored."""

    every_images: int = 0
    """Score the validation pictures every N images; 0: twenty times a run, fewer where --minutes is short."""
    fraction: float = 0.1
    """Part of the training pictures held out (by a hash of the name) where the folder has no validation split."""
    most: int = 200
    """At most so many validation pictures."""
    best: Annotated[str, tyro.conf.arg(metavar="METRIC")] = ""
    """The metric that decides which weights are best: perceptual, l1, psnr, ssim for pairs; kid, frechet; energy for
    points; class_accuracy; last: the newest weights; empty: the method's own choice."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        require(self.every_images >= 0, "validation.every-images", self.every_images, "0 or more images")
        require(0 <= self.fraction < 1, "validation.fraction", self.fraction, "0 to below 1")
        require(self.most >= 1, "validation.most", self.most, "at least 1 picture")


@dataclass(frozen=True, kw_only=True)
class Recipe(Generic[ConfigT]):
    """One run."""

    method: Annotated[str, tyro.conf.Suppress]
    """Name of the method: its module in pipelines.methods."""
    config: ConfigT
    """The method's own configuration."""
    optimisers: dict[str, Optimiser]
    """An optimiser for each network, by the network's name."""
    length: Annotated[Length, tyro.conf.Suppress]
    """How long to train; on the command line --images, --epochs or --minutes."""
    data: Annotated[str, tyro.conf.arg(metavar="DIR", help_behavior_hint="(required)")] = ""
    """The data set's folder; `pixturn check DIR` says how it is understood."""
    domains: Annotated[Domains, tyro.conf.arg(name=""), tyro.conf.AvoidSubcommands]
    """What the data set holds."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """What is done to training pictures on the CPU, by albumentations."""
    device_augmentation: DeviceAugmentation = field(default_factory=DeviceAugmentation)
    """What is done to whole batches on the device, by kornia; off by default."""
    batch_size: int = 1
    """Samples a step, in each process."""
    accumulate: int = 1
    """Batches over whose gradients a step takes the mean."""
    clip_norm: float = 0.0
    """Global norm to which each turn's gradient is clipped, where the method sets none itself; 0: not clipped."""
    schedule: Schedule = field(default_factory=Schedule)
    """The learning rate over the run."""
    average_half_life_images: float = 0.0
    """Half-life in images of the averaged weights that users get (Karras et al. 2018); 0: the last weights."""
    precision: Precision = "auto"
    """Arithmetic of the networks; auto: bf16 where the hardware multiplies it, else fp16 on a GPU and fp32 on a CPU."""
    compile: bool = False
    """Compile the networks with torch.compile."""
    cuda_graphs: bool = False
    """With --compile on CUDA: replay what was compiled as CUDA graphs (reduce-overhead), for small networks, which wait
    for Python. Other devices compile as they would without."""
    layout: Layout = "auto"
    """Order of the numbers of a batch in memory: channel by channel (plain) or pixel by pixel (channels-last)."""
    recompute: bool = False
    """Keep only some maps of the forward passes and compute the others again backwards: less memory, more time."""
    rate_rule: RateRule = "none"
    """How learning rates grow with the batch: they are meant for batches of `rate_batch`, and are multiplied by the
    quotient of the batch sizes (linear, Goyal et al. 2017) or its square root."""
    rate_batch: int = 0
    """Batch size that the learning rates are meant for, over all processes; a rule needs it."""
    threads: int = 0
    """CPU threads of one operation; 0: all cores. Results are bit-equal only at an equal count."""
    seed: int = 0
    """Decides initial weights, order of pictures, augmentation and noise."""
    validation: Validation = field(default_factory=Validation)
    """Scoring of held-out pictures."""
    save_every_images: int = 0
    """Save a checkpoint every N images; 0: at each validation."""
    start_from: Annotated[str, tyro.conf.arg(metavar="RUN", help_behavior_hint="(default: none)")] = ""
    """Name or folder of a run whose best weights are the initial ones (fine-tuning)."""

    def __post_init__(self) -> None:
        """Refuse what no run can be."""
        require(self.batch_size >= 1, "batch-size", self.batch_size, "at least 1")
        crop_px, scale = self.augmentation.crop_px, self.domains.scale
        require(crop_px % scale == 0, "augmentation.crop-px", crop_px, f"a multiple of {scale}, by which it is reduced")
        if self.cuda_graphs and not self.compile:
            raise ConfigurationError("--cuda-graphs needs --compile")
        require(self.accumulate >= 1, "accumulate", self.accumulate, "at least 1")
        require(0 <= self.clip_norm < math.inf, "clip-norm", self.clip_norm, "0 (not clipped) or more")
        half_life = self.average_half_life_images
        require(0 <= half_life < math.inf, "average-half-life-images", half_life, "0 (no average) or more images")
        told = self.rate_batch >= (0 if self.rate_rule == "none" else 1)
        require(told, "rate-batch", self.rate_batch, "the batch size that the learning rates are meant for")
        require(self.threads >= 0, "threads", self.threads, "0 (all cores) or more")
        require(0 <= self.seed < _SEEDS, "seed", self.seed, f"0 to below {_SEEDS}")
        require(self.save_every_images >= 0, "save-every-images", self.save_every_images, "0 or more images")

    def spec(self) -> SampleSpec:
        """What a training batch holds."""
        return SampleSpec(
            domains=self.domains.ports(),
            height_px=self.augmentation.crop_px,
            width_px=self.augmentation.crop_px,
            batch_size=self.batch_size,
            scale=self.domains.scale,
        )


_converter = cattrs.Converter(forbid_extra_keys=True)
for _union in (Making, Domains, Optimiser):
    configure_tagged_union(_union, _converter, tag_name="kind")


def to_json(recipe: Recipe[Any]) -> str:
    """The recipe as JSON text; `from_json` gives an equal recipe back."""
    return json.dumps(_converter.unstructure(recipe), indent=2)


def from_json(text: str, config_of: Callable[[str], type[ConfigT]]) -> Recipe[ConfigT]:
    """Read a recipe; `config_of` gives the Config class of a method by its name.

    Raises ConfigurationError that names every field that is wrong.
    """
    try:
        document = json.loads(text)
        config = config_of(document["method"])
        # A parametrised generic class is no type for the checker, but it is what cattrs takes.
        return cast("Recipe[ConfigT]", _converter.structure(document, cast("Any", Recipe)[config]))
    except cattrs.BaseValidationError as problem:
        wrong = cattrs.transform_error(problem, format_exception=_told)
        raise ConfigurationError("The recipe: " + "; ".join(wrong)) from problem
    except (json.JSONDecodeError, KeyError, TypeError) as problem:
        raise ConfigurationError(f"This is not a recipe: {problem!r}") from problem


def _told(problem: BaseException, kind: type[Any] | None) -> str:
    """What a field's own check says, in its own words."""
    return str(problem) if isinstance(problem, ConfigurationError) else cattrs.v.format_exception(problem, kind)


def fingerprint(recipe: Recipe[Any]) -> str:
    """SHA-256 of the recipe's JSON, as a card carries it."""
    return hashlib.sha256(to_json(recipe).encode()).hexdigest()
