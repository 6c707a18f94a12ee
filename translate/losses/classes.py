"""Losses of class labels: an auxiliary classifier, and a discriminator that knows K classes beside "made".

A classifier gives raw logits, N x K, without a softmax: the softmax is in the loss. A network that has one too still
seems to learn, but can never come near 0 (a test of this file shows the floor).
"""

from torch import Tensor
from torch.nn.functional import cross_entropy

from translate.losses.scores import at_least_float32
from translate.unlabelled import UNLABELLED


def classification(logits: Tensor, labels: Tensor) -> Tensor:
    """E -log softmax(logits)[label] in nats: AC-GAN's L_C (Odena et al. 2017, eq. 3), one half of it a call.

    AC-GAN's discriminator and generator both minimise it, on real and on made samples. It is also the supervised
    part of the semi-supervised loss (Salimans et al. 2016, section 5), on the labelled samples of a batch.

    Args:
        logits: N x K, raw.
        labels: N integers from 0 to K - 1, or `UNLABELLED`.

    Returns:
        The mean over the labelled samples; 0 where there is none.
    """
    total = cross_entropy(at_least_float32(logits), labels, ignore_index=UNLABELLED, reduction="sum")
    return total / (labels != UNLABELLED).sum().clamp(min=1)


def real_score(logits: Tensor) -> Tensor:
    """The score log Z, Z = sum_k exp(l_k); its sigmoid is D(x) = Z / (Z + 1) (Salimans et al. 2016, section 5).

    A class K + 1, "made", whose logit is held at 0, is what stands behind it. So the unsupervised part of the
    semi-supervised loss is an objective of `adversarial` on these scores: non-saturating for the paper's.

    Args:
        logits: N x K, raw.

    Returns:
        N scores, in float32 or better.
    """
    return at_least_float32(logits).logsumexp(dim=1)


def class_entropy(logits: Tensor) -> Tensor:
    """E H(p(y | x)) in nats, of N x K raw logits: 0 where every class is certain, log K where none is likelier.

    The conditional entropy of unlabelled samples (Grandvalet and Bengio 2004; Dai et al. 2017, equation 8).
    """
    logs = at_least_float32(logits).log_softmax(dim=1)
    return -(logs.exp() * logs).sum(dim=1).mean()


def class_disagreement(logits: Tensor, others: Tensor) -> Tensor:
    """E |p - q|^2 between the class probabilities of two looks at N samples, from 0 to 2 (Laine and Aila 2017).

    Args:
        logits: N x K, raw.
        others: N x K, raw, of the same samples otherwise disturbed. Gradients flow into both.
    """
    p, q = at_least_float32(logits).softmax(dim=1), at_least_float32(others).softmax(dim=1)
    return (p - q).square().sum(dim=1).mean()
