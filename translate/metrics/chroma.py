"""How near and how strong the colours of pictures are: distances in CIELAB, and colourfulness.

A measure of distance prefers the dull mean of all likely colours to bold ones that are wrong; colourfulness beside it
tells the two apart.
"""

import kornia
from torch import Tensor

from translate.errors import ConfigurationError

_LEVELS = 255.0


def ab_rmse(output: Tensor, target: Tensor) -> Tensor:
    """Root mean square distance of each picture's colours in the a, b plane of CIELAB (D65): N numbers.

    Per coordinate, as papers on colourisation report it: the mean is over pixels and over both of a and b.

    Args:
        output: N x 3 x H x W sRGB in [-1, 1].
        target: the same shape.

    Raises:
        ConfigurationError: The shapes differ, or the pictures are not RGB.
    """
    if output.shape != target.shape:
        raise ConfigurationError(
            f"Cannot compare pictures of shapes {tuple(output.shape)} and {tuple(target.shape)}: "
            "give two N x 3 x H x W tensors of one shape"
        )
    return (_ab(output) - _ab(target)).square().mean(dim=(1, 2, 3)).sqrt()


def mean_chroma(pictures: Tensor) -> Tensor:
    """The mean of sqrt(a^2 + b^2) over each picture, N x 3 x H x W in [-1, 1]: 0 for grey ones."""
    return _ab(pictures).norm(dim=1).mean(dim=(1, 2))


def colourfulness(pictures: Tensor) -> Tensor:
    """M of Hasler and Suesstrunk 2003 ("Measuring colourfulness in natural images", eq. 9-11) for each picture.

    Theirs: 0 not colourful, 15 slightly, 33 moderately, 45 averagely, 59 quite, 82 highly, 109 extremely.

    Args:
        pictures: N x 3 x H x W sRGB in [-1, 1].
    """
    red, green, blue = (_positive(pictures).double() * _LEVELS).unbind(dim=1)
    opponents = (red - green, (red + green) / 2 - blue)
    spread = sum(part.var(dim=(1, 2), correction=0) for part in opponents)
    mean = sum(part.mean(dim=(1, 2)).square() for part in opponents)
    return (spread**0.5 + 0.3 * mean**0.5).to(pictures.dtype)


def _ab(pictures: Tensor) -> Tensor:
    if pictures.ndim != 4 or pictures.shape[1] != 3:
        raise ConfigurationError(f"Colours are those of N x 3 x H x W pictures; these are {tuple(pictures.shape)}")
    return kornia.color.rgb_to_lab(_positive(pictures))[:, 1:]


def _positive(pictures: Tensor) -> Tensor:
    return (pictures.float().clamp(-1.0, 1.0) + 1.0) / 2.0
