"""Averaged weights: an exponential moving average of what users get (Karras et al. 2018, section 3.2 and after)."""

import copy

import torch
from torch import Tensor, nn

from translate.method import Method

_UNIT_VECTORS = {"_u", "_v"}
"""Spectral norm's vectors have length 1, which a mean of them has not: they are copied."""


class Averaged:
    """A twin of the method whose deployed networks are running means of the trained ones.

    With a half-life of 0 the twin *is* the method. Running statistics are averaged as the weights are, since they
    belong to them; counters and unit vectors are copied.

    The half-life is held at a tenth of the images seen so far until that exceeds the one asked for. Until then the
    mean is a power law: after n images, those from m to n weigh 1 - (m / n) ** (10 ln 2), about the 7th power, so half
    of it comes from the last tenth of the run, and the initial weights are forgotten at any length.
    """

    def __init__(self, method: Method, half_life_images: float) -> None:
        self._half_life_images = half_life_images
        self._pairs: list[tuple[nn.Module, nn.Module]] = []
        self.method = method
        if half_life_images > 0:
            self.method = copy.deepcopy(method).requires_grad_(False)
            twins = self.method.networks()
            self._pairs = [(twins[name], network) for name, network in deployed_networks(method).items()]

    @torch.no_grad()
    def update(self, images: int, batch: int) -> None:
        """Take in the weights after a step that brought the run to `images`."""
        if not self._pairs:
            return
        keep = self._decay(images, batch)
        for average, network in self._pairs:
            pairs: list[tuple[Tensor, Tensor]] = list(zip(average.parameters(), network.parameters(), strict=True))
            for (name, target), source in zip(average.named_buffers(), network.buffers(), strict=True):
                if target.is_floating_point() and name.rpartition(".")[2] not in _UNIT_VECTORS:
                    pairs.append((target, source))
                else:
                    target.copy_(source)
            _lerp(pairs, 1.0 - keep)

    def _decay(self, images: int, batch: int) -> float:
        # beta = 0.5 ** (batch / half-life), with the half-life held below a tenth of what was seen
        half_life = max(1e-8, min(self._half_life_images, images * 0.1))
        return 0.5 ** (batch / half_life)

    def tensors(self) -> dict[str, Tensor]:
        """The averaged networks' state."""
        return {
            f"{name}.{key}": value
            for name, network in deployed_networks(self.method).items()
            for key, value in network.state_dict().items()
        }


def _lerp(pairs: list[tuple[Tensor, Tensor]], weight: float) -> None:
    averages, values = zip(*pairs, strict=True)
    torch._foreach_lerp_(averages, values, weight)  # pyright: ignore[reportPrivateImportUsage, reportPrivateUsage] - it has no public name


def deployed_networks(method: Method) -> dict[str, nn.Module]:
    """The networks that users run, by name."""
    used = {network for deploy in method.deploys().values() for network in deploy.networks}
    return {name: network for name, network in method.networks().items() if network in used}


def load_deployed(method: Method, tensors: dict[str, Tensor]) -> None:
    """Put the tensors of `Averaged.tensors` into a method's deployed networks."""
    for name, network in deployed_networks(method).items():
        prefix = f"{name}."
        own = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        network.load_state_dict(own)
