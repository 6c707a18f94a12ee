"""One pass of Real-ESRGAN's degradations: blur, another size, noise, JPEG, each with its probability and strengths."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn import functional

from translate.data.making.degraded_jpeg import jpeg
from translate.data.making.degraded_kernels import drawn_blur_kernel, drawn_low_pass_kernel, filtered
from translate.data.making.degraded_noise import with_gaussian_noise, with_poisson_noise
from translate.errors import require

Range = tuple[float, float]
Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What one pass draws for each photo. The defaults are the first pass of Real-ESRGAN's published options."""

    blur: float = 1.0
    """Probability of a blur."""
    low_pass: float = 0.1
    """Probability that the blur is an ideal low pass, which rings, and not a Gaussian or its like."""
    sigma_px: Range = (0.2, 3.0)
    """Standard deviations of the blur, in pixels, from and to."""
    enlarge: float = 0.2
    """Probability that the picture is enlarged, by 1 up to the second of `factor`."""
    reduce: float = 0.7
    """Probability that the picture is reduced, by the first of `factor` up to 1."""
    factor: Range = (0.15, 1.5)
    """Of the sizes that are drawn: the least and the most."""
    noise: float = 1.0
    """Probability of noise."""
    gaussian: float = 0.5
    """Probability that the noise is Gaussian; else it is that of counted photons (Poisson)."""
    gaussian_levels: Range = (1.0, 30.0)
    """Standard deviations of Gaussian noise, in levels of 255, from and to."""
    poisson_strength: Range = (0.05, 3.0)
    """Strengths of Poisson noise, 1 being that of 255 photons in a white pixel, from and to."""
    grey_noise: float = 0.4
    """Probability that all channels get the same noise."""
    jpeg: float = 1.0
    """Probability of JPEG."""
    jpeg_quality: tuple[int, int] = (30, 95)
    """Qualities of JPEG as libjpeg counts, from and to."""

    def __post_init__(self) -> None:
        """Refuse probabilities and ranges that are none."""
        for name, probability in self._probabilities().items():
            require(0 <= probability <= 1, f"{_OPTION}.{name}", probability, "a probability, 0 to 1")
        require(self.enlarge + self.reduce <= 1, f"{_OPTION}.reduce", self.reduce, f"0 to 1 - enlarge ({self.enlarge})")
        for name, (limits, (least, most)) in self._ranges().items():
            for end in limits:
                require(least <= end <= most, f"{_OPTION}.{name}", end, f"two numbers from {least} to {most}")
            require(limits[0] <= limits[1], f"{_OPTION}.{name}", limits[1], f"the second not below {limits[0]}")
        least, most = self.factor
        require(least <= 1 <= most, f"{_OPTION}.factor", least, "one number up to 1, and one from 1 on")

    def _probabilities(self) -> dict[str, float]:
        return {
            "blur": self.blur,
            "low-pass": self.low_pass,
            "enlarge": self.enlarge,
            "reduce": self.reduce,
            "noise": self.noise,
            "gaussian": self.gaussian,
            "grey-noise": self.grey_noise,
            "jpeg": self.jpeg,
        }

    def _ranges(self) -> dict[str, tuple[Range, Range]]:
        return {
            "sigma-px": (self.sigma_px, (0.05, 20.0)),
            "factor": (self.factor, (0.05, 4.0)),
            "gaussian-levels": (self.gaussian_levels, (0.0, 255.0)),
            "poisson-strength": (self.poisson_strength, (0.0, 100.0)),
            "jpeg-quality": (self.jpeg_quality, (1, 100)),
        }


_OPTION = "making.{first,second}"


def blurred(picture: Tensor, config: Pass, draw: np.random.Generator) -> Tensor:
    """Under a kernel that is drawn, or as it is. Takes and gives 1 x C x H x W in [0, 1], as all here."""
    if draw.uniform() >= config.blur:
        return picture
    rings = draw.uniform() < config.low_pass
    return filtered(picture, drawn_low_pass_kernel(draw) if rings else drawn_blur_kernel(draw, config.sigma_px))


def drawn_factor(config: Pass, draw: np.random.Generator) -> float:
    """How much larger the picture is to become; 1 where it stays."""
    chance = draw.uniform()
    if chance < config.enlarge:
        return draw.uniform(1.0, config.factor[1])
    return draw.uniform(config.factor[0], 1.0) if chance < config.enlarge + config.reduce else 1.0


def resized(picture: Tensor, size: Size, draw: np.random.Generator) -> Tensor:
    """To height and width, by area, bilinear or bicubic interpolation; without antialiasing, as published."""
    mode = str(draw.choice(("area", "bilinear", "bicubic")))
    if size == tuple(picture.shape[-2:]):
        return picture
    return functional.interpolate(picture, size=size, mode=mode).clamp(0.0, 1.0)


def noisy(picture: Tensor, config: Pass, draw: np.random.Generator) -> Tensor:
    """With noise of a kind and strength that are drawn, or as it is."""
    if draw.uniform() >= config.noise:
        return picture
    grey = draw.uniform() < config.grey_noise
    if draw.uniform() < config.gaussian:
        return with_gaussian_noise(picture, draw, levels=draw.uniform(*config.gaussian_levels), grey=grey)
    return with_poisson_noise(picture, draw, strength=draw.uniform(*config.poisson_strength), grey=grey)


def compressed(picture: Tensor, config: Pass, draw: np.random.Generator) -> Tensor:
    """As it comes out of a JPEG file of a quality that is drawn, or as it is."""
    if draw.uniform() >= config.jpeg:
        return picture
    least, most = config.jpeg_quality
    return jpeg(picture, quality=int(draw.integers(least, most + 1)))


def scaled(size: Size, factor: float) -> Size:
    """A size times a factor, at least one pixel."""
    return max(1, int(size[0] * factor)), max(1, int(size[1] * factor))
