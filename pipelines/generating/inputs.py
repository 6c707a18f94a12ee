"""What a generator takes, by role, and how each is drawn or given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.generating import draws
from pipelines.generating.classes import Classes, class_numbers
from translate.card import Card, Label, Latent, Port, Vector
from translate.errors import ConfigurationError, ModelError

Inputs = dict[str, NDArray[Any]]
"""One array an input port, one row a sample."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What is not left to chance; see `Generate.draw`."""

    label: Classes = None
    codes: Mapping[str, ArrayLike] | None = None
    latent: ArrayLike | None = None
    spread: float = 1.0


class InputPorts:
    """The input ports of a generator.

    `noise` is the first latent, `codes` are further ones, `label` is the first label; what else there is is in `ports`.

    Raises:
        ModelError: the card asks for a picture, so it is not a generator.
    """

    def __init__(self, card: Card) -> None:
        for port in card.inputs:
            if not isinstance(port, Latent | Label | Vector):
                raise ModelError(
                    f"{card.name} takes a {port.kind.replace('_', ' ')} ({port.name}): it is not a generator"
                )
        self.ports: tuple[Port, ...] = card.inputs
        latents = [port for port in card.inputs if isinstance(port, Latent)]
        self.noise: Latent | None = latents[0] if latents else None
        self.codes: tuple[Latent, ...] = tuple(latents[1:])
        self.label: Label | None = next((port for port in card.inputs if isinstance(port, Label)), None)

    def draw(self, count: int, seed: int, given: Given) -> Inputs:
        """The inputs of samples 0 to count - 1. Raises ConfigurationError for what does not fit the ports."""
        if count < 1:
            raise ConfigurationError(f"{count} samples were asked for: ask for at least 1")
        draws.require_seed(seed)
        fixed = self._fixed(given)
        return {
            port.name: rows_of(port, fixed[port.name], count)
            if port.name in fixed
            else self._drawn(port, count, seed, given)
            for port in self.ports
        }

    def _fixed(self, given: Given) -> dict[str, ArrayLike]:
        fixed = dict(given.codes or {})
        if given.latent is not None:
            if self.noise is None:
                raise ConfigurationError("This model takes no latent; leave `latent` out")
            fixed[self.noise.name] = given.latent
        if given.label is not None and self.label is None:
            raise ConfigurationError("This model knows no classes; leave the class out")
        names = [port.name for port in self.ports]
        if unknown := set(fixed) - set(names):
            raise ConfigurationError(f"This model takes {', '.join(names)}, not {', '.join(sorted(unknown))}")
        return fixed

    def _drawn(self, port: Port, count: int, seed: int, given: Given) -> NDArray[Any]:
        if isinstance(port, Latent):
            drawn = draws.noise(port, count, seed)
            return drawn * np.float32(_spread(given.spread)) if port.distribution == "normal" else drawn
        if isinstance(port, Label):
            # Only the first goes in turns: two that did would always say the same.
            first = port is self.label
            return class_numbers(port, given.label, count) if first else draws.classes(port, count, seed)
        raise ConfigurationError(f"{port.name!r} cannot be drawn: give its numbers in `codes` (--code {port.name}=...)")


def rows_of(port: Port, values: ArrayLike, count: int) -> NDArray[Any]:
    """Given numbers as count rows: one row (for all samples) or one a sample. Raises ConfigurationError otherwise."""
    if isinstance(port, Label):
        return _label_rows(port, values, count)
    size = port.size if isinstance(port, Latent | Vector) else 0
    rows = np.asarray(values, dtype=np.float32)
    if rows.shape not in ((size,), (1, size), (count, size)) or not np.isfinite(rows).all():
        raise ConfigurationError(
            f"The numbers for {port.name!r} have the shape {rows.shape}; give {size} numbers, or {count} x {size} "
            "(one row a sample), all of them finite"
        )
    return np.array(np.broadcast_to(rows, (count, size)))


def _label_rows(port: Label, values: ArrayLike, count: int) -> NDArray[np.int64]:
    wanted = np.asarray(values)
    if wanted.ndim > 1 or wanted.size not in (1, count):
        raise ConfigurationError(f"{wanted.size} classes were given for {port.name!r}; give one, or {count}")
    plain: list[int | str] = [value if isinstance(value, str) else _whole(port, value) for value in wanted.ravel()]
    return class_numbers(port, plain, count)


def _whole(port: Label, value: float) -> int:
    if int(value) != value:
        raise ConfigurationError(f"{value} is not a class of {port.name!r}: classes are whole numbers")
    return int(value)


def _spread(spread: float) -> float:
    if not 0 <= spread < np.inf:
        raise ConfigurationError(f"--spread {spread}: give 1 for the noise as trained, less for safer pictures")
    return spread
