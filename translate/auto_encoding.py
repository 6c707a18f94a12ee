"""What auto-encoders have in common: what users run of them, and a run on digits."""

from typing import TypeVar

from torch import nn

from translate.card import Label, Vector
from translate.data.augmentation import Augmentation
from translate.data.domain import SampleSpec
from translate.data.domains import LABEL, OneDomain
from translate.deploy import generation, sample_port
from translate.method import Deploy
from translate.networks.auto_encoders import Decoder, Reconstruction
from translate.noise import Noise
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule

ConfigT = TypeVar("ConfigT")


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


def recipe_on_digits(method: str, config: ConfigT) -> Recipe[ConfigT]:
    """A method's networks `encoder` and `decoder` on digits of 28 px, both by one Adam whose rate falls to nothing."""
    adam = Adam(learning_rate=1e-3, beta1=0.9)
    return Recipe(
        method=method,
        config=config,
        optimisers={"encoder": adam, "decoder": adam},
        length=Length(images=500_000),
        domains=OneDomain(),
        augmentation=Augmentation(load_px=28, crop_px=28, flip=False, keep_aspect=True),
        batch_size=100,
        schedule=Schedule(shape="cosine", hold=0.0),
        validation=Validation(most=500),
    )
