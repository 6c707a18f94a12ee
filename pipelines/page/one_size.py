"""What the page does with models of pictures of one size: their numbers, or themselves again. No user interface."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.encoding import Encode, Reconstruct, resized
from pipelines.generating.classes import class_number
from pipelines.generating.generate import image_of
from pipelines.page.again import Again, Loading, encoded_again, file_stem, reconstructed_again
from pipelines.page.bench import Bench
from pipelines.page.choices import by_whom
from pipelines.page.given import CHOOSE
from pipelines.page.jobs import Job
from pipelines.page.models import Offer
from pipelines.tasks import Pipeline, pipeline_for
from translate.card import FixedPicture, Label, Port, Vector
from translate.data.writing import write_picture
from translate.errors import ConfigurationError

_READABLE: Final = (1, 3, 4)
"""Channels of what people have."""

_TOLD: Final = 6
"""Numbers that are told in words; the chart shows all."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A picture for such a model: the upload, and its class by name or number where the model wants one."""

    picture: Path | None
    label: str | None = None

    @property
    def path(self) -> Path:
        """The upload. Raises ConfigurationError where there is none."""
        if self.picture is None:
            raise ConfigurationError(CHOOSE)
        return self.picture


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoded:
    """The numbers of one picture by output port, a file with them, and words."""

    numbers: Mapping[str, NDArray[np.float32]]
    file: Path
    told: str
    again: Again


@dataclass(frozen=True, kw_only=True, eq=False)
class Reconstructed:
    """What the model saw and what it made of it, the latter as a file too, and words."""

    before: Image.Image
    after: Image.Image
    file: Path
    told: str
    again: Again


def encodes(offer: Offer) -> bool:
    """Whether it turns one picture into numbers."""
    return _takes_a_picture(offer.card.inputs, labels=0) and all(isinstance(o, Vector) for o in offer.card.outputs)


def reconstructs(offer: Offer) -> bool:
    """Whether it turns one picture, and a class where it knows some, into that picture again."""
    made = offer.card.outputs[0]
    return _takes_a_picture(offer.card.inputs, labels=1) and isinstance(made, FixedPicture) and made.channels in (1, 3)


def encode_one(offer: Offer, shown: Shown, bench: Bench, job: Job) -> Encoded:
    """Encode one picture. Raises PixturnError for whatever is refused, StoppedError where the job was stopped."""
    seen = _seen(offer, shown.path, bench, job)
    encode = _opened(offer, bench, job)
    if not isinstance(encode, Encode):
        raise ConfigurationError(f"{offer.name} does not turn pictures into numbers")
    began = job.seconds
    numbers = {name: rows[0] for name, rows in encode.outputs([image_of(seen)]).items()}
    words = "; ".join(in_words(name, row) for name, row in numbers.items())
    file = _beside(bench, offer, shown.path, ".json")
    file.write_text(json.dumps({name: row.tolist() for name, row in numbers.items()}, indent=2), encoding="utf-8")
    return Encoded(
        numbers=numbers,
        file=file,
        told=f"{words}. With {by_whom(offer, encode.device)} in {job.seconds - began:.1f} s",
        again=encoded_again(Loading(spoken=offer.spoken), shown.path.name, list(numbers)),
    )


def reconstruct_one(offer: Offer, shown: Shown, bench: Bench, job: Job) -> Reconstructed:
    """Give one picture back as the model remembers it. Raises as `encode_one` does."""
    label = _class_of(offer, shown.label)
    seen = _seen(offer, shown.path, bench, job)
    reconstruct = _opened(offer, bench, job)
    if not isinstance(reconstruct, Reconstruct):
        raise ConfigurationError(f"{offer.name} does not give pictures back")
    began = job.seconds
    after = reconstruct(image_of(seen), label=label)
    seconds = job.seconds - began
    file = _beside(bench, offer, shown.path, ".png")
    write_picture(np.asarray(after), file)
    return Reconstructed(
        before=image_of(seen).convert("RGB"),
        after=after.convert("RGB"),
        file=file,
        told=f"{seen.shape[1]} x {seen.shape[0]} px with {by_whom(offer, reconstruct.device)} in {seconds:.1f} s",
        again=reconstructed_again(Loading(spoken=offer.spoken), shown.path.name, file.name, label),
    )


def in_words(name: str, numbers: NDArray[np.float32]) -> str:
    """A port's numbers for people: which class is likeliest, where they are chances; else the first of them."""
    if len(numbers) > 1 and numbers.min() >= 0 and abs(float(numbers.sum()) - 1) < 1e-3:
        return f"{name}: {int(numbers.argmax())} is likeliest ({float(numbers.max()):.0%})"
    listed = ", ".join(f"{float(number):.2f}" for number in numbers[:_TOLD])
    return f"{name}: {listed}" + (f" and {len(numbers) - _TOLD} more" if len(numbers) > _TOLD else "")


def _takes_a_picture(ports: tuple[Port, ...], *, labels: int) -> bool:
    first, *others = ports
    is_readable = isinstance(first, FixedPicture) and first.channels in _READABLE
    return is_readable and len(others) <= labels and all(isinstance(port, Label) for port in others)


def _seen(offer: Offer, path: Path, bench: Bench, job: Job) -> NDArray[np.uint8]:
    """The upload as the model sees it: H x W x C uint8 in its size."""
    job.say("Reading the picture")
    port = offer.card.inputs[0]
    if not isinstance(port, FixedPicture):
        raise ConfigurationError(f"{offer.name} takes no picture")
    return resized(bench.intake.decode(path, channels=port.channels).pixels, port)


def _opened(offer: Offer, bench: Bench, job: Job) -> Pipeline:
    if offer.path not in bench.shelf:
        job.say(f"Loading {offer.name}")
    return pipeline_for(bench.shelf.runtime(offer.path).for_job(job))


def _class_of(offer: Offer, label: str | None) -> int | None:
    port = next((port for port in offer.card.inputs if isinstance(port, Label)), None)
    if port is None:
        return None
    if label is None:
        raise ConfigurationError(f"{offer.name} wants to know the class: choose one")
    return class_number(port, label)


def _beside(bench: Bench, offer: Offer, picture: Path, ending: str) -> Path:
    """A fresh place for a result that is called after the upload and the model."""
    return bench.intake.folder.new("").with_name(f"{file_stem(picture.stem)}-{file_stem(offer.name)}{ending}")
