"""A generator that learns what to change, rather than the whole picture: global residual learning.

Kim et al. 2016, VDSR, https://arxiv.org/abs/1511.04587, section 3.2. It pays where input and output share most pixels
(colouring line art, removing noise), since lines and background need not be learned.
"""

from torch import Tensor, nn

from translate.card import SizeRule, Tiling
from translate.errors import ConfigurationError
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet


class Difference(nn.Module):
    """x + 2 `network`(x), so that a network ending in tanh can turn black into white and back.

    What leaves [-1, 1] is clipped only when it becomes pixels: a clipped number would have no gradient.
    """

    def __init__(self, *, network: UNet | ResNet, inputs: int, outputs: int) -> None:
        super().__init__()
        if inputs != outputs:
            raise ConfigurationError(
                f"A generator that learns the difference needs as many channels out as in, not {inputs} and {outputs}: "
                "set --config.generator.no-difference"
            )
        self.network = network
        self.size_rule: SizeRule = network.size_rule
        self.tiling: Tiling = network.tiling

    def forward(self, picture: Tensor) -> Tensor:
        """N x C x H x W, about [-1, 1], of the same shape as the picture."""
        return picture + 2.0 * self.network(picture)
