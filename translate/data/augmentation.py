"""Random and deterministic transforms of the pictures of a sample, on the CPU, before they become tensors.

The only module that knows albumentations (2.0.8 is its last release). It gets arrays and gives arrays: neither that nor
OpenCV opens a file here. Every draw comes from (seed, epoch, index, domain), so that the number of
workers, or a stop and a resume, change no pixel.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from translate.card import LabelMap, Picture, PicturePort
from translate.data.randomness import Purpose, domain_code, generator, python_generator
from translate.data.resizing import Size, centred, resized, size_of
from translate.errors import require

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # else its import asks a server for its newest version
import albumentations

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class ColourJitter:
    """Strengths of the colour changes of one domain, drawn for each sample; 0 is none. Not for label maps."""

    brightness: float = 0.0
    """Pixels are multiplied by a factor drawn from 1 - brightness to 1 + brightness."""
    contrast: float = 0.0
    """The distance to the mean grey is multiplied by a factor drawn from 1 - contrast to 1 + contrast."""
    saturation: float = 0.0
    """The distance to the grey version is multiplied by a factor drawn from 1 - saturation to 1 + saturation."""
    hue: float = 0.0
    """The hue is turned by an angle drawn from -hue to +hue, in turns (0.5 is half the colour circle)."""

    def __post_init__(self) -> None:
        strengths = {"brightness": self.brightness, "contrast": self.contrast, "saturation": self.saturation}
        for name, strength in strengths.items():
            require(0 <= strength <= 1, f"AUGMENTATION.colour-DOMAIN.{name}", strength, "0 to 1")
        require(0 <= self.hue <= 0.5, "AUGMENTATION.colour-DOMAIN.hue", self.hue, "0 to 0.5 turns")

    @property
    def is_on(self) -> bool:
        """Whether any strength is above 0."""
        return max(self.brightness, self.contrast, self.saturation, self.hue) > 0


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How a picture from a file becomes a training picture. The defaults are those of pix2pix and CycleGAN."""

    load_px: int = 286
    """Height and width in pixels to which each picture is resized before the crop."""
    crop_px: int = 256
    """Height and width in pixels of the square that is cut out at a random place."""
    keep_aspect: bool = False
    """Resize the short side to load_px and keep the shape, rather than squeeze the picture into a square."""
    resize: bool = True
    """Off: crops are cut from pictures as they are, and only one that is smaller than the crop grows; load_px and
    keep_aspect then say nothing. So it must be where every pixel counts, as in super-resolution."""
    flip: bool = True
    """Mirror left to right, half of the time."""
    vertical_flip: bool = False
    """Mirror top to bottom, half of the time."""
    rotate_degrees: float = 0.0
    """Turn by an angle of up to so many degrees either way, before the crop; the border is mirrored outwards."""
    scale_jitter: float = 0.0
    """Draw the size before the crop from load_px times 1 - scale_jitter to 1 + scale_jitter, never below crop_px."""
    colour_a: ColourJitter = field(default_factory=ColourJitter)
    """Colour changes of domain a."""
    colour_b: ColourJitter = field(default_factory=ColourJitter)
    """Colour changes of domain b."""

    def __post_init__(self) -> None:
        require(self.crop_px >= 1, "augmentation.crop-px", self.crop_px, "at least 1 pixel")
        is_enough = self.load_px >= self.crop_px or not self.resize
        at_least = f"at least {self.crop_px} pixels, which is --augmentation.crop-px"
        require(is_enough, "augmentation.load-px", self.load_px, at_least)
        require(0 <= self.rotate_degrees <= 180, "augmentation.rotate-degrees", self.rotate_degrees, "0 to 180")
        require(0 <= self.scale_jitter < 1, "augmentation.scale-jitter", self.scale_jitter, "0 to below 1")

    def colour(self, domain: str) -> ColourJitter:
        """The colour changes of a domain."""
        return {"a": self.colour_a, "b": self.colour_b}.get(domain, ColourJitter())

    @property
    def loading(self) -> str:
        """What `before_drawing` does, in words that differ where it does."""
        if self.scale_jitter:
            return "as it is"
        if not self.resize:
            return f"at least {self.crop_px} px"
        return f"{'short side' if self.keep_aspect else 'square of'} {self.load_px} px"


