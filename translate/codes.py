"""The codes that an InfoGAN generator takes beside its noise (Chen et al. 2016): categories and continuous numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from translate.card import Label, Latent, Vector
from translate.errors import require


@dataclass(frozen=True, kw_only=True)
class CodesConfig:
    """What the generator is given beside noise. The defaults are those of the paper's digits."""

    categories: tuple[int, ...] = (10,)
    """Categorical codes, each by its number of values; drawn uniformly."""
    continuous: int = 2
    """Continuous codes, uniform in [-1, 1]."""

    def __post_init__(self) -> None:
        """Refuse codes that say nothing."""
        for values in self.categories:
            require(values >= 2, "config.codes.categories", values, "2 values or more")
        least = 0 if self.categories else 1
        require(self.continuous >= least, "config.codes.continuous", self.continuous, f"{least} or more")

    @property
    def size(self) -> int:
        """Numbers that the generator takes for them, one-hot and continuous."""
        return sum(self.categories) + self.continuous

    def draw_categories(self, count: int, device: torch.device) -> Tensor:
        """N x number of categorical codes, int64, from torch's global generator of the device."""
        drawn = [torch.randint(values, (count,), device=device) for values in self.categories]
        return torch.stack(drawn, dim=1) if drawn else torch.zeros(count, 0, dtype=torch.int64, device=device)

    def draw_continuous(self, count: int, device: torch.device) -> Tensor:
        """N x `continuous`, likewise."""
        return torch.rand(count, self.continuous, device=device) * 2.0 - 1.0

    def behind(self, z: Tensor, categories: Sequence[Tensor], continuous: Tensor | None) -> Tensor:
        """What the generator takes: noise, each categorical code one-hot, continuous codes.

        Args:
            z: N x size of the noise.
            categories: N integers for each categorical code.
            continuous: N x `continuous`, or None where there are none.
        """
        hot = [one_hot(drawn, values).to(z.dtype) for drawn, values in zip(categories, self.categories, strict=True)]
        return torch.cat([z, *hot, *([] if continuous is None else [continuous])], dim=1)

    def input_ports(self) -> tuple[Label | Latent, ...]:
        """As users give them: `category`, `category2` ..., `code`."""
        labels = tuple(Label(name=_numbered("category", i), classes=n) for i, n in enumerate(self.categories))
        code = Latent(name="code", size=self.continuous, distribution="uniform")
        return (*labels, code) if self.continuous else labels

    def output_ports(self) -> tuple[Vector, ...]:
        """As they are read from samples: `scores`, `scores2` ... (probabilities of the values), `code` (means)."""
        scores = tuple(Vector(name=_numbered("scores", i), size=n) for i, n in enumerate(self.categories))
        return (*scores, Vector(name="code", size=self.continuous)) if self.continuous else scores


def _numbered(name: str, index: int) -> str:
    """The first code's name stands alone; further ones count from 2."""
    return f"{name}{index + 1}" if index else name
