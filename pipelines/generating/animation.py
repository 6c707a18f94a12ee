"""Frames as a file that moves: GIF by Pillow, MP4 by ffmpeg where it is installed."""

import importlib
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from translate.errors import ConfigurationError
from translate.storage.atomic import write_atomically

FRAMES_A_SECOND = 20
_SHOWN_PX = 256
_WHITE = (255, 255, 255)


def write_gif(frames: Sequence[Image.Image], path: Path, *, frames_a_second: float = FRAMES_A_SECOND) -> None:
    """Write a GIF that runs for ever, whole or not at all. GIF counts time in hundredths of a second.

    Raises:
        StorageError: the disk does not take it.
    """
    first, *others = [enlarged(frame) for frame in frames]
    duration_ms = max(20, round(100 / frames_a_second) * 10)
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=duration_ms, loop=0, optimize=False)
    write_atomically(path, buffer.getvalue())


def write_mp4(frames: Sequence[Image.Image], path: Path, *, frames_a_second: float = FRAMES_A_SECOND) -> None:
    """Write an MP4 (H.264) once through the frames, whole or not at all.

    Raises:
        ConfigurationError: imageio-ffmpeg is not installed.
        StorageError: the disk does not take it.
    """
    ffmpeg = _ffmpeg()
    shown = [_even(enlarged(frame).convert("RGB")) for frame in frames]
    with TemporaryDirectory() as folder:
        film = Path(folder) / "walk.mp4"
        writer = ffmpeg.write_frames(
            str(film), shown[0].size, fps=frames_a_second, macro_block_size=2, ffmpeg_log_level="error"
        )
        writer.send(None)
        for frame in shown:
            writer.send(np.ascontiguousarray(frame))
        writer.close()
        write_atomically(path, film.read_bytes())


def require_mp4() -> None:
    """Raises ConfigurationError where imageio-ffmpeg is not installed: better before the pictures are made."""
    _ffmpeg()


def enlarged(frame: Image.Image) -> Image.Image:
    """A small picture by a whole number, to at most 256 px, with its pixels to be seen; transparency on white."""
    factor = max(1, _SHOWN_PX // max(frame.size))
    visible = _on_white(frame) if frame.mode in ("LA", "RGBA") else frame
    return visible.resize((frame.width * factor, frame.height * factor), Image.Resampling.NEAREST)


def _on_white(frame: Image.Image) -> Image.Image:
    page = Image.new("RGBA", frame.size, (*_WHITE, 255))
    page.alpha_composite(frame.convert("RGBA"))
    return page.convert("RGB")


def _even(frame: Image.Image) -> Image.Image:
    """H.264 stores colours for blocks of 2 x 2: an odd side gets a white line."""
    size = (frame.width + frame.width % 2, frame.height + frame.height % 2)
    if size == frame.size:
        return frame
    page = Image.new("RGB", size, _WHITE)
    page.paste(frame, (0, 0))
    return page


def _ffmpeg() -> Any:  # noqa: ANN401 - imageio-ffmpeg has no types
    try:
        return importlib.import_module("imageio_ffmpeg")
    except ImportError as problem:
        raise ConfigurationError(
            "An .mp4 needs imageio-ffmpeg, which is not installed: pip install 'pixturn[video]', or write a .gif"
        ) from problem
