"""What to do about a run that goes wrong, in the names of the command line's options: all of them stand here.

Methods differ in what they offer, so that a finding is given what its method has, and names nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option of the command line, without its dashes, and the value to try first; None where only a way is told."""

    name: str
    value: str | int | float | bool | None = None

    def __str__(self) -> str:
        return f"--{self.name}" if self.value is None or self.value is True else f"--{self.name} {self.value}"


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """Options that are set together, and what that does, as a half sentence."""

    options: tuple[Option, ...]
    does: str
    beside: tuple[Option, ...] = ()
    """What has to be set too where a configuration refuses the options alone."""

    @property
    def option(self) -> str:
        """The options as they are typed."""
        return " ".join(map(str, self.options))

    def __str__(self) -> str:
        return f"{self.option} ({self.does})"


_NO_NORM = Option(name="config.discriminator.norm", value="none")

PACKING = Remedy(
    options=(Option(name="config.discriminator.packing", value=2),), does="the discriminator sees two samples at once"
)
MINIBATCH_STDDEV = Remedy(
    options=(Option(name="config.discriminator.crowd", value="deviation"),),
    does="the discriminator sees how much a batch varies",
)
GRADIENT_PENALTY = Remedy(
    options=(Option(name="config.game.penalty.kind", value="r1+r2"),),
    beside=(_NO_NORM,),
    does="a discriminator that is smooth around its data",
)
DISCRIMINATOR_STEPS = Remedy(
    options=(Option(name="config.game.discriminator-steps", value=2),),
    does="a discriminator that keeps up with its generator",
)
INSTANCE_NOISE = Remedy(
    options=(Option(name="config.game.seen.noise.start", value=0.1),),
    does="the discriminator sees pictures through noise",
)
NO_IDENTITY = Remedy(
    options=(Option(name="config.identity-weight", value=0),), does="no copy of the input is asked for"
)
LESS_CYCLE = Remedy(options=(Option(name="config.cycle-weight"),), does="with less weight, the way back binds less")
MORE_IDENTITY = Remedy(options=(Option(name="config.identity-weight"),), does="with more weight, colours stay")
MORE_CYCLE = Remedy(options=(Option(name="config.cycle-weight"),), does="with more weight, the way back binds more")
MORE_RECONSTRUCTION = Remedy(
    options=(Option(name="config.reconstruction-weight"),), does="with more weight, the truth binds more"
)
MORE_HOLE = Remedy(
    options=(Option(name="config.hole-weight"),), does="with more weight, the truth in the hole binds more"
)
HINGE = Remedy(options=(Option(name="config.objective", value="hinge"),), does="a game that does not pay for certainty")
SPECTRAL_NORM = Remedy(
    options=(Option(name="config.discriminator.spectral-norm", value=True),),
    does="the discriminator is bounded, best with the objective hinge",
)
PLAIN_PENALTY = Remedy(
    options=(Option(name="config.penalty.kind", value="r1"),),
    beside=(_NO_NORM,),
    does="a discriminator that is smooth around its data",
)
RESAMPLING = Remedy(
    options=(Option(name="config.generator.resampling", value="nearest"),), does="upsampling that leaves no grid"
)
UPSAMPLING = Remedy(
    options=(Option(name="config.generator.upsampling", value="nearest"),), does="upsampling that leaves no grid"
)


@dataclass(frozen=True, kw_only=True)
class Halved(Option):
    """An option that is to get half of its value."""

    def __str__(self) -> str:
        return f"half of --{self.name}"


def slower(network: str) -> Remedy:
    """Half the learning rate of a network, by its name in the recipe."""
    return Remedy(options=(Halved(name=f"optimisers.{network}.learning-rate"),), does=f"{network} moves more slowly")


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """What a method offers against each trouble, in the order to try; the default is the whole line's."""

    collapse: Sequence[Remedy] = (GRADIENT_PENALTY, PACKING, MINIBATCH_STDDEV)
    """Samples from noise are too alike."""

    strong_discriminator: Sequence[Remedy] = (GRADIENT_PENALTY, INSTANCE_NOISE, SPECTRAL_NORM, PLAIN_PENALTY)
    """The discriminator always wins. Its own learning rate is named beside these."""

    weak_discriminator: Sequence[Remedy] = (DISCRIMINATOR_STEPS,)
    """The discriminator is fooled throughout. The generator's learning rate is named beside these."""

    copying: Sequence[Remedy] = (NO_IDENTITY, LESS_CYCLE, MORE_RECONSTRUCTION)
    """What translates hands its input back."""

    sameness: Sequence[Remedy] = (MORE_RECONSTRUCTION, MORE_HOLE, MORE_CYCLE, HINGE)
    """What translates answers much the same to any picture. The generator's learning rate is named beside these."""

    inversion: Sequence[Remedy] = (MORE_IDENTITY, MORE_RECONSTRUCTION, MORE_HOLE)
    """What translates exchanges light and dark, or hues."""

    grid: Sequence[Remedy] = (RESAMPLING, UPSAMPLING)
    """Pictures carry a grid of the period of upsampling."""


def advice(remedies: Sequence[Remedy]) -> str:
    """The remedies as one sentence; where a method has none, what helps any."""
    if not remedies:
        return "Train again with another --seed, or with smaller learning rates (--optimisers.*.learning-rate)."
    *others, last = [str(remedy) for remedy in remedies]
    listed = f"{', '.join(others)} or {last}" if others else last
    return f"Try, one at a time: {listed}."
