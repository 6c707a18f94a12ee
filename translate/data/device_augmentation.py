"""Random changes of whole batches on the device with kornia, after the CPU has cut them out. Off by default.

The draws come from (seed, place of the sample in the run, domain) and are made on the CPU: they are the same on
every device, for every batch size and for every number of processes, and no global random state is touched.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import kornia.enhance as enhance
import kornia.geometry.transform as geometry
import numpy as np
import torch
from torch import Tensor

from translate.card import LabelMap, PicturePort
from translate.data.augmentation import ColourJitter
from translate.data.randomness import Purpose, domain_code, generator
from translate.errors import ConfigurationError
from translate.placing import numbers, placed


@dataclass(frozen=True, kw_only=True)
class DeviceAugmentation:
    """Random changes of the batch on the device. The defaults change nothing."""

    flip: bool = False
    """Mirror left to right, half of the time."""
    vertical_flip: bool = False
    """Mirror top to bottom, half of the time."""
    rotate_degrees: float = 0.0
    """Turn by an angle of up to so many degrees either way; the border is mirrored outwards."""
    scale: float = 0.0
    """Enlarge by a factor drawn from 1 - scale to 1 + scale. A fraction: 0.2 is 20 percent."""
    colour_a: ColourJitter = field(default_factory=ColourJitter)
    """Colour changes of domain a."""
    colour_b: ColourJitter = field(default_factory=ColourJitter)
    """Colour changes of domain b."""

    def __post_init__(self) -> None:
        if not 0 <= self.rotate_degrees <= 180:
            raise ConfigurationError(f"Device augmentation: rotate_degrees is {self.rotate_degrees}: choose 0 to 180")
        if not 0 <= self.scale < 1:
            raise ConfigurationError(f"Device augmentation: scale is {self.scale}: choose 0 to below 1")

    def colour(self, domain: str) -> ColourJitter:
        """The colour changes of a domain."""
        return {"a": self.colour_a, "b": self.colour_b}.get(domain, ColourJitter())


@dataclass(frozen=True, kw_only=True)
class _Placement:
    """What one batch draws, a number for each sample, as tensors of length N on the device."""

    flip: Tensor
    vertical_flip: Tensor
    degrees: Tensor
    factor: Tensor


class DeviceAugmenter:
    """Applies a `DeviceAugmentation`: where `paired`, all domains get the same geometric draw."""

    def __init__(
        self, config: DeviceAugmentation, domains: Mapping[str, tuple[PicturePort, ...]], *, seed: int, paired: bool
    ) -> None:
        self._config = config
        self._domains = domains
        self._seed = seed
        self._drawn_as = {domain: next(iter(domains)) if paired else domain for domain in domains}

    def __call__(self, tensors: Mapping[str, Tensor], *, position: int) -> dict[str, Tensor]:
        """Change a batch.

        Args:
            tensors: by domain, N x C x H x W in [-1, 1] (label maps one-hot).
            position: the place in the run of the batch's first sample; with the seed it decides every draw.

        Returns:
            Tensors of the same shapes, in [-1, 1]; label maps still one-hot (nearest neighbours).
        """
        return {domain: self._change(tensor, domain, position) for domain, tensor in tensors.items()}

    def _change(self, tensor: Tensor, domain: str, position: int) -> Tensor:
        placement = self._draw_placement(tensor, domain_code(self._drawn_as[domain]), position)
        ports = self._domains[domain]
        parts = torch.split(tensor, [port.channels for port in ports], dim=1)
        placed = [self._place(part, port, placement) for part, port in zip(parts, ports, strict=True)]
        jitter = self._config.colour(domain)
        if jitter.is_on:
            factors = self._draw_colour(jitter, tensor, domain, position)
            placed = [
                part if isinstance(port, LabelMap) else _recolour(part, factors)
                for part, port in zip(placed, ports, strict=True)
            ]
        return torch.cat(placed, dim=1)

    def _draw_placement(self, tensor: Tensor, code: int, position: int) -> _Placement:
        draws = self._uniform(Purpose.DEVICE_GEOMETRY, code, position, tensor, count=4)
        return _Placement(
            flip=draws[0] < 0 if self._config.flip else torch.zeros_like(draws[0], dtype=torch.bool),
            vertical_flip=draws[1] < 0 if self._config.vertical_flip else torch.zeros_like(draws[1], dtype=torch.bool),
            degrees=self._config.rotate_degrees * draws[2],
            factor=1.0 + self._config.scale * draws[3],
        )

    def _draw_colour(self, jitter: ColourJitter, tensor: Tensor, domain: str, position: int) -> tuple[Tensor, ...]:
        draws = self._uniform(Purpose.DEVICE_COLOUR, domain_code(domain), position, tensor, count=4)
        return (
            1.0 + jitter.brightness * draws[0],
            1.0 + jitter.contrast * draws[1],
            1.0 + jitter.saturation * draws[2],
            2.0 * math.pi * jitter.hue * draws[3],
        )

    def _uniform(self, purpose: Purpose, code: int, position: int, tensor: Tensor, *, count: int) -> Tensor:
        """`count` numbers in [-1, 1) for each sample: count x N on the tensor's device."""
        places = range(position, position + len(tensor))
        draws = [generator(self._seed, purpose, code, place).uniform(-1.0, 1.0, count) for place in places]
        return placed(torch.from_numpy(np.stack(draws, axis=1).astype(np.float32)), tensor.device)

    def _place(self, part: Tensor, port: PicturePort, placement: _Placement) -> Tensor:
        part = torch.where(placement.flip.view(-1, 1, 1, 1), part.flip(3), part)
        part = torch.where(placement.vertical_flip.view(-1, 1, 1, 1), part.flip(2), part)
        if not self._config.rotate_degrees and not self._config.scale:
            return part  # exact: no interpolation where none is needed
        return _turn(part, placement, "nearest" if isinstance(port, LabelMap) else "bilinear")


def _turn(part: Tensor, placement: _Placement, mode: str) -> Tensor:
    height, width = part.shape[2:]
    middle = numbers([(width - 1) / 2, (height - 1) / 2], part.device).expand(len(part), 2)
    factors = placement.factor[:, None].expand(-1, 2)
    matrix = geometry.get_rotation_matrix2d(middle, placement.degrees, factors).to(part.dtype)
    return geometry.warp_affine(part, matrix, (height, width), mode=mode, padding_mode="reflection")


def _recolour(part: Tensor, factors: tuple[Tensor, ...]) -> Tensor:
    """Brightness, contrast, and for RGB saturation and hue; a fourth channel, opacity, stays."""
    brightness, contrast, saturation, hue = factors
    colours = (part[:, :3] + 1.0) / 2.0
    colours = enhance.adjust_brightness_accumulative(colours, brightness)
    colours = enhance.adjust_contrast_with_mean_subtraction(colours, contrast)
    if colours.shape[1] == 3:
        colours = enhance.adjust_saturation_with_gray_subtraction(colours, saturation)
        colours = enhance.adjust_hue(colours, hue)
    return torch.cat([colours.clamp(0.0, 1.0) * 2.0 - 1.0, part[:, 3:]], dim=1)
