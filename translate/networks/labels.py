"""Labels as a condition: a code for each class, and how it stands beside what it conditions.

Mirza and Osindero 2014, https://arxiv.org/abs/1411.1784.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.networks.choice import at_least


class LabelCode(nn.Module):
    """N labels, int64 from 0, to N x `size` codes: learnt ones, or with `embedding` 0 the one-hot vectors.

    Learnt codes begin as N(0, 1), which is how the noise beside them is scaled.
    """

    table: Tensor

    def __init__(self, *, classes: int, embedding: int) -> None:
        super().__init__()
        at_least(2, classes, "classes")
        self.size = at_least(0, embedding, "embedding") or classes
        if embedding:
            self.table = nn.Parameter(torch.randn(classes, embedding))
        else:
            self.register_buffer("table", torch.eye(classes), persistent=False)

    def forward(self, label: Tensor) -> Tensor:
        """The codes. Raises IndexError for a label that is no class."""
        return functional.embedding(label, self.table)


def known_label(label: Tensor | None, classes: int) -> Tensor | None:
    """`label`. Raises ConfigurationError where a network that knows classes gets none, and the other way round."""
    if classes and label is None:
        raise ConfigurationError(f"This network was built for {classes} classes: give it the labels too")
    if not classes and label is not None:
        raise ConfigurationError("This network was built without classes: give it no labels, or build it with classes")
    return label


def beside(x: Tensor, code: Tensor) -> Tensor:
    """N x C x H x W or N x D with the N x E code behind its channels, the same at every pixel."""
    if x.dim() == 4:
        code = code[:, :, None, None].expand(-1, -1, *x.shape[2:])
    return torch.cat([x, code], dim=1)
