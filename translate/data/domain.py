"""What a domain's pictures are (`rgb`, `grey`, `rgba`, `labels:12`), and the ports that follow from it."""

from dataclasses import dataclass

from translate.card import Label, LabelMap, Picture, PicturePort, Port, SizeRule, Vector, picture_ports
from translate.errors import ConfigurationError

CHANNELS = {"grey": 1, "rgb": 3, "rgba": 4}
"""Of pictures of colours, by the word for them."""


def port_of(kind: str, name: str, size: SizeRule | None = None) -> PicturePort:
    """The port for a kind as people write it: `grey`, `rgb`, `rgba`, or `labels:N` for N classes."""
    size = size or SizeRule()
    word, _, count = kind.partition(":")
    if word in CHANNELS and not count:
        return Picture(name=name, channels=CHANNELS[word], size=size)
    if word == "labels" and count.isdigit() and int(count) >= 2:
        return LabelMap(name=name, classes=int(count), size=size)
    raise ConfigurationError(f"{kind!r} is not a kind of picture: use grey, rgb, rgba, or labels:N with N classes")


def ports_of(kinds: tuple[str, ...], domain: str, size: SizeRule | None = None) -> tuple[PicturePort, ...]:
    """The ports of a domain: "a" for the first, "a2", "a3" ... for the further pictures of one sample."""
    return tuple(
        port_of(kind, domain if index == 0 else f"{domain}{index + 1}", size) for index, kind in enumerate(kinds)
    )


def channels_of(ports: tuple[PicturePort, ...]) -> int:
    """Channels of all ports of a domain, stacked."""
    return sum(port.channels for port in ports)


def is_colours(ports: tuple[PicturePort, ...]) -> bool:
    """Whether a domain is one picture of colours (grey, RGB, RGBA), which a network of photographs can look at."""
    return len(ports) == 1 and isinstance(ports[0], Picture) and ports[0].channels in CHANNELS.values()


@dataclass(frozen=True, kw_only=True)
class SampleSpec:
    """What a batch will hold, known before the first picture is read: enough to build every network.

    Height and width are those of training crops in pixels, of every domain but an input that is to be enlarged: `a` is
    smaller than `b` by the factor `scale`. `batch_size` is per process.
    """

    domains: dict[str, tuple[Port, ...]]
    height_px: int
    width_px: int
    batch_size: int
    scale: int = 1

    def channels(self, domain: str) -> int:
        """Channels of a domain's tensor."""
        return channels_of(self.pictures(domain))

    def pictures(self, domain: str) -> tuple[PicturePort, ...]:
        """The ports of a domain of pictures. Raises ModelError for a domain of something else."""
        return picture_ports(self.domains[domain])

    def shape(self, domain: str) -> tuple[int, ...]:
        """Of one sample's tensor: (C, H, W) for pictures, (D,) for points."""
        port = self.domains[domain][0]
        return (port.size,) if isinstance(port, Vector) else (self.channels(domain), self.height_px, self.width_px)

    def classes(self, domain: str) -> int:
        """How many classes a domain of labels has; 0 where the batch holds none."""
        (port,) = self.domains.get(domain, (None,))
        return port.classes if isinstance(port, Label) else 0
