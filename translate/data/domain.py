"""What a domain's pictures are (`rgb`, `grey`, `rgba`, `labels:12`), and the ports that follow from it."""

from dataclasses import dataclass

from translate.card import LabelMap, Picture, Port, SizeRule
from translate.errors import ConfigurationError

_CHANNELS = {"grey": 1, "rgb": 3, "rgba": 4}


def port_of(kind: str, name: str, size: SizeRule | None = None) -> Port:
    """The port for a kind as people write it: `grey`, `rgb`, `rgba`, or `labels:N` for N classes."""
    size = size or SizeRule()
    word, _, count = kind.partition(":")
    if word in _CHANNELS and not count:
        return Picture(name=name, channels=_CHANNELS[word], size=size)
    if word == "labels" and count.isdigit() and int(count) >= 2:
        return LabelMap(name=name, classes=int(count), size=size)
    raise ConfigurationError(f"{kind!r} is no kind of picture: use grey, rgb, rgba, or labels:N with N classes")


def ports_of(kinds: tuple[str, ...], domain: str, size: SizeRule | None = None) -> tuple[Port, ...]:
    """The ports of a domain: "a" for the first, "a2", "a3" ... for the further pictures of one sample."""
    return tuple(
        port_of(kind, domain if index == 0 else f"{domain}{index + 1}", size) for index, kind in enumerate(kinds)
    )


def channels_of(ports: tuple[Port, ...]) -> int:
    """Channels of all ports of a domain, stacked."""
    return sum(port.channels for port in ports)


def is_colours(ports: tuple[Port, ...]) -> bool:
    """Whether a domain is one picture of colours (grey, RGB, RGBA), which a network of photographs can look at."""
    return len(ports) == 1 and isinstance(ports[0], Picture) and ports[0].channels in _CHANNELS.values()


@dataclass(frozen=True, kw_only=True)
class SampleSpec:
    """What a batch will hold, known before the first picture is read: enough to build every network.

    Height and width are those of training crops in pixels; `batch_size` is per process.
    """

    domains: dict[str, tuple[Port, ...]]
    height_px: int
    width_px: int
    batch_size: int

    def channels(self, domain: str) -> int:
        """Channels of a domain's tensor."""
        return channels_of(self.domains[domain])
