"""Layers that compare the samples of a batch, so that a discriminator sees when they are all alike.

They stand between a discriminator's features, which are each sample's own, and its score: N x F to N x (F + `extra`).
"""

import torch
from torch import Tensor, nn

from translate.networks.choice import at_least


class MinibatchDiscrimination(nn.Module):
    """Appends o(x_i)_b = sum over j of exp(-|M_ib - M_jb|_1), for M_i = f(x_i) T; j runs over the whole batch.

    Salimans et al. 2016, https://arxiv.org/abs/1606.03498, section 3.2. T is `features` x `kernels` x `dimensions`,
    drawn by fan-in. Each sum has a 1 for j = i, and is N where all samples are one.
    """

    def __init__(self, *, features: int, kernels: int = 100, dimensions: int = 5) -> None:
        super().__init__()
        self.extra = at_least(1, kernels, "kernels")
        shape = (features, kernels, at_least(1, dimensions, "dimensions"))
        self.tensor = nn.Parameter(torch.randn(shape) / features**0.5)

    def forward(self, features: Tensor) -> Tensor:
        """N x F to N x (F + `kernels`)."""
        matrices = torch.einsum("nf,fbc->nbc", features, self.tensor)
        distances = (matrices[:, None] - matrices[None]).abs().sum(dim=3)
        return torch.cat([features, torch.exp(-distances).sum(dim=1)], dim=1)


class MinibatchDeviation(nn.Module):
    """Appends one number: the standard deviation over a group of samples, averaged over all features.

    Karras et al. 2018, https://arxiv.org/abs/1710.10196, section 3. With N = `group` x m, samples i, i + m,
    i + 2 m, ... are a group; where N is no multiple of `group`, and with 0, the batch is one group.
    """

    extra = 1

    def __init__(self, *, group: int = 4) -> None:
        super().__init__()
        self.group = at_least(0, group, "group")

    def forward(self, features: Tensor) -> Tensor:
        """N x F to N x (F + 1)."""
        samples = features.shape[0]
        size = self.group if self.group and samples % self.group == 0 else samples
        variance = features.unflatten(0, (size, -1)).var(dim=0, correction=0)
        # Under the root, since the root of 0 has no gradient.
        deviation = (variance + 1e-8).sqrt().mean(dim=1)
        return torch.cat([features, deviation.repeat(size)[:, None]], dim=1)
