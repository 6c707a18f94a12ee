"""The discriminator that is a classifier: K logits, whose log-sum-exp is the score of being real.

Salimans et al. 2016, https://arxiv.org/abs/1606.03498, section 5: the class "made" has a logit fixed at 0.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from translate.networks.choice import at_least
from translate.networks.dense import ActivationName
from translate.networks.shapes import Shape
from translate.networks.trunks import SampleFeatures, SampleNorm, TrunkConfig, TrunkKind


class ClassifierDiscriminator(nn.Module):
    """N x *shape samples to N x `classes` logits, linear in the features."""

    def __init__(self, *, body: SampleFeatures, last: nn.Module, classes: int) -> None:
        super().__init__()
        self.body, self.last, self.classes = body, last, classes

    @property
    def feature_size(self) -> int:
        """F of `features`."""
        return self.body.size

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the classes: no softmax."""
        return self.logits(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """N x F, the last hidden layer before its noise: what feature matching compares."""
        return self.body(x)

    def logits(self, features: Tensor) -> Tensor:
        """N x `classes` logits of the features: so that one pass gives both."""
        return self.last(features)


@dataclass(frozen=True, kw_only=True)
class ClassifierDiscriminatorConfig(TrunkConfig):
    """A discriminator that is a classifier: as published for MNIST; `conv` with width 96 is that for CIFAR-10."""

    kind: TrunkKind = "mlp"
    """Dense layers; or `conv`, nine convolutions (input-dropout 0.2, dropout 0.5 and no noise as published); or any
    other trunk of discriminators."""
    widths: tuple[int, ...] = (1000, 500, 250, 250, 250)
    """MLP, maxout: widths of the hidden layers."""
    activation: ActivationName = "relu"
    """MLP: after every hidden layer."""
    norm: SampleNorm = "weight"
    """Weight norm as published; or spectral, batch, none."""
    input_noise: float = 0.3
    """Standard deviation of Gaussian noise on the samples in training."""
    noise: float = 0.5
    """The same before every other layer (conv: before every group of layers)."""

    def build(self, shape: Shape, classes: int) -> ClassifierDiscriminator:
        """The network with its first weights.

        Args:
            shape: of what it looks at, (C, H, W) or (D,).
            classes: K, without the class of made samples.

        Raises:
            ConfigurationError: for a shape or a norm that the kind cannot take, or fewer than two classes.
        """
        body = self.features(shape)
        last = self.last(body.size, at_least(2, classes, "classes"))
        network = ClassifierDiscriminator(body=body, last=last, classes=classes)
        self.finish(network)
        return network
