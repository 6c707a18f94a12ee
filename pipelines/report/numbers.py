"""Numbers as people read them."""

import math
from collections.abc import Iterable

from pipelines.report.model import Better, Estimate

_MINUTES_AN_HOUR = 60
_MOST_DECIMALS = 5
MISSING = "\N{EM DASH}"


def duration(minutes: float) -> str:
    """`45 s`, `7.9 min`, `2 h 05 min`."""
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    if round(minutes, 1) < _MINUTES_AN_HOUR:
        return f"{minutes:.1f} min"
    hours, rest = divmod(round(minutes), _MINUTES_AN_HOUR)
    return f"{hours} h {rest:02d} min"


def count(number: int) -> str:
    """`50,000`."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """`1 picture`, `2,000 pictures`."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def significant(value: float, digits: int = 4) -> str:
    """`value` to that many significant digits, without an exponent where it can be helped."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    if decimals > digits + 3:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, decimals)}f}"


def column_decimals(estimates: Iterable[Estimate]) -> int:
    """Decimals for a whole column: two significant digits of its smallest standard error, else four of its figures."""
    known = [estimate for estimate in estimates if math.isfinite(estimate.mean)]
    errors = [entry.standard_error for entry in known if entry.standard_error and math.isfinite(entry.standard_error)]
    figures = [abs(entry.mean) for entry in known if entry.mean]
    if errors:
        decimals = 1 - math.floor(math.log10(min(errors)))
    elif figures:
        decimals = 3 - math.floor(math.log10(max(figures)))
    else:
        decimals = 0
    return min(max(0, decimals), _MOST_DECIMALS)


def best_mean(estimates: Iterable[Estimate], better: Better) -> float | None:
    """The best finite mean, or None."""
    means = [estimate.mean for estimate in estimates if math.isfinite(estimate.mean)]
    if not means:
        return None
    return min(means) if better == "lower" else max(means)
