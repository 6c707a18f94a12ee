"""Feature matching: a generator imitates what real pictures excite inside the discriminator."""

from collections.abc import Sequence

import torch
from torch import Tensor

from translate.losses.reconstruction import l1

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