class TrainingTransform:
    """One geometric draw for all ports of all `domains` that are given together, one colour draw for each domain.

    Paired data has one transform over both domains; unpaired data has one transform for each domain.
    """

    def __init__(self, config: Augmentation, domains: Mapping[str, tuple[PicturePort, ...]], *, seed: int) -> None:
        self._config = config
        self._domains = domains
        self._seed = seed
        self._ports = [port for ports in domains.values() for port in ports]
        self._code = domain_code(next(iter(domains)))
        self._geometry = _geometry(config, self._ports)
        self._colours = {name: _colour(config.colour(name)) for name in domains if config.colour(name).is_on}

    def __call__(self, pictures: Arrays, *, epoch: int, index: int) -> dict[str, np.ndarray]:
        """Transform the pictures of sample `index`, by port name.

        Args:
            pictures: uint8 H x W x C for pictures, integer H x W for label maps, of any size.
            epoch: the epoch, from 0.
            index: the sample's place in the split, from 0; with the epoch and the seed it decides every draw.

        Returns:
            Arrays of the same types and channels, crop_px x crop_px.
        """
        draw = generator(self._seed, Purpose.GEOMETRY, self._code, epoch, index)
        size = self._draw_size(pictures[self._ports[0].name], draw)
        placed = self._place({port.name: resized(pictures[port.name], size, port) for port in self._ports}, size, draw)
        for domain, jitter in self._colours.items():
            self._recolour(placed, domain, jitter, (epoch, index))
        return placed

    def _draw_size(self, picture: np.ndarray, draw: np.random.Generator) -> Size:
        factor = 1.0 + self._config.scale_jitter * draw.uniform(-1.0, 1.0)
        return _loaded(self._config, picture, self._config.load_px, factor)

    def _place(self, at_size: Arrays, size: Size, draw: np.random.Generator) -> dict[str, np.ndarray]:
        # Not set_random_seed: it gives every step the same seed, and then the flip follows from the crop's place.
        self._geometry.set_random_state(draw, python_generator(draw))
        # albumentations takes the size from "image", and no port is called so.
        data: dict[str, Any] = {"image": np.zeros((*size, 1), np.uint8), **at_size}
        placed = self._geometry(**data)
        return {port.name: placed[port.name] for port in self._ports}

    def _recolour(
        self, placed: dict[str, np.ndarray], domain: str, jitter: albumentations.ColorJitter, address: tuple[int, int]
    ) -> None:
        for port in self._domains[domain]:
            if isinstance(port, Picture):
                draw = generator(self._seed, Purpose.COLOUR, domain_code(domain), *address)
                jitter.set_random_state(draw, python_generator(draw))
                placed[port.name] = _jittered(placed[port.name], jitter)


class EvaluationTransform:
    """Without chance: resized to crop_px x crop_px, or with keep_aspect to that short side and cut in the middle."""

    def __init__(self, config: Augmentation, domains: Mapping[str, tuple[PicturePort, ...]]) -> None:
        self._config = config
        self._ports = [port for ports in domains.values() for port in ports]

    def __call__(self, pictures: Arrays, *, epoch: int = 0, index: int = 0) -> dict[str, np.ndarray]:
        """Transform pictures as `TrainingTransform` does, but the same way at every epoch and index."""
        size = _loaded(self._config, pictures[self._ports[0].name], self._config.crop_px)
        at_size = {port.name: resized(pictures[port.name], size, port) for port in self._ports}
        return {name: centred(picture, self._config.crop_px) for name, picture in at_size.items()}


def before_drawing(config: Augmentation, pictures: Arrays, ports: Sequence[PicturePort]) -> dict[str, np.ndarray]:
    """The pictures of a sample as far as `TrainingTransform` takes them without chance, by port name.

    They are resized, unless scale_jitter draws a size for every sample. The transform of what comes out is the
    transform of what went in, bit by bit.
    """
    if config.scale_jitter:
        return dict(pictures)
    size = _loaded(config, pictures[ports[0].name], config.load_px)
    return {port.name: resized(pictures[port.name], size, port) for port in ports}


def limit_threads() -> None:
    """Keep OpenCV to the calling thread: its pool does not survive a fork, and small pictures gain nothing from it."""
    cv2.setNumThreads(0)


def _geometry(config: Augmentation, ports: list[PicturePort]) -> albumentations.Compose:
    steps: list[albumentations.BasicTransform | albumentations.BaseCompose] = []
    if config.rotate_degrees:
        steps.append(_rotation(config.rotate_degrees))
    steps.append(albumentations.RandomCrop(height=config.crop_px, width=config.crop_px, p=1.0))
    if config.flip:
        steps.append(albumentations.HorizontalFlip(p=0.5))
    if config.vertical_flip:
        steps.append(albumentations.VerticalFlip(p=0.5))
    targets = {port.name: "mask" if isinstance(port, LabelMap) else "image" for port in ports}
    return albumentations.Compose(steps, additional_targets=targets)


def _rotation(degrees: float) -> albumentations.Rotate:
    return albumentations.Rotate(
        limit=(-degrees, degrees),
        interpolation=cv2.INTER_LINEAR,
        mask_interpolation=cv2.INTER_NEAREST,
        border_mode=cv2.BORDER_REFLECT_101,
        p=1.0,
    )


def _colour(jitter: ColourJitter) -> albumentations.ColorJitter:
    return albumentations.ColorJitter(
        brightness=jitter.brightness,
        contrast=jitter.contrast,
        saturation=jitter.saturation,
        hue=jitter.hue,
        p=1.0,
    )


def _jittered(picture: np.ndarray, jitter: albumentations.ColorJitter) -> np.ndarray:
    """Change the colours of an H x W x C picture with 1, 3 or 4 channels; a fourth channel, opacity, stays."""
    colours = picture[..., :3]
    changed = jitter(image=np.ascontiguousarray(colours))["image"].reshape(colours.shape)
    return np.concatenate([changed, picture[..., 3:]], axis=2)


def _loaded(config: Augmentation, picture: np.ndarray, load_px: int, factor: float = 1.0) -> Size:
    """The size that a picture has before the crop: `factor` times that of loading, or its own."""
    usual_px = load_px if config.resize else min(picture.shape[:2])
    return size_of(picture, max(config.crop_px, round(usual_px * factor)), config.keep_aspect or not config.resize)
