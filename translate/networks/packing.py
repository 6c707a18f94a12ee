"""Packing: a discriminator that sees several samples at once sees that they are all alike.

Lin, Khetan, Fanti and Oh 2018, PacGAN, https://arxiv.org/abs/1712.04086.
"""

from torch import Tensor

from translate.errors import ConfigurationError


def packed(x: Tensor, samples: int) -> Tensor:
    """N x C x ... to N / `samples` x `samples` C x ...: rows i m to i m + m - 1 become row i, one behind the other.

    Raises:
        ConfigurationError: N is no multiple of `samples`.
    """
    if x.shape[0] % samples:
        raise ConfigurationError(
            f"A batch of {x.shape[0]} cannot be packed by {samples}: choose a batch size that is a multiple of packing"
        )
    return x.reshape(x.shape[0] // samples, samples * x.shape[1], *x.shape[2:])
