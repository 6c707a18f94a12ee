"""Classes without labels: a classifier that is sure of itself, uses all classes alike and is not moved by distortions.

Hu, Miyato, Tokui, Matsumoto and Sugiyama, "Learning Discrete Representations via Information Maximizing Self-Augmented
Training" (IMSAT), ICML 2017, https://arxiv.org/abs/1702.08720; the information is that of Bridle et al. 1991 and of
Krause et al. 2010. All take raw logits, N x K, and give nats.
"""

from torch import Tensor

from translate.losses.classes import class_entropy
from translate.losses.scores import at_least_float32


def marginal_entropy(logits: Tensor) -> Tensor:
    """H(y) of the mean p(y | x) over the batch: log K where all classes are used alike, 0 where only one is."""
    marginal = (at_least_float32(logits).log_softmax(dim=1).logsumexp(dim=0)).log_softmax(dim=0)
    return -(marginal.exp() * marginal).sum()


def cluster_information(logits: Tensor, *, balance: float = 1.0) -> Tensor:
    """What classes say of samples, mu H(y) - H(y | x): their mutual information where mu = 1 (section 3.1).

    Args:
        logits: N x K, with N large beside K, as H(y) is that of one batch.
        balance: mu; above 1 it holds the classes to like shares more strictly; 4 in the published code.
    """
    return balance * marginal_entropy(logits) - class_entropy(logits)


def self_augmentation(logits: Tensor, distorted: Tensor) -> Tensor:
    """E KL(p(y | x) || p(y | T x)), with the prediction for x itself held fixed (section 3.2): 0 if T changes nothing.

    So a distorted sample is drawn to what is said of the sample, and not the other way.

    Args:
        logits: N x K, of samples.
        distorted: N x K, of the same samples distorted. Gradients flow into these alone.
    """
    fixed = at_least_float32(logits).detach().log_softmax(dim=1)
    moved = at_least_float32(distorted).log_softmax(dim=1)
    return (fixed.exp() * (fixed - moved)).sum(dim=1).mean()
