"""What is timed of a model that was loaded: pictures of several sizes through it, or samples out of it."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from numpy.typing import NDArray

from pipelines.benching.models.pictures import sample_of
from pipelines.benching.timing import Call
from pipelines.generating.generate import BATCH, Generate
from pipelines.tasks import Pipeline, Translate
from translate.card import Card, FixedPicture, Port
from translate.errors import ConfigurationError
from translate.runtime.codec import Sample
from translate.runtime.pixels import to_network

Numbers = Mapping[str, NDArray[Any]]
"""Outputs by port name as float32, pictures 1 x C x H x W in [-1, 1]."""
_OF_POINTS_PX: Final = 1
"""The side in the place of that of a picture, for a model whose samples are none."""


class Subject(Protocol):
    """A model, ready to be timed."""

    @property
    def card(self) -> Card:
        """The model's."""
        ...

    @property
    def ports(self) -> Sequence[Port]:
        """The outputs that are compared."""
        ...

    def sizes_px(self, asked: Sequence[int]) -> Sequence[int]:
        """Sides of the pictures: those that were asked for, or the only one that it makes."""
        ...

    def batches(self, asked: Sequence[int]) -> Sequence[int]:
        """Pictures that are tried together, beside one."""
        ...

    def call(self, side_px: int, count: int) -> Call:
        """So many pictures at once, ready to be timed."""
        ...

    def numbers(self, side_px: int) -> Numbers:
        """The outputs for one sample, always the same, to be compared with those of another engine."""
        ...


class Pictures:
    """Turns a picture into another: see Subject. Without a file the picture is a made-up one."""

    def __init__(self, translate: Translate, picture: Path | None) -> None:
        self._translate, self._picture = translate, picture
        self.card = translate.card
        self.ports = translate.card.output_pictures

    def sizes_px(self, asked: Sequence[int]) -> Sequence[int]:
        """See Subject."""
        return asked

    def batches(self, asked: Sequence[int]) -> Sequence[int]:
        """See Subject."""
        return asked

    def call(self, side_px: int, count: int) -> Call:
        """See Subject."""
        return partial(self._translate.batch, [self._sample(side_px)] * count)

    def numbers(self, side_px: int) -> Numbers:
        """See Subject."""
        made = self._translate.outputs(self._sample(side_px))
        return {port.name: to_network(made[port.name], port) for port in self.ports}

    def _sample(self, side_px: int) -> Sample:
        return sample_of(self.card, self._picture, side_px)


class Samples:
    """Makes pictures (or points) out of noise: see Subject. The noise is that of seed 0."""

    def __init__(self, generate: Generate) -> None:
        self._generate = generate
        self.card = generate.card
        self.ports = generate.card.outputs

    def sizes_px(self, asked: Sequence[int]) -> Sequence[int]:
        """See Subject; `asked` changes nothing."""
        sides = [max(port.height_px, port.width_px) for port in self.ports if isinstance(port, FixedPicture)]
        return [max(sides, default=_OF_POINTS_PX)]

    def batches(self, asked: Sequence[int]) -> Sequence[int]:
        """See Subject; with them what `pixturn generate` takes by itself."""
        return sorted({*asked, BATCH})

    def call(self, side_px: int, count: int) -> Call:
        """See Subject."""
        return partial(self._generate.run, self._generate.draw(count), batch=count)

    def numbers(self, side_px: int) -> Numbers:
        """See Subject."""
        return self._generate.arrays(1)


def subject_of(pipeline: Pipeline, picture: Path | None) -> Subject:
    """The subject of a task. Raises ConfigurationError for one that is not timed, or a picture that is of no use."""
    if isinstance(pipeline, Translate):
        return Pictures(pipeline, picture)
    name, task = pipeline.card.name, pipeline.card.task
    if not isinstance(pipeline, Generate):
        raise ConfigurationError(f"{name} is for the task {task!r}: models that make pictures or samples are timed")
    return Samples(pipeline)
