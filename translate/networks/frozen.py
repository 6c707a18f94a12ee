"""Pretrained networks as measuring instruments: they never learn, and are not part of what is trained or saved."""

from typing import Self

from torch import Tensor, nn

from translate.errors import ConfigurationError


class Frozen(nn.Module):
    """A network whose weights are fixed and whose state dict is empty.

    Its weights are buffers that are not saved: an optimiser finds no parameter, a checkpoint holds no copy, yet
    `.to(device)` moves them. It stays in evaluation mode. Gradients flow through it to its input.
    """

    def freeze(self) -> None:
        """Turn every parameter and buffer of this module and its children into an unsaved buffer."""
        for module in self.modules():
            named = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
            for name, tensor in named:
                delattr(module, name)
                module.register_buffer(name, tensor.detach(), persistent=False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever `mode` says: running statistics must not move."""
        return super().train(False)


def as_rgb(pictures: Tensor) -> Tensor:
    """N x 1, 3 or 4 x H x W in [-1, 1] as N x 3 x H x W: grey is repeated, RGBA composited on white.

    Raises:
        ConfigurationError: for other channel counts, which mean no colours that a network of photographs knows.
    """
    channels = pictures.shape[1]
    if channels == 1:
        return pictures.expand(-1, 3, -1, -1)
    if channels == 3:
        return pictures
    if channels == 4:
        # Colours under full transparency are nobody's to see, so a loss must not ask for them.
        opacity = (pictures[:, 3:] + 1) / 2
        return opacity * pictures[:, :3] + (1 - opacity)
    raise ConfigurationError(
        f"A network trained on photographs sees grey, RGB or RGBA pictures, not {channels} channels: "
        "set the weight of the perceptual loss to 0 and --config.discriminator.kind to patch"
    )
