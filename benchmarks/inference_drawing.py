"""The inference benchmark as a picture: milliseconds against the side of the picture, a panel a network."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10
from pathlib import Path
from typing import Any, Final

import resvg_py

_COLOURS: Final[Mapping[str, str]] = {
    "torch eager fp32": "#8a8a8a",
    "torch compiled bf16": "#c58b2b",
    "ONNX Runtime fp32": "#6fa3dd",
    "ONNX Runtime int8": "#7a5fb0",
    "OpenVINO fp32": "#3f9b6b",
    "OpenVINO bf16": "#1f5fbf",
}
_INK, _PALE = "#202020", "#dddddd"
_WIDE, _HIGH, _LEFT, _TOP, _GAP, _LEGEND = 240, 220, 60, 44, 56, 64
_LABELS_MS: Final = (10, 30, 100, 300, 1000, 3000, 10000)

Rows = Sequence[Mapping[str, Any]]
"""As `inference.py --out` writes them: network, px, engine, median in seconds."""


def draw(rows: Rows, path: Path) -> None:
    """Write the picture as .png; both axes are logarithmic, so that what is linear in its pixels rises two for one."""
    names = list(dict.fromkeys(row["network"] for row in rows))
    panels = [_panel([row for row in rows if row["network"] == name], name) for name in names]
    parts = [
        f'<g transform="translate({_LEFT + index * (_WIDE + _GAP)} {_TOP})">{panel}</g>'
        for index, panel in enumerate(panels)
    ]
    wide, high = _LEFT + len(names) * (_WIDE + _GAP), _TOP + _HIGH + 40 + _LEGEND
    parts.append(_legend([engine for engine in _COLOURS if any(row["engine"] == engine for row in rows)], high))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" font-family="sans-serif" '
        f'font-size="12" fill="{_INK}"><rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>'
    )
    path.write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=2)))


def _panel(rows: Rows, name: str) -> str:
    sizes, milliseconds = sorted({row["px"] for row in rows}), [1e3 * row["median_sec"] for row in rows]
    across, up = (min(sizes), max(sizes)), (0.8 * min(milliseconds), 1.25 * max(milliseconds))

    def place(px: float, ms: float) -> tuple[float, float]:
        return _share(px, across) * _WIDE, _HIGH - _share(ms, up) * _HIGH

    parts = [f'<text x="0" y="-14" font-weight="bold">{escape(name)}, ms a picture</text>']
    for ms in _LABELS_MS:
        if up[0] <= ms <= up[1]:
            y = place(sizes[0], ms)[1]
            parts.append(f'<path d="M0 {y:.1f}H{_WIDE}" stroke="{_PALE}"/>')
            parts.append(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{ms:,}</text>')
    for px in sizes:
        parts.append(f'<text x="{place(px, up[0])[0]:.1f}" y="{_HIGH + 18}" text-anchor="middle">{px} px</text>')
    for engine, colour in _COLOURS.items():
        points = [place(row["px"], 1e3 * row["median_sec"]) for row in rows if row["engine"] == engine]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return "".join(parts)


def _share(value: float, ends: tuple[float, float]) -> float:
    """Where a value lies between the ends of a logarithmic axis, from 0 to 1; in the middle of one without length."""
    least, most = map(log10, ends)
    return 0.5 if least == most else (log10(value) - least) / (most - least)


def _legend(engines: Sequence[str], high: int) -> str:
    parts = list[str]()
    for index, engine in enumerate(engines):
        x, y = _LEFT + index % 3 * 200, high - _LEGEND + 24 + index // 3 * 22
        parts.append(f'<rect x="{x}" y="{y - 9}" width="18" height="4" fill="{_COLOURS[engine]}"/>')
        parts.append(f'<text x="{x + 26}" y="{y - 2}">{escape(engine)}</text>')
    return "".join(parts)
