"""The two ends of an auto-encoder put together: decoders that give log-odds too, and both ends in a row."""

from torch import Tensor, nn

from translate.networks.encoders import GaussianEncoder
from translate.networks.latent_generators import LatentGenerator, LatentGeneratorConfig
from translate.networks.shapes import Shape


class HalfTanh(nn.Module):
    """The mean picture in [-1, 1] of log-odds: tanh(s / 2) = 2 sigmoid(s) - 1."""

    def forward(self, log_odds: Tensor) -> Tensor:
        """The same shape."""
        return (0.5 * log_odds).tanh()


class Decoder(nn.Module):
    """N x `latent` codes, and N labels where it knows `classes`, to N x *`shape` samples.

    `ending` turns the raw numbers of `generator`, which a likelihood may want, into samples.
    """

    def __init__(self, *, generator: LatentGenerator, ending: nn.Module) -> None:
        super().__init__()
        self.generator, self.ending = generator, ending
        self.shape, self.latent, self.classes = generator.shape, generator.latent, generator.classes

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Samples; pictures in [-1, 1]."""
        return self.ending(self.raw(z, label))

    def raw(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """N x *`shape`: log-odds of white where that was asked for, else the samples themselves."""
        return self.generator(z, label)


def build_decoder(
    config: LatentGeneratorConfig, shape: Shape, latent: int, classes: int = 0, *, log_odds: bool
) -> Decoder:
    """A decoder with its first weights.

    Args:
        config: of the generator that it is.
        shape: of what it makes, (C, H, W) or (D,).
        latent: numbers in a code.
        classes: of the labels that it is given; 0 for none.
        log_odds: whether its raw numbers are log-odds of white, which nothing bounds.

    Raises:
        ConfigurationError: for a shape that the kind cannot make.
    """
    generator = config.build(shape, latent, classes)
    if not log_odds:
        return Decoder(generator=generator, ending=nn.Identity())
    return Decoder(generator=_without_tanh(generator), ending=HalfTanh())


def _without_tanh(generator: LatentGenerator) -> LatentGenerator:
    # Log-odds out of a tanh's output would be those of a rounded probability: at 1 - 6e-8 they end.
    body = generator.body
    if isinstance(body, nn.Sequential) and isinstance(body[-1], nn.Tanh):
        body = body[:-1]
    return LatentGenerator(
        body=body,
        shape=generator.shape,
        latent=generator.latent,
        classes=generator.classes,
        labels=generator.labels,
    )


class Means(nn.Module):
    """N x *shape samples to N x `latent` codes, the means of what a Gaussian encoder says."""

    def __init__(self, *, encoder: GaussianEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: Tensor) -> Tensor:
        """The codes; nothing is drawn."""
        return self.encoder(x).mean


class Reconstruction(nn.Module):
    """N x *shape samples to codes and back; the decoder is told the labels where it knows classes."""

    def __init__(self, *, encoder: nn.Module, decoder: Decoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """N x *shape."""
        return self.decoder(self.encoder(x), label)
