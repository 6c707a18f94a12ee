"""Feature matching: a generator imitates what real pictures excite inside the discriminator."""

from collections.abc import Sequence

import torch
from torch import Tensor

from translate.losses.reconstruction import l1
from translate.losses.scores import at_least_float32

FeatureMaps = Sequence[Tensor]


def feature_matching(fake: Sequence[FeatureMaps], real: Sequence[FeatureMaps]) -> Tensor:
    """L1 between feature maps, summed over layers, mean over discriminators (Wang et al. 2018, pix2pixHD, eq. 4).

    The mean over discriminators follows the published code, which with its four inner layers of a 3-layer PatchGAN
    equals this at the weight 10. No gradient flows into `real`.

    Args:
        fake: for each discriminator (scale) the maps of its inner layers on generated pictures, N x C x H x W each.
        real: the same for real pictures. Raises ValueError where the two do not match.
    """
    pairs = zip(fake, real, strict=True)
    return torch.stack([_over_layers(of_fake, of_real) for of_fake, of_real in pairs]).mean()


def _over_layers(fake: FeatureMaps, real: FeatureMaps) -> Tensor:
    return torch.stack([l1(a, b.detach()) for a, b in zip(fake, real, strict=True)]).sum()


def mean_matching(fake: Tensor, real: Tensor) -> Tensor:
    """||E f(x) - E f(G(z))||^2: squared distance of mean features (Salimans et al. 2016, section 3.1).

    The published code takes the mean over the F features, which is this divided by F; where it is the generator's
    only term, Adam does not notice. No gradient flows into `real`.

    Args:
        fake: features of N made samples, N x F or N x C x H x W.
        real: features of M real ones. Raises ValueError where the two do not match but for N and M.
    """
    if fake.shape[1:] != real.shape[1:]:
        raise ValueError(f"features to match have different shapes: {tuple(fake.shape)} and {tuple(real.shape)}")
    difference = at_least_float32(fake).mean(dim=0) - at_least_float32(real.detach()).mean(dim=0)
    return difference.square().sum()
