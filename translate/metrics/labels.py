"""How well label maps agree, picture by picture: pixel accuracy and mean intersection over union.

Both take two N x C x H x W tensors of C classes, scores or one-hot (the largest is the class), and give N numbers.
"""

import torch
from torch import Tensor

from translate.errors import ConfigurationError


def pixel_accuracy(output: Tensor, target: Tensor) -> Tensor:
    """The share of pixels whose class is right: 0 to 1."""
    made, true = _classes(output, target)
    return (made == true).float().mean(dim=(1, 2))


def mean_iou(output: Tensor, target: Tensor) -> Tensor:
    """Pixels of a class in both / pixels in either (Jaccard), mean over the classes that occur in either: 0 to 1."""
    made, true = _classes(output, target)
    counts = torch.stack([_confusion(one, other, target.shape[1]) for one, other in zip(made, true, strict=True)])
    both = counts.diagonal(dim1=1, dim2=2)
    either = counts.sum(dim=1) + counts.sum(dim=2) - both
    occurs = either > 0
    return (both / either.clamp(min=1)).sum(dim=1) / occurs.sum(dim=1)


def _confusion(made: Tensor, true: Tensor, classes: int) -> Tensor:
    """Pixels by true and made class, C x C."""
    pairs = true.flatten() * classes + made.flatten()
    return torch.bincount(pairs, minlength=classes * classes).view(classes, classes)


def _classes(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    if output.shape != target.shape or output.ndim != 4:
        raise ConfigurationError(
            f"Cannot compare label maps of shapes {tuple(output.shape)} and {tuple(target.shape)}: "
            "give two N x C x H x W tensors of one shape"
        )
    return output.argmax(dim=1), target.argmax(dim=1)
