"""Categories of real samples that nobody labelled: what a classifier is to say of them, off by default.

Hu, Miyato, Tokui, Matsumoto and Sugiyama, "Learning Discrete Representations via Information Maximizing Self-Augmented
Training" (IMSAT), ICML 2017, https://arxiv.org/abs/1702.08720, with a small distortion T:

    R(Q) = alpha E KL(Q(c | x) || Q(c | T x)) - beta (mu H(c) - H(c | x))

The published code has alpha = 1, beta = 0.1, mu = 4. Its T moves samples where Q changes most (VAT), or turns and leans
them as here: what one knows of a kind of pictures without knowing any class.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from translate.errors import require
from translate.losses.clusters import cluster_information, self_augmentation
from translate.method import Terms
from translate.networks.distorted import Distortion, distorted

Read = Callable[[Tensor], Sequence[Tensor]]
"""N x *shape samples to the logits of each categorical code, N x K."""


@dataclass(frozen=True, kw_only=True)
class ClustersConfig:
    """What the categories of real samples are to be like. The defaults ask for nothing."""

    agreement: float = 0.0
    """alpha: weight of the distance between the categories of a real sample and of the same one distorted."""
    clarity: float = 0.0
    """beta: weight of what categories say of real samples: each sample's is clear, and all come equally often."""
    balance: float = 4.0
    """mu: how much more their coming equally often weighs than their being clear."""
    distortion: Distortion = field(default_factory=Distortion)
    """T: what leaves a sample in its category. Continuous codes are not asked about it."""

    def __post_init__(self) -> None:
        """Refuse negative weights, and an agreement between a sample and itself."""
        require(self.agreement >= 0, "config.clusters.agreement", self.agreement, "0 or more")
        require(self.clarity >= 0, "config.clusters.clarity", self.clarity, "0 or more")
        require(self.balance >= 0, "config.clusters.balance", self.balance, "0 or more")
        distorts = self.distortion.changes or not self.agreement
        require(distorts, "config.clusters.agreement", self.agreement, "0, or a --config.clusters.distortion")

    @property
    def asks(self) -> bool:
        """Whether anything is asked of real samples."""
        return self.agreement > 0 or self.clarity > 0

    def require_categories(self, count: int) -> None:
        """Raises ConfigurationError where there is no categorical code to ask about."""
        for name, weight in (("agreement", self.agreement), ("clarity", self.clarity)):
            reason = "0, as there is no categorical code (--config.codes.categories)"
            require(count > 0 or not weight, f"config.clusters.{name}", weight, reason)

    def terms(self, x: Tensor, said: Sequence[Tensor], read: Read) -> Terms:
        """R(Q), each part that has a weight; summed over the categorical codes.

        Args:
            x: N x *shape real samples; N is to be large beside K, as H(c) is that of one batch.
            said: what `read` says of them.
            read: Q; called once more, on the distorted samples.
        """
        terms: dict[str, Tensor] = {}
        if self.clarity:
            information = [cluster_information(logits, balance=self.balance) for logits in said]
            terms["clarity"] = -self.clarity * torch.stack(information).sum()
        if self.agreement:
            others = read(distorted(x, self.distortion))
            apart = [self_augmentation(logits, other) for logits, other in zip(said, others, strict=True)]
            terms["agreement"] = self.agreement * torch.stack(apart).sum()
        return terms
