"""What users run of an auto-encoder, beside generation."""

from torch import nn

from translate.card import Label, Vector
from translate.data.domain import SampleSpec
from translate.data.domains import LABEL
from translate.deploy import generation, sample_port
from translate.method import Deploy
from translate.networks.auto_encoders import Decoder, Reconstruction
from translate.noise import Noise


def auto_encoder_deploys(
    *,
    sampler: nn.Module,
    sampled_by: tuple[nn.Module, ...],
    coder: nn.Module,
    encoder: nn.Module,
    decoder: Decoder,
    latent: int,
    spec: SampleSpec,
) -> dict[str, Deploy]:
    """From noise to a sample, from a sample to its code, and there and back.

    Args:
        sampler: N x latent of normal noise, and N classes where the decoder knows classes, to N x *shape.
        sampled_by: the networks of the method that it runs.
        coder: N x *shape to N x latent.
        encoder: the network of the method that it runs.
        decoder: from codes, and classes where it knows some, to samples.
        latent: numbers in a code.
        spec: what the data are.
    """
    there_and_back = Reconstruction(encoder=coder, decoder=decoder)
    return {
        "generate": generation(sampler, Noise(size=latent).port(), spec, networks=sampled_by),
        "encode": encoding(coder, encoder, latent, spec),
        "reconstruct": reconstruction(there_and_back, (decoder, encoder), spec),
    }


def encoding(module: nn.Module, encoder: nn.Module, latent: int, spec: SampleSpec) -> Deploy:
    """Samples to their codes, `z`.

    Args:
        module: N x *shape to N x latent.
        encoder: the network of the method that it runs.
        latent: numbers in a code.
        spec: what the data are.
    """
    return Deploy(
        module=module,
        networks=(encoder,),
        task="encode",
        inputs=(sample_port(spec),),
        outputs=(Vector(name="z", size=latent),),
    )


def reconstruction(module: nn.Module, networks: tuple[nn.Module, ...], spec: SampleSpec) -> Deploy:
    """Samples, and their classes where the data have classes, to what their codes keep of them, `y`.

    Args:
        module: called with N x *shape samples, and with N classes.
        networks: those of the method that it runs.
        spec: what the data are.
    """
    classes = tuple(port for port in spec.domains.get(LABEL, ()) if isinstance(port, Label))
    return Deploy(
        module=module,
        networks=networks,
        task="reconstruct",
        inputs=(sample_port(spec), *classes),
        outputs=(sample_port(spec, "y"),),
    )
