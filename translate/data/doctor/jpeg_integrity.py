"""Damage in the coded pixels of a JPEG, which has no checksum, and of which Pillow says nothing.

A decoder that met damage runs on with wrong bits and mostly ends early or late. Both can be seen from outside, by
decoding the file once more with other bytes at the ends of its scans:

- bytes *added* at the ends change the picture: the decoder had run out of data (a sound one has stopped by then);
- the last bytes *replaced* by three other strings change nothing: the decoder never got there (a sound one has; but
  the last scans of a progressive JPEG may say nothing new, so it is not asked).

On photographs with 40 bytes zeroed somewhere 40 to 90 % are noticed, depending on the coding (libjpeg's own warnings
notice about half). The rest decode to the right amount of wrong pixels, and cannot be told from a picture.
"""

from typing import Final, NamedTuple

import numpy as np

from translate.data.pictures import Pixels, decode, pixels_of
from translate.errors import PictureError

_TAIL_BYTES: Final = 8
_TAILS: Final = (bytes.fromhex("55a31c6e9237c84b"), bytes.fromhex("aa5ce3116db827d4"), bytes(_TAIL_BYTES))
_MAX_PIXELS: Final = 16_000_000
_RESTARTS: Final = range(0xD0, 0xD8)
_START_OF_SCAN: Final = 0xDA
_END: Final = 0xD9
_PROGRESSIVE_FRAME: Final = 0xC2
_ARITHMETIC_FRAMES: Final = range(0xC9, 0xD0)


class _Run(NamedTuple):
    """Coded bytes between two markers, as offsets; `is_last`: of a scan that is not progressive."""

    start: int
    end: int
    is_last: bool


def jpeg_damage(data: bytes) -> str | None:
    """What is wrong, in words; None for a JPEG in which nothing is noticed (over 16 MP nothing is looked for)."""
    try:
        runs = _coded_runs(data)
    except (IndexError, ValueError):
        return "its markers are not in order"
    reference = _decoded(data)
    if not runs or reference is None or reference.size > 3 * _MAX_PIXELS:
        return None
    if not _same(_with_added(data, runs), reference):
        return "the data of its pixels end too early"
    if any(_is_unread(data, run, reference) for run in runs if run.is_last and run.end - run.start > 2 * _TAIL_BYTES):
        return "the data of its pixels end too late"
    return None


def _coded_runs(data: bytes) -> list[_Run]:
    """All runs of coded pixels up to the end marker; none where the coding is arithmetic."""
    runs: list[_Run] = []
    progressive = False
    position = 2
    while True:
        marker, position = _marker(data, position)
        if marker == _END:
            return runs
        if marker in _ARITHMETIC_FRAMES and marker != 0xCC:
            return []
        progressive = progressive or marker == _PROGRESSIVE_FRAME
        if marker not in _RESTARTS:
            position += int.from_bytes(data[position : position + 2], "big")
        if marker == _START_OF_SCAN or marker in _RESTARTS:
            end = _end_of_run(data, position)
            runs.append(_Run(position, end, not progressive and data[end + 1] not in _RESTARTS))
            position = end


def _marker(data: bytes, position: int) -> tuple[int, int]:
    if data[position] != 0xFF:
        raise ValueError("there is no marker")
    while data[position] == 0xFF:
        position += 1
    return data[position], position + 1


def _end_of_run(data: bytes, position: int) -> int:
    """The next 0xFF that is not the byte 0xFF itself (written 0xFF00)."""
    while True:
        position = data.index(b"\xff", position)
        if data[position + 1] != 0:
            return position
        position += 2


def _with_added(data: bytes, runs: list[_Run]) -> bytes:
    pieces: list[bytes] = []
    position = 0
    for run in runs:
        pieces += [data[position : run.end], _TAILS[0] * 4]
        position = run.end
    return b"".join([*pieces, data[position:]])


def _is_unread(data: bytes, run: _Run, reference: Pixels) -> bool:
    start = run.end - _TAIL_BYTES
    return all(_same(data[:start] + tail + data[run.end :], reference) for tail in _TAILS)


def _same(data: bytes, reference: Pixels) -> bool:
    pixels = _decoded(data)
    return pixels is not None and np.array_equal(pixels, reference)


def _decoded(data: bytes) -> Pixels | None:
    try:
        return pixels_of(decode(data, "JPEG"))
    except PictureError:
        return None
