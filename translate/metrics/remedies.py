"""What to do about a game that goes wrong, in the names of the command line's options: all of them stand here.

Methods differ in what they offer, so a method says which remedies it has, and a finding names those alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """One option with the value to try first, and what it does, as a half sentence."""

    option: str
    does: str

    def __str__(self) -> str:
        return f"{self.option} ({self.does})"


PACKING = Remedy(option="--config.discriminator.packing 2", does="the discriminator sees two samples at once")
MINIBATCH_STDDEV = Remedy(
    option="--config.discriminator.crowd deviation", does="the discriminator sees how much a batch varies"
)
GRADIENT_PENALTY = Remedy(
    option="--config.game.penalty.kind r1+r2", does="a discriminator that is smooth around its data"
)
DISCRIMINATOR_STEPS = Remedy(
    option="--config.game.discriminator-steps 2", does="a discriminator that keeps up with its generator"
)
INSTANCE_NOISE = Remedy(
    option="--config.game.seen.noise.start 0.1", does="the discriminator sees pictures through noise"
)
RELATIVISTIC = Remedy(option="--config.game.objective relativistic", does="each sample is compared with a real one")


def slower(network: str) -> Remedy:
    """Half the learning rate of a network, by its name in the recipe."""
    return Remedy(option=f"half of --optimisers.{network}.learning-rate", does=f"{network} moves more slowly")


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """What a method offers against each trouble, in the order to try; the default is the whole line's."""

    collapse: Sequence[Remedy] = (GRADIENT_PENALTY, PACKING, MINIBATCH_STDDEV)
    """Samples are too alike."""

    strong_discriminator: Sequence[Remedy] = (GRADIENT_PENALTY, INSTANCE_NOISE)
    """The discriminator always wins. Its own learning rate is named beside these."""

    weak_discriminator: Sequence[Remedy] = (DISCRIMINATOR_STEPS,)
    """The discriminator is fooled throughout. The generator's learning rate is named beside these."""


def advice(remedies: Sequence[Remedy]) -> str:
    """The remedies as one sentence; where a method has none, what helps any."""
    if not remedies:
        return "Train again with another --seed, or with smaller learning rates (--optimisers.*.learning-rate)."
    *others, last = [str(remedy) for remedy in remedies]
    listed = f"{', '.join(others)} or {last}" if others else last
    return f"Try, one at a time: {listed}."


NO_REMEDIES = Remedies(collapse=(), strong_discriminator=(), weak_discriminator=())
"""Of a method without such options."""
