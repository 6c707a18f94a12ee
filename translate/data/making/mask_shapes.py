"""Shapes of holes: strokes of a brush, boxes, irregular segments, and bands along the border.

A shape is drawn as a *field*, height x width: the lower a pixel's number, the earlier it falls into the hole as that
grows. The hole is then what lies lowest, as much of it as is wanted: strokes get as thick, and boxes as large, as the
share of the picture asks for.
"""

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_FEWEST_STROKES, _MOST_STROKES = 1, 4
_FEWEST_BOXES, _MOST_BOXES = 1, 4
_COARSEST_CELLS, _FINEST_CELLS = 2, 6
_LONGEST_STROKE_VERTICES = 16


def lowest(field: Field, share: float) -> Mask:
    """Where the field is lowest: the share of the picture, as closely as pixels of equal numbers stay together.

    Pixels of equal numbers are a side of a box or a band, which stays straight, or a rim of a thin stroke: the share is
    wrong by half of them at most (at 128 px by 0.004 and 0.02 of the picture). Where all numbers differ it is met to
    half a pixel. One pixel at least is in the hole, and one is not.
    """
    wanted = min(max(round(share * field.size), 1), field.size - 1)
    level = np.partition(field, wanted - 1, axis=None)[wanted - 1]
    below, up_to = field < level, field <= level
    fewer, more = int(np.count_nonzero(below)), int(np.count_nonzero(up_to))
    if fewer == 0 and more == field.size:
        return _first(wanted, field)
    prefers_fewer = fewer > 0 and (wanted - fewer < more - wanted or more == field.size)
    return below if prefers_fewer else up_to


def strokes(height: int, width: int, draw: np.random.Generator) -> Field:
    """Distances to free-form strokes: polylines that turn to and fro at random (Yu et al. 2019, algorithm 1).

    Together they are one to five short sides long, and each has a thickness of its own, relative to the others.
    """
    count = int(draw.integers(_FEWEST_STROKES, _MOST_STROKES + 1))
    length_px = min(height, width) * draw.uniform(1.0, 5.0) / count
    fields = [
        _distance_to(_polyline(height, width, length_px, draw), height, width) / np.float32(draw.uniform(0.6, 1.4))
        for _ in range(count)
    ]
    return np.minimum.reduce(fields)


def boxes(height: int, width: int, draw: np.random.Generator) -> Field:
    """Boxes of one to four centres and shapes of their own, that grow alike."""
    count = int(draw.integers(_FEWEST_BOXES, _MOST_BOXES + 1))
    fields: list[Field] = []
    for _ in range(count):
        middle_row, middle_column = draw.uniform(0.1, 0.9, 2)
        shape, size = draw.uniform(-0.7, 0.7), draw.uniform(0.5, 1.5)
        rows = np.abs(_middles(height) - middle_row * height) * (np.exp(shape) / size)
        columns = np.abs(_middles(width) - middle_column * width) * (np.exp(-shape) / size)
        fields.append(np.maximum(rows[:, None], columns[None, :]).astype(np.float32))
    return np.minimum.reduce(fields)


def segments(height: int, width: int, draw: np.random.Generator) -> Field:
    """Smooth noise, coarse and fine: what lies below a level has the irregular outline of things."""
    cells = int(draw.integers(_COARSEST_CELLS, _FINEST_CELLS + 1))
    coarse = _noise(cells + 1, height, width, draw)
    fine = _noise(4 * cells, height, width, draw)
    return (coarse + draw.uniform(0.1, 0.4) * fine).astype(np.float32)


def bands(height: int, width: int, draw: np.random.Generator) -> Field:
    """Distances to one to four sides of the picture: what has to be painted on outside of it."""
    rows, columns = _middles(height), _middles(width)
    distances = [rows[:, None], (height - rows)[:, None], columns[None, :], (width - columns)[None, :]]
    sides = draw.permutation(4)[: int(draw.integers(1, 5))]
    fields = [np.broadcast_to(distances[side] / draw.uniform(0.5, 1.5), (height, width)) for side in sides]
    return np.minimum.reduce(fields).astype(np.float32)


def _first(count: int, field: Field) -> Mask:
    """Of pixels that are all equal, so many in reading order."""
    return (np.arange(field.size) < count).reshape(field.shape)


def _polyline(height: int, width: int, length_px: float, draw: np.random.Generator) -> npt.NDArray[np.int32]:
    """Vertices as x, y within the picture: V x 2. Every second piece turns back, as a hand that rubs something out."""
    end = np.array([width - 1, height - 1])
    point = draw.uniform(0.0, 1.0, 2) * end
    vertices, left_px = [point], length_px
    heading = draw.uniform(0.0, 2.0 * np.pi)
    while left_px > 0.0 and len(vertices) < _LONGEST_STROKE_VERTICES:
        step_px = min(left_px, min(height, width) * draw.uniform(0.1, 0.5))
        heading += np.pi * (len(vertices) % 2) + draw.uniform(-1.0, 1.0)
        reached = point + step_px * np.array([np.cos(heading), np.sin(heading)])
        point = end - np.abs(end - np.abs(reached))  # mirrored back at the sides
        vertices.append(point)
        left_px -= step_px
    return np.rint(vertices).astype(np.int32)


def _distance_to(vertices: npt.NDArray[np.int32], height: int, width: int) -> Field:
    """Of every pixel to a polyline, in pixels."""
    away = np.full((height, width), 255, np.uint8)
    cv2.polylines(away, [vertices], isClosed=False, color=0)
    # Not OpenCV's transform: its last bits depend on where in memory the picture happens to lie.
    return np.asarray(ndimage.distance_transform_edt(away), np.float32)


def _noise(cells: int, height: int, width: int, draw: np.random.Generator) -> Field:
    """Smooth noise with about so many hills and valleys a side."""
    coarse = draw.standard_normal((cells, cells)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32, copy=False)


def _middles(length: int) -> npt.NDArray[np.float64]:
    return np.arange(length, dtype=np.float64) + 0.5
