"""The perception-distortion plane (Blau and Michaeli 2018) as a drawing: contestants as points, mixtures as a curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

WIDE, HIGH, MARGIN = 640, 420, 60
_INK, _CURVE, _OTHERS = "#202020", "#1f5fbf", "#c2571a"
_ROOM = 0.08
_TICKS = 5


@dataclass(frozen=True, kw_only=True)
class Point:
    """A contestant: x is its perceptual distance (left is better), y its PSNR (up is better)."""

    name: str
    x: float
    y: float
    is_on_curve: bool = False


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """Numbers to pixels: `start` is where `least` lies."""

    least: float
    most: float
    start: float
    end: float

    def place(self, value: float) -> float:
        return self.start + (value - self.least) / (self.most - self.least) * (self.end - self.start)

    def ticks(self) -> list[float]:
        step = _round_step((self.most - self.least) / _TICKS)
        return [tick * step for tick in range(int(np.ceil(self.least / step)), int(self.most / step) + 1)]


def drawn(points: Sequence[Point], path: Path, *, x: str, y: str) -> None:
    """Write the plot as the file's ending says: .svg, or else .png."""
    path.parent.mkdir(parents=True, exist_ok=True)
    svg = figure(points, x=x, y=y)
    if path.suffix == ".svg":
        path.write_text(svg, encoding="utf-8")
        return
    from resvg_py import svg_to_bytes

    path.write_bytes(bytes(svg_to_bytes(svg_string=svg)))


def figure(points: Sequence[Point], *, x: str, y: str) -> str:
    """An SVG of all points; those on the curve are joined in their order."""
    across = _axis([point.x for point in points], MARGIN, WIDE - MARGIN / 3)
    up = _axis([point.y for point in points], HIGH - MARGIN, MARGIN / 3)
    curve = " ".join(f"{across.place(p.x):.1f},{up.place(p.y):.1f}" for p in points if p.is_on_curve)
    parts = [
        _frame(across, up, x, y),
        f'<polyline points="{curve}" fill="none" stroke="{_CURVE}" stroke-width="2"/>',
        *(_dot(point, across, up) for point in points),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{HIGH}" viewBox="0 0 {WIDE} {HIGH}" '
        f'font-family="DejaVu Sans, Arial, sans-serif" font-size="12" fill="{_INK}">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>'
    )


def _axis(values: Sequence[float], start: float, end: float) -> _Axis:
    least, most = min(values), max(values)
    room = _ROOM * (most - least) or 1.0
    return _Axis(least=least - room, most=most + room, start=start, end=end)


def _round_step(step: float) -> float:
    power = 10.0 ** np.floor(np.log10(step))
    return float(min((1, 2, 5, 10), key=lambda factor: abs(factor * power - step)) * power)


def _dot(point: Point, across: _Axis, up: _Axis) -> str:
    left, top = across.place(point.x), up.place(point.y)
    is_right = left > WIDE * 0.7
    anchor, shift = ("end", -8) if is_right else ("start", 8)
    colour = _CURVE if point.is_on_curve else _OTHERS
    return (
        f'<circle cx="{left:.1f}" cy="{top:.1f}" r="4" fill="{colour}"/>'
        f'<text x="{left + shift:.1f}" y="{top - 6:.1f}" text-anchor="{anchor}">{escape(point.name)}</text>'
    )


def _frame(across: _Axis, up: _Axis, x: str, y: str) -> str:
    """The two axes with their ticks and labels."""
    bottom, left = up.start, across.start
    lines = [f'<path d="M{left} {up.end}V{bottom}H{across.end}" fill="none" stroke="{_INK}"/>']
    for tick in across.ticks():
        lines.append(f'<text x="{across.place(tick):.1f}" y="{bottom + 18}" text-anchor="middle">{tick:.4g}</text>')
    for tick in up.ticks():
        lines.append(f'<text x="{left - 8}" y="{up.place(tick) + 4:.1f}" text-anchor="end">{tick:.4g}</text>')
    lines.append(f'<text x="{(left + across.end) / 2}" y="{HIGH - 14}" text-anchor="middle">{escape(x)}</text>')
    middle = (up.end + bottom) / 2
    lines.append(
        f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">{escape(y)}</text>'
    )
    return "".join(lines)
