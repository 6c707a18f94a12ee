"""Who is measured by protocols that ask for thousands of samples, and the real samples beside."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Final

import torch
from torch import Tensor

from pipelines.evaluating.sets import Progress, silent
from pipelines.generating.generate import Advance, Generate
from pipelines.training.generation.bearable import bearable, storable
from pipelines.training.generation.contest import SEED
from pipelines.training.generation.data import Data
from pipelines.training.generation.held_out import HeldOut
from pipelines.training.generation.known_modes import KnownModes, known_modes
from pipelines.training.generation.made import knows_classes_of, made_samples
from pipelines.training.offered import offered
from translate.data.domains import X
from translate.metrics.remedies import Remedies

MOST: Final = 10_000
"""Samples, as Goodfellow et al. 2014 take for a Parzen window."""
MOST_SCORED: Final = 1000
"""Held-out samples that are scored against."""
MOST_TRAINING: Final = 10_000
"""Training samples beside; of large ones fewer."""

_PER_TRAINING_SAMPLE = 4
_MAKING: Final = "Making samples"
_CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A generator and its data. Samples are made when they are first asked for, and kept."""

    generate: Generate
    held_out: HeldOut
    """What is scored against."""
    validation: HeldOut | None
    """What may choose a protocol's settings; None where no others are held out."""
    training: HeldOut
    device: torch.device
    modes: KnownModes | None = None
    """Those that the data set is known to have."""
    remedies: Remedies = field(default_factory=Remedies)
    """What the method offers where something is wrong."""
    seed: int = SEED
    """Of the noise."""
    progress: Progress = silent
    """Told of what takes longer than seconds."""

    @property
    def knows_classes(self) -> bool:
        """Whether the generator is asked for the data's classes."""
        return knows_classes_of(self.generate, self.held_out)

    @property
    def classes(self) -> int:
        """How many classes there are. Only where `knows_classes`."""
        assert self.generate.inputs.label is not None
        return self.generate.inputs.label.classes

    @cached_property
    def made(self) -> Tensor:
        """Thousands of samples, N x shape, in [-1, 1] or as points are."""
        count = self._count()
        samples = made_samples(self.generate, self.held_out, self.seed, count=count, advance=self.telling(_MAKING))
        return torch.from_numpy(samples)

    def telling(self, what: str) -> Advance:
        """Tells how far it is with one thing."""
        return partial(self.progress, what)

    @property
    def asked(self) -> Tensor:
        """The N classes of `made`. Only where `knows_classes`."""
        assert self.held_out.labels is not None
        return self.held_out.labels[torch.arange(len(self.made)) % len(self.held_out)]

    @cached_property
    def real(self) -> Tensor:
        """The first training samples, as `made` is: thousands, of large ones fewer."""
        return self.training.tensor(0, bearable(len(self.training), self._shape), _CPU)

    @cached_property
    def test(self) -> Tensor:
        """All that are held out."""
        return self.held_out.tensor(0, len(self.held_out), _CPU)

    def _count(self) -> int:
        return min(bearable(MOST, self._shape), _PER_TRAINING_SAMPLE * len(self.training))

    @property
    def _shape(self) -> Sequence[int]:
        return self.training.stored.shape[1:]


def subject_of(
    generate: Generate, data: Data, *, device: torch.device, seed: int = SEED, progress: Progress = silent
) -> Subject:
    """A generator and the data set of its run.

    Raises:
        PictureError: A picture cannot be read.
        DatasetError: The data set says of its modes what cannot be understood.
    """
    return Subject(
        generate=generate,
        held_out=data.samples(data.scored, most=MOST_SCORED),
        validation=data.held_out if data.scored != "validation" else None,
        training=data.samples("train", most=storable(MOST_TRAINING, data.recipe.spec().shape(X))),
        device=device,
        modes=known_modes(data.collection.root),
        remedies=offered(data.recipe),
        seed=seed,
        progress=progress,
    )
