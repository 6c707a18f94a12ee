"""The training benchmark as pictures: how many times the reference, and the cost of a picture as it grows."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10
from pathlib import Path

from benchmarks.contenders import REFERENCE, SHIPPED
from benchmarks.training_growth import Growth

_INK, _OURS, _OTHERS, _PALE = "#202020", "#1f5fbf", "#8a8a8a", "#dddddd"
_BAR, _NAME, _LONG = 20, 262, 300
_PANEL_WIDE, _PANEL_HIGH, _MARGIN, _LINE = 260, 190, 64, 14


def draw_ratios(ratios: Mapping[tuple[str, str], float], folder: Path) -> None:
    """One bar a contender, system by system; the reference is 1."""
    longest = max(ratios.values())
    parts: list[str] = []
    y, before = 20, ""
    for (system, contender), ratio in ratios.items():
        if system != before:
            y += 26
            parts.append(f'<text x="12" y="{y}" font-weight="bold">{escape(system)}</text>')
            y, before = y + 10, system
        parts.append(_bar(contender, ratio, y, _LONG / longest))
        y += _BAR + 4
    parts.append(f'<text x="{_NAME}" y="{y + 20}">pictures a second, in those of the reference</text>')
    _write(folder / "training-ratios.png", parts, _NAME + _LONG + 70, y + 36)


def _bar(contender: str, ratio: float, y: int, scale: float) -> str:
    colour = _OTHERS if contender == REFERENCE else _OURS
    opacity = 1.0 if contender in (REFERENCE, SHIPPED) else 0.45
    long = ratio * scale
    return (
        f'<text x="{_NAME - 10}" y="{y + 14}" text-anchor="end">{escape(contender)}</text>'
        f'<rect x="{_NAME}" y="{y}" width="{long:.1f}" height="{_BAR}" fill="{colour}" opacity="{opacity}"/>'
        f'<text x="{_NAME + long + 6:.1f}" y="{y + 14}">{ratio:.2f}</text>'
    )


def draw_growth(grown: Sequence[Growth], folder: Path) -> None:
    """A panel a system and a kind of growth, both axes logarithmic; a cost that is linear in its pixels is straight."""
    if not grown:
        return
    keys = list(dict.fromkeys((part.system, part.what) for part in grown))
    parts: list[str] = []
    for index, (system, what) in enumerate(keys):
        x = (index % 2) * (_PANEL_WIDE + 2 * _MARGIN) + _MARGIN
        y = (index // 2) * (_PANEL_HIGH + _MARGIN + 24) + 40
        curves = [part for part in grown if (part.system, part.what) == (system, what)]
        parts.append(f'<g transform="translate({x} {y})">{_panel(curves)}</g>')
    rows = (len(keys) + 1) // 2
    wide, high = 2 * (_PANEL_WIDE + 2 * _MARGIN), rows * (_PANEL_HIGH + _MARGIN + 24) + 40
    _write(folder / "training-growth.png", parts, wide, high)


def _panel(curves: Sequence[Growth]) -> str:
    across = _Logarithmic([at for part in curves for at in part.at], 0, _PANEL_WIDE)
    up = _Logarithmic([1e3 * sec for part in curves for sec in part.seconds], _PANEL_HIGH, 0)
    ticks = "".join(
        f'<text x="{across.place(at):.1f}" y="{_PANEL_HIGH + 16}" text-anchor="middle">{_side(at, curves[0])}</text>'
        for at in curves[0].at
    )
    lines = "".join(
        f'<line x1="0" x2="{_PANEL_WIDE}" y1="{up.place(tick):.1f}" y2="{up.place(tick):.1f}" stroke="{_PALE}"/>'
        f'<text x="-8" y="{up.place(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        for tick in up.ticks()
    )
    named = "px" if curves[0].what == "pixels" else curves[0].what
    return (
        f'<text x="0" y="-12" font-weight="bold">{escape(curves[0].system)}, ms a picture</text>{lines}{ticks}'
        f'<text x="{_PANEL_WIDE / 2}" y="{_PANEL_HIGH + 34}" text-anchor="middle">{named}</text>'
        + "".join(_curve(part, across, up) for part in curves)
        + _names(curves, up)
    )


def _side(at: int, part: Growth) -> str:
    return f"{round(at**0.5)}" if part.what == "pixels" else str(at)


def _curve(part: Growth, across: "_Logarithmic", up: "_Logarithmic") -> str:
    colour = _OTHERS if part.contender == REFERENCE else _OURS
    places = [(across.place(at), up.place(1e3 * sec)) for at, sec in zip(part.at, part.seconds, strict=True)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'


def _names(curves: Sequence[Growth], up: "_Logarithmic") -> str:
    """Each at the end of its curve, from above to below, none on another."""
    names: list[str] = []
    y = -float("inf")
    for part in sorted(curves, key=lambda part: -part.seconds[-1]):
        y = max(y + _LINE, up.place(1e3 * part.seconds[-1]) + 4)
        colour = _OTHERS if part.contender == REFERENCE else _OURS
        names.append(f'<text x="{_PANEL_WIDE + 6}" y="{y:.1f}" fill="{colour}">{escape(part.contender)}</text>')
    return "".join(names)


class _Logarithmic:
    """Numbers to pixels, from the least at `start` to the most at `end`, with a little room."""

    def __init__(self, numbers: Sequence[float], start: float, end: float) -> None:
        self.least, self.most = log10(min(numbers)) - 0.06, log10(max(numbers)) + 0.06
        self.start, self.end = start, end

    def place(self, number: float) -> float:
        return self.start + (log10(number) - self.least) / (self.most - self.least) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """1, 2 and 5 times powers of ten."""
        powers = range(int(self.least) - 1, int(self.most) + 2)
        return [
            digit * 10.0**power
            for power in powers
            for digit in (1, 2, 5)
            if self.least <= log10(digit * 10.0**power) <= self.most
        ]


def _write(path: Path, parts: Sequence[str], wide: float, high: float) -> None:
    from resvg_py import svg_to_bytes

    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
        f'font-family="DejaVu Sans, Arial, sans-serif" font-size="12" fill="{_INK}">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>'
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(svg_to_bytes(svg_string=svg)))
