"""Encoders: from a sample to its code, as a point (auto-encoder) or as a normal distribution (variational)."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn

from translate.networks.choice import at_least
from translate.networks.labels import known_label
from translate.networks.shapes import Shape
from translate.networks.trunks import SampleFeatures, TrunkConfig


class Encoder(nn.Module):
    """N x *shape samples, and N labels where it knows `classes`, to N x `latent` codes."""

    def __init__(self, *, body: SampleFeatures, last: nn.Module, latent: int, classes: int) -> None:
        super().__init__()
        self.body, self.last = body, last
        self.latent, self.classes = latent, classes

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """The codes. Raises ConfigurationError for labels that are missing, or given where none are known."""
        return self.last(self.body(x, known_label(label, self.classes)))


class Gaussian(NamedTuple):
    """A normal distribution with independent coordinates for each of N samples."""

    mean: Tensor
    """N x latent."""
    log_variance: Tensor
    """N x latent, of the natural logarithm."""


class GaussianEncoder(nn.Module):
    """N x *shape samples, and N labels where it knows `classes`, to q(z | x), N x `latent` means and log-variances.

    Kingma and Welling 2014, https://arxiv.org/abs/1312.6114. The constructor's `encoder` gives 2 `latent` numbers.
    """

    def __init__(self, *, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.latent, self.classes = encoder.latent // 2, encoder.classes

    def forward(self, x: Tensor, label: Tensor | None = None) -> Gaussian:
        """Mean and log-variance; it draws nothing."""
        mean, log_variance = self.encoder(x, label).chunk(2, dim=1)
        return Gaussian(mean=mean, log_variance=log_variance)


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(TrunkConfig):
    """An encoder of whole samples; its decoder is a generator from noise."""

    def build(self, shape: Shape, latent: int, classes: int = 0) -> Encoder:
        """The network with its first weights, for an auto-encoder.

        Args:
            shape: of what it looks at, (C, H, W) or (D,).
            latent: numbers in a code.
            classes: of the labels that it is given beside the sample; 0 for none.

        Raises:
            ConfigurationError: for a shape or a norm that the kind cannot take.
        """
        body = self.features(shape, classes=classes)
        last = self.last(body.size, at_least(1, latent, "latent"))
        network = Encoder(body=body, last=last, latent=latent, classes=classes)
        self.finish(network)
        return network

    def build_gaussian(self, shape: Shape, latent: int, classes: int = 0) -> GaussianEncoder:
        """The same for a variational auto-encoder."""
        return GaussianEncoder(encoder=self.build(shape, 2 * at_least(1, latent, "latent"), classes))
