"""Health: do outputs carry a grid of period 2 or 4, as strided transposed convolutions leave it (Odena et al. 2016)?

A regular grid is a sharp peak in the power spectrum at multiples of a half or a quarter of the sampling frequency,
where pictures have nothing special. Each of these nine frequencies is compared with its own surroundings, so that
neither sharpness nor noise nor the slope of natural spectra counts.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from translate.metrics.finding import Finding, colours
from translate.metrics.remedies import Remedies, advice

PROMINENCE_FACTOR = 6.0
"""A peak counts if it has this many times the power of its surroundings (and as much more than in real pictures).

Measured on 64 px pictures: photos, JPEG at 40 to 90, noise, blur, emoji, line art, satellite and map tiles at most 4.1
in any 16 pictures (8 pictures are too few: up to 8.4); a checkerboard of one level of 255 in emoji 22, in photos 404.
"""

VISIBLE_LEVELS = 0.5
"""An amplitude below half a level of 255 is lost to rounding when the picture is written, however prominent it is."""

_FEWEST_PICTURES = 16
_SMALLEST_SIDE_PX = 32
_PERIOD_PX = 4
_NOTHING = 1e-3 / 127.5
_LEVELS_PER_UNIT = 127.5
_FREQUENCIES = ((0, 1), (0, 2), (1, -1), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2))
"""In quarters of the sampling frequency, vertical and horizontal; the other half of the plane mirrors them."""

_RING_BINS = [(y, x) for y in range(-4, 5) for x in range(-4, 5) if max(abs(y), abs(x)) >= 2]


@dataclass(frozen=True, kw_only=True)
class GridPeak:
    """The strongest grid in a set of pictures: `prominence` over its surroundings, `amplitude` in levels of 255."""

    vertical_quarters: int
    horizontal_quarters: int
    prominence: float
    amplitude: float

    @property
    def period_px(self) -> int:
        """2 or 4."""
        return 4 if 1 in (abs(self.vertical_quarters), abs(self.horizontal_quarters)) else 2


def grid_peaks(pictures: Tensor) -> list[GridPeak]:
    """The peaks at all frequencies of period 2 and 4, over N x C x H x W pictures in [-1, 1] of at least 32 px."""
    power, window_sum = _mean_power(pictures)
    return [_peak(power, window_sum, frequency) for frequency in _FREQUENCIES]


def check_checkerboard(
    outputs: Tensor, targets: Tensor, *, generator: str = "generator", remedies: Remedies | None = None
) -> list[Finding]:
    """Find a grid in outputs that real pictures of the domain do not have.

    Args:
        outputs: N x C x H x W in [-1, 1].
        targets: Real pictures of the same domain; their own peaks (JPEG blocks, halftone) are allowed for.
        generator: The network's name in the recipe.
        remedies: What the method offers.
    """
    made, real = colours(outputs), colours(targets)
    if made is None or real is None or min(len(made), len(real)) < _FEWEST_PICTURES:
        return []
    if min(*made.shape[-2:], *real.shape[-2:]) < _SMALLEST_SIDE_PX:
        return []
    pairs = zip(grid_peaks(made), grid_peaks(real), strict=True)
    excess = [ours for ours, theirs in pairs if _stands_out(ours, theirs)]
    if not excess:
        return []
    return [_finding(max(excess, key=lambda peak: peak.amplitude), generator, remedies or Remedies())]


def _stands_out(ours: GridPeak, theirs: GridPeak) -> bool:
    prominent = ours.prominence > PROMINENCE_FACTOR * max(1.0, theirs.prominence)
    return prominent and ours.amplitude > VISIBLE_LEVELS


def _finding(peak: GridPeak, generator: str, remedies: Remedies) -> Finding:
    return Finding(
        code="checkerboard",
        severity="warning",
        message=f"The pictures of {generator} carry a grid of period {peak.period_px} px, {peak.amplitude:.1f} levels "
        f"of 255 strong and {peak.prominence:.0f} times above its surroundings; real pictures have none.",
        remedy=f"Early in training a grid may still fade. If it stays, train again. {advice(remedies.grid)}",
    )


def _mean_power(pictures: Tensor) -> tuple[Tensor, float]:
    """The power spectrum of the brightness, its geometric mean over pictures, and the sum of the window.

    The geometric mean keeps one odd picture from deciding: a fault of the generator is in most of them. Sides are cut
    to multiples of 4, so that the frequencies fall on bins; the window keeps the picture's borders, which do not meet,
    from spreading over the axes.
    """
    height, width = (side // _PERIOD_PX * _PERIOD_PX for side in pictures.shape[-2:])
    grey = pictures[..., :height, :width].float().mean(dim=1)
    window = torch.outer(*(torch.hann_window(side, device=grey.device) for side in (height, width)))
    centred = (grey - grey.mean(dim=(1, 2), keepdim=True)) * window
    power = torch.fft.fft2(centred).abs().square()
    window_sum = float(window.sum())
    return power.clamp(min=(_NOTHING * window_sum) ** 2).log().mean(dim=0).exp(), window_sum


def _peak(power: Tensor, window_sum: float, frequency: tuple[int, int]) -> GridPeak:
    vertical, horizontal = frequency
    row, column = (quarters * side // _PERIOD_PX for quarters, side in zip(frequency, power.shape, strict=True))
    surroundings = float(_ring(power, row, column, frequency).median())
    peak = float(power[row % power.shape[0], column % power.shape[1]])
    waves = 1 if {abs(vertical), abs(horizontal)} <= {0, 2} else 2
    amplitude = waves * max(0.0, peak - surroundings) ** 0.5 / window_sum * _LEVELS_PER_UNIT
    prominence = peak / max(surroundings, torch.finfo(power.dtype).tiny)
    return GridPeak(
        vertical_quarters=vertical, horizontal_quarters=horizontal, prominence=prominence, amplitude=amplitude
    )


def _ring(power: Tensor, row: int, column: int, frequency: tuple[int, int]) -> Tensor:
    """The bins around a peak, beyond the window's spread; on an axis those along it, where edges put their power."""
    vertical, horizontal = frequency
    offsets = [(y, x) for y, x in _RING_BINS if (y == 0 or vertical != 0) and (x == 0 or horizontal != 0)]
    rows = torch.tensor([(row + y) % power.shape[0] for y, _ in offsets])
    columns = torch.tensor([(column + x) % power.shape[1] for _, x in offsets])
    return power[rows, columns]
