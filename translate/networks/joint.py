"""Several discriminators of different kinds that play as one."""

from collections.abc import Iterator, Sequence
from typing import cast

from torch import Tensor, nn

from translate.networks.multiscale import MultiScaleDiscriminator
from translate.networks.projected import ProjectedDiscriminator


class JointDiscriminator(nn.Module):
    """Every part looks at the same pictures; all their scores count alike, as those of further scales do."""

    def __init__(self, *, parts: Sequence[MultiScaleDiscriminator | ProjectedDiscriminator]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.at_least_px = max(part.at_least_px for part in parts)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Scores of every scale of every part, in order."""
        return [scores for part in self._parts() for scores in part(pictures)]

    def features(self, pictures: Tensor) -> list[list[Tensor]]:
        """The features of every scale of every part; the last of each are its scores."""
        return [maps for part in self._parts() for maps in part.features(pictures)]

    def _parts(self) -> Iterator[MultiScaleDiscriminator | ProjectedDiscriminator]:
        for part in self.parts:
            yield cast(MultiScaleDiscriminator | ProjectedDiscriminator, part)
