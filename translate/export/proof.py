"""The proof that an exported graph computes what the trained network does: on real pictures, or it is refused.

Every size is tried with all pictures as a batch and with one of them alone. The graph agrees with the network within
the bar of its precision, gives the same bytes when it is run again, and gives a picture the same alone as in the
batch. The network is run again too, which shows that no dropout acts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from translate.card import PicturePort, Port, SizeRule
from translate.errors import ModelError
from translate.export.agreement import Agreement, compare_numbers, compare_pixels, largest_difference
from translate.export.bars import BARS, PIXELS, Bar
from translate.export.fitting import fitted
from translate.runtime.base import Arrays, Runtime
from translate.runtime.codec import Sample, codec_for
from translate.runtime.padding import crop, padded_size
from translate.runtime.rows import Rows, stacked

Size = tuple[int, int]
"""Height and width in pixels."""

_MOST_DB = 999.0


@dataclass(frozen=True, kw_only=True)
class Parity:
    """What the proof measured, the worst over all sizes and batches; `Bar` says what `alone` is."""

    agreement: Agreement
    alone: float

    def and_also(self, other: "Parity") -> "Parity":
        """The worse of the two in everything."""
        return Parity(agreement=self.agreement.and_also(other.agreement), alone=max(self.alone, other.alone))

    def figures(self) -> dict[str, float]:
        """For the card, by the names of `Bar`. Where nothing differs at all, the PSNR is told as 999 dB."""
        measured = self.agreement
        return {
            "difference": measured.difference,
            "levels": measured.levels,
            "mean_levels": measured.mean_levels,
            "psnr_db": min(measured.psnr_db, _MOST_DB),  # JSON has no infinity
            "changed": measured.share_changed,
            "alone": self.alone,
        }


def proof_sizes(rule: SizeRule, usual_px: int) -> tuple[Size, ...]:
    """The least size, a usual one (the training crop's), and two odd ones that have to be padded."""
    height, width = padded_size(usual_px, usual_px, rule)
    wide = ((height * 3 // 8) | 1, (width * 5 // 8) | 1)
    tall = ((height + 3) | 1, (width // 2 + 5) | 1)
    return (padded_size(1, 1, rule), (height, width), wide, tall)


def prove(
    graph: Runtime, network: Runtime, samples: Sequence[Sample], sizes: Iterable[Size], *, bar: Bar | None = None
) -> Parity:
    """Compare the numbers that come out, cropped as users get them.

    Args:
        graph: the exported graph; its card says the precision.
        network: what was trained, in float32.
        samples: real pictures, resized to every size; together they are the larger batch.
        sizes: any at all, since pictures are padded as the pipeline does it.
        bar: what is allowed; None: the bar of the card's precision.

    Raises:
        ModelError: names the size, the batch, the figure and the bar that it breaks.
    """
    allowed = bar or BARS[graph.card.precision]
    trial = _Trial(partial(_numbers, graph), partial(_numbers, network), compare_numbers, graph.card.outputs, allowed)
    return _over_all(trial, graph.card.input_pictures, samples, sizes)


def prove_pixels(
    graph: Runtime, network: Runtime, samples: Sequence[Sample], sizes: Iterable[Size], *, bar: Bar = PIXELS
) -> Parity:
    """Compare the bytes of a graph with pixels baked in to those that the pipeline makes around `network`.

    Arguments and errors are those of `prove`.
    """
    trial = _Trial(partial(_pixels, graph), partial(_pixels, network), compare_pixels, graph.card.outputs, bar)
    return _over_all(trial, graph.card.input_pictures, samples, sizes)


def prove_rows(graph: Runtime, network: Runtime, samples: Sequence[Rows], *, bar: Bar | None = None) -> Parity:
    """Compare what comes out of inputs that are no pictures of any size: noise, classes, pictures of one size.

    Arguments and errors are those of `prove`, but that there are no sizes.
    """
    allowed = bar or BARS[graph.card.precision]
    trial = _Trial(partial(_rows, graph), partial(_rows, network), compare_numbers, graph.card.outputs, allowed)
    return _within_share(trial.at(samples, "on random inputs"), trial.bar)


_Inputs = Mapping[str, NDArray[Any]]
"""One sample by port name: pixels, or rows."""
_Outputs = Callable[[Sequence[Any]], Arrays]
_Compare = Callable[[Arrays, Arrays, Sequence[Port]], Agreement]


@dataclass(frozen=True)
class _Trial:
    """One size: what the graph makes of pictures, what the network makes of them, and how the two are compared."""

    made: _Outputs
    expected: _Outputs
    compare: _Compare
    ports: tuple[Port, ...]
    bar: Bar

    def at(self, samples: Sequence[_Inputs], where: str) -> Parity:
        together = self.made(samples)
        batch = self._compared(together, self.expected(samples), f"{where}, batch of {len(samples)}")
        one, where = samples[-1:], f"{where}, batch of 1"
        lone = _same_twice(self.made, one, f"{where}: the exported graph")
        single = self._compared(lone, _same_twice(self.expected, one, f"{where}: the trained network"), where)
        alone = largest_difference(lone, {name: array[-1:] for name, array in together.items()})
        if not alone <= self.bar.alone:
            raise _refusal(
                f"{where}: the picture differs by {alone:.3g} from itself in a batch of {len(samples)}; at most "
                f"{self.bar.alone:g} is allowed"
            )
        return Parity(agreement=batch.and_also(single), alone=alone)

    def _compared(self, made: Arrays, expected: Arrays, where: str) -> Agreement:
        for name, array in made.items():
            if array.shape != expected[name].shape:
                raise _refusal(f"{where}: {name!r} has the shape {array.shape}, not {expected[name].shape}")
        agreement = self.compare(made, expected, self.ports)
        for broken in agreement.beyond(self.bar):
            raise _refusal(f"{where}: {broken}")
        return agreement


def _over_all(trial: _Trial, ports: Sequence[PicturePort], samples: Sequence[Sample], sizes: Iterable[Size]) -> Parity:
    total = Parity(agreement=Agreement(), alone=0.0)
    for height, width in sizes:
        here = trial.at([fitted(sample, ports, height, width) for sample in samples], f"at {height} x {width} px")
        total = total.and_also(here)
    return _within_share(total, trial.bar)


def _within_share(total: Parity, bar: Bar) -> Parity:
    share, most = total.agreement.share_changed, bar.changed
    if not share <= most:
        raise _refusal(f"over all sizes: {share:.2%} of the values have another level; at most {most:.2%} may")
    return total


def _rows(runtime: Runtime, samples: Sequence[Rows]) -> Arrays:
    return runtime.run(stacked(samples))


def _numbers(runtime: Runtime, samples: Sequence[Sample]) -> Arrays:
    """N x C x H x W by port name, as float32."""
    height, width = (length * runtime.card.scale for length in _size(samples))
    made = runtime.run(codec_for(runtime.card).encode(samples))
    return {name: crop(array, height, width) for name, array in made.items()}


def _pixels(runtime: Runtime, samples: Sequence[Sample]) -> Arrays:
    """N x H x W x C by port name, as bytes (or as classes of 16 bits)."""
    codec = codec_for(runtime.card)
    made = codec.decode(runtime.run(codec.encode(samples)), *_size(samples))
    return {port.name: np.stack([picture[port.name] for picture in made]) for port in runtime.card.outputs}


def _size(samples: Sequence[Sample]) -> Size:
    height, width = next(iter(samples[0].values())).shape[:2]
    return height, width


def _same_twice(outputs: _Outputs, samples: Sequence[_Inputs], whose: str) -> Arrays:
    first, again = outputs(samples), outputs(samples)
    if any(array.tobytes() != again[name].tobytes() for name, array in first.items()):
        raise _refusal(f"{whose} gives other numbers when it is run again, as dropout would make it")
    return first


def _refusal(what: str) -> ModelError:
    return ModelError(f"Not exported, and nothing was written. The proof fails {what}")
