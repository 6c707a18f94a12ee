"""What a run learns from.

Two domains of pictures (to translate); one folder of photos, from which inputs are made (to enlarge, repair or colour);
or one domain of samples, with classes or without (to generate).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import tyro

from translate.card import Label, Picture, Port, Vector
from translate.data.domain import CHANNELS, port_of, ports_of
from translate.data.making import Making
from translate.errors import ConfigurationError

X: Final = "x"
"""The domain of what is to be generated."""
LABEL: Final = "label"
"""The domain of its classes."""
AUTO: Final = "auto"


@dataclass(frozen=True, kw_only=True)
class TwoDomains:
    """Pictures of a, and what they are to become, b."""

    direction: Literal["AtoB", "BtoA"] = "AtoB"
    """BtoA turns the data set round: what lies in B is the input."""
    a: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KIND...")] = ("rgb",)
    """Kind of the input pictures: grey, rgb, rgba, or labels:N for N classes; one for each picture of a sample."""
    b: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KIND...")] = ("rgb",)
    """Kind of the output pictures, likewise."""
    paired: bool
    """Whether a sample is a picture and its counterpart, or one picture drawn from each domain."""

    def ports(self) -> dict[str, tuple[Port, ...]]:
        """By domain. Raises ConfigurationError for a kind that does not exist."""
        return {"a": ports_of(self.a, "a"), "b": ports_of(self.b, "b")}

    def stored(self) -> dict[str, tuple[Port, ...]]:
        """What lies in the data set: everything."""
        return self.ports()

    @property
    def scale(self) -> int:
        """Both domains have one size."""
        return 1


@dataclass(frozen=True, kw_only=True)
class MadePairs:
    """Photos of b, and inputs a that are made from them as they are needed."""

    making: Annotated[Making, tyro.conf.AvoidSubcommands]
    """What is done to a photo of b to make its a."""
    b: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KIND...")] = ("rgb",)
    """Kind of the photos: rgb, or grey."""

    def ports(self) -> dict[str, tuple[Port, ...]]:
        """By domain. Raises ConfigurationError for a kind that does not exist."""
        photos = ports_of(self.b, "b")
        return {"a": self.making.ports(photos), "b": photos}

    def stored(self) -> dict[str, tuple[Port, ...]]:
        """What lies in the data set: the photos."""
        return {"b": ports_of(self.b, "b")}

    @property
    def paired(self) -> bool:
        """An input belongs to the photo that it was made from."""
        return True

    @property
    def scale(self) -> int:
        """How much larger b is than a."""
        return self.making.scale


@dataclass(frozen=True, kw_only=True)
class OneDomain:
    """Samples of x, and their classes where the method wants them."""

    x: Annotated[str, tyro.conf.arg(metavar="KIND")] = AUTO
    """Kind of the samples: grey, rgb, rgba, or vector:N for points of N numbers; auto: as they are in the data set."""
    labelled: bool = False
    """Whether a sample comes with its class."""
    labels_a_class: int = 0
    """Samples of each class whose label may be learnt from, the others' being hidden; 0: all. Semi-supervised methods
    ask for a few."""
    classes: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME...")] = ()
    """Names of the classes, in the order of their numbers; empty: as they are in the data set."""

    def ports(self) -> dict[str, tuple[Port, ...]]:
        """By domain. Raises ConfigurationError while it is open what the data set holds."""
        ports: dict[str, tuple[Port, ...]] = {X: (self._x(),)}
        if self.labelled:
            if len(self.classes) < 2:
                raise ConfigurationError("--classes: a method that learns from classes needs at least two, by name")
            ports[LABEL] = (Label(name=LABEL, classes=len(self.classes), names=self.classes),)
        return ports

    def stored(self) -> dict[str, tuple[Port, ...]]:
        """What lies in the data set: everything."""
        return self.ports()

    @property
    def paired(self) -> bool:
        """A sample belongs to its class."""
        return True

    @property
    def scale(self) -> int:
        """There is one size only."""
        return 1

    def _x(self) -> Port:
        word, _, count = self.x.partition(":")
        if word == "vector" and count.isdigit() and int(count) >= 1:
            return Vector(name=X, size=int(count))
        if word in CHANNELS:
            return port_of(self.x, X)
        raise ConfigurationError(f"--x {self.x!r}: use grey, rgb, rgba, or vector:N for points of N numbers")


def kind_of(port: Port) -> str:
    """The word for a port of x as people write it; the other way round than `OneDomain.ports`."""
    if isinstance(port, Vector):
        return f"vector:{port.size}"
    words: Mapping[int, str] = {channels: word for word, channels in CHANNELS.items()}
    if isinstance(port, Picture) and port.channels in words:
        return words[port.channels]
    raise ConfigurationError(f"{port.name!r} is neither a grey, RGB or RGBA picture nor a point")


Domains = TwoDomains | MadePairs | OneDomain
