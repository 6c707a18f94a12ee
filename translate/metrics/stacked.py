"""Stacked digits: three digits as the colour channels of one picture, 1000 modes that a classifier can count.

After Che et al. 2017 ("Mode regularized GANs") and Metz et al. 2017. A picture's mode is the number that its red, green
and blue digit spell; a classifier that was trained on single digits reads them.
"""

import torch
from torch import Tensor

from translate.errors import ConfigurationError
from translate.metrics.classifier import Classifier
from translate.metrics.modes import ModeCoverage, coverage_of_counts

CHANNELS = 3


def stack(digits: Tensor, labels: Tensor, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw n pictures of three digits each, with replacement.

    Args:
        digits: M x 1 x H x W in [-1, 1].
        labels: Their M classes, 0 to 9.
        n: How many pictures.
        seed: The same seed gives the same pictures.

    Returns:
        The pictures, n x 3 x H x W, and their modes, n integers from 0 to 999.

    Raises:
        ConfigurationError: The digits are not grey pictures, or labels are not one a digit.
    """
    if digits.ndim != 4 or digits.shape[1] != 1 or labels.shape != digits.shape[:1]:
        raise ConfigurationError(
            f"Cannot stack digits of shape {tuple(digits.shape)} with labels of shape {tuple(labels.shape)}: "
            "give M x 1 x H x W and M"
        )
    chosen = torch.randint(len(digits), (n, CHANNELS), generator=torch.Generator().manual_seed(seed))
    return digits[chosen, 0], modes_of_digits(labels[chosen])


def modes_of_digits(digits: Tensor, *, classes: int = 10) -> Tensor:
    """N x 3 classes as N modes: the first channel is the most significant digit."""
    places = torch.tensor([classes**2, classes, 1], device=digits.device)
    return (digits.long() * places).sum(dim=1)


def digits_of_modes(modes: Tensor, *, classes: int = 10) -> Tensor:
    """N modes as N x 3 classes: the other way round than `modes_of_digits`."""
    places = torch.tensor([classes**2, classes, 1], device=modes.device)
    return modes[:, None] // places % classes


def singles(pictures: Tensor) -> Tensor:
    """Every channel of N x 3 x H x W pictures as a grey picture of its own: 3N x 1 x H x W, those of one together."""
    return pictures.flatten(0, 1).unsqueeze(1)


def coverage_of_stacked(pictures: Tensor, reader: Classifier) -> ModeCoverage:
    """Modes and KL(model || uniform) of N x 3 x H x W pictures in [-1, 1], as a classifier of single ones reads."""
    return stacked_coverage(reader.predict(singles(pictures)).view(-1, CHANNELS), classes=reader.classes)


def stacked_coverage(digits: Tensor, *, classes: int = 10) -> ModeCoverage:
    """Modes and KL(model || uniform) from what a classifier reads in each channel.

    Args:
        digits: N x 3 classes; papers take 26,000 pictures, where a perfect sampler has a KL of 0.019.
        classes: How many digits there are.
    """
    modes = modes_of_digits(digits, classes=classes)
    return coverage_of_counts(torch.bincount(modes.cpu(), minlength=classes**CHANNELS))
