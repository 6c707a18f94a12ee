"""A walk through the latents: from one sample to the next and back to the first, without a jump."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.generating.classes import Class
from pipelines.generating.generate import Generate
from pipelines.generating.inputs import Inputs
from translate.card import Latent
from translate.errors import ConfigurationError

STOPS = 8
FRAMES = 12
_PARALLEL = 1e-6


def walk(
    generate: Generate,
    *,
    stops: int = STOPS,
    frames: int = FRAMES,
    seed: int = 0,
    label: Class | None = None,
    codes: Mapping[str, ArrayLike] | None = None,
    spread: float = 1.0,
) -> Inputs:
    """The inputs of the frames of a loop through samples 0 to stops - 1.

    Latents change: normal ones on great arcs (`slerp`), uniform ones on straight lines. Classes do not.

    Args:
        generate: the model.
        stops: samples on the way.
        frames: from one to the next; the loop has stops x frames, the first at sample 0.
        seed: of the samples.
        label: the class, by number or name; the first, if None.
        codes: fixed numbers for further ports.
        spread: scales normal noise.

    Raises:
        ConfigurationError: fewer than 2 stops or 1 frame, or a class that is not there.
    """
    if stops < 2 or frames < 1:
        raise ConfigurationError(f"A walk needs at least 2 stops and 1 frame between them, not {stops} and {frames}")
    drawn = generate.draw(stops, seed=seed, label=label, codes=codes, spread=spread)
    fixed = set(codes or {})
    return {
        port.name: _loop(drawn[port.name], port, frames)
        if isinstance(port, Latent) and port.name not in fixed
        else np.repeat(drawn[port.name][:1], stops * frames, axis=0)
        for port in generate.inputs.ports
    }


def slerp(
    first: NDArray[np.float32], second: NDArray[np.float32], fractions: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Spherical interpolation (Shoemake 1985; for latents White 2016, arXiv:1609.04468).

    sin((1 - t) w) / sin(w) first + sin(t w) / sin(w) second, w being the angle between the two. A straight line between
    two normal vectors passes where the model saw hardly any: their mean is shorter by the root of 2.

    Args:
        first: size numbers, where t = 0.
        second: size numbers, where t = 1.
        fractions: the values of t.

    Returns:
        As many rows of size numbers; on a straight line where the two have (nearly) one direction or opposite ones.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    t = np.asarray(fractions, dtype=np.float64)[:, np.newaxis]
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    angle = np.arccos(np.clip(a @ b / lengths, -1.0, 1.0)) if lengths > 0 else 0.0
    if np.sin(angle) < _PARALLEL:
        return lerp(first, second, fractions)
    mixed = np.sin((1 - t) * angle) * a + np.sin(t * angle) * b
    return (mixed / np.sin(angle)).astype(np.float32)


def lerp(
    first: NDArray[np.float32], second: NDArray[np.float32], fractions: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Interpolation on a straight line: as many rows as there are fractions."""
    t = np.asarray(fractions, dtype=np.float64)[:, np.newaxis]
    return ((1 - t) * first.astype(np.float64) + t * second.astype(np.float64)).astype(np.float32)


def _loop(stops: NDArray[np.float32], port: Latent, frames: int) -> NDArray[np.float32]:
    between = slerp if port.distribution == "normal" else lerp
    fractions = np.arange(frames) / frames
    legs = zip(stops, np.roll(stops, -1, axis=0), strict=True)
    return np.concatenate([between(first, second, fractions) for first, second in legs])
