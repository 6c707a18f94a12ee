"""Files that are damaged, cut, too large or built to do harm are read or refused, and nothing else."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
from picture_files import RAMP, refusal, save, smooth, strange_press
from PIL import Image, ImageFile, features
from seeded_defects import picture, png, png_16_bit

from translate.data.pictures import Limits, decode, pixels_of, probe, read_picture
from translate.errors import ConfigurationError, PictureError

pytestmark = pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "zero_bytes"),
        (bytes(1000), "zero_bytes"),
        (b"hello", "not_a_picture"),
        (b"GIF89a" + bytes(100), "wrong_format"),
        (b"%PDF-1.7" + bytes(100), "wrong_format"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(100), "wrong_format"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "truncated"),
        (png(20_000, 10_000, 1, 0, bytes(10)), "too_many_pixels"),
        (png(6_500, 6_500, 1, 0, bytes(10)), "too_many_pixels"),
        (png(20_000, 1, 1, 0, bytes(10)), "too_many_pixels"),
    ],
)
def test_reasons(content, reason, tmp_path):
    (tmp_path / "p.png").write_bytes(content)
    assert refusal(read_picture, tmp_path / "p.png") == reason


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_file_is_truncated(file_format, share, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = save(tmp_path / "p", noise, file_format)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert refusal(read_picture, path) == "truncated"


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_several_frames_are_refused(file_format, tmp_path):
    image = Image.fromarray(picture(1))
    image.save(tmp_path / "p", file_format, save_all=True, append_images=[Image.fromarray(picture(2))])
    assert probe(tmp_path / "p").several_frames
    assert refusal(read_picture, tmp_path / "p") == "several_frames"


def test_an_mpo_is_its_first_picture(tmp_path):
    first, second = Image.fromarray(smooth()), Image.fromarray(picture(2))
    first.save(tmp_path / "p.jpg", "MPO", save_all=True, append_images=[second], quality=100, subsampling=0)
    assert probe(tmp_path / "p.jpg").format == "JPEG"
    assert np.abs(read_picture(tmp_path / "p.jpg").astype(int) - smooth()).max() <= 2


def test_what_is_no_file_is_unreadable(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for path in (tmp_path / "folder.png", tmp_path / "nowhere.png"):
        assert refusal(read_picture, path) == "unreadable"


def test_limits_and_formats_are_the_callers(tmp_path):
    path = save(tmp_path / "p", picture(1), "TIFF")
    assert refusal(read_picture, path, limits=Limits(max_pixels=1000)) == "too_many_pixels"
    assert refusal(read_picture, path, limits=Limits(max_bytes=100)) == "too_many_bytes"
    assert refusal(read_picture, path, limits=Limits(formats=("PNG",))) in ("wrong_format", "damaged")
    with pytest.raises(ConfigurationError):
        Limits(max_pixels=2 * 10**9)


def test_it_does_not_read_where_cut_files_are_filled_up(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(ConfigurationError):
        read_picture(save(tmp_path / "p", picture(1), "PNG"))


def _samples() -> list[bytes]:
    assert features.check("webp")
    image = Image.fromarray(picture(3))
    alpha = Image.fromarray(np.dstack([picture(3), picture(4)[..., 0]]))
    exif = Image.Exif()
    exif[0x0112] = 6
    made = []
    for source, file_format, options in (
        (image, "PNG", {"exif": exif}),
        (alpha, "PNG", {}),
        (image.quantize(7), "PNG", {"transparency": 0}),
        (image, "JPEG", {"exif": exif}),
        (image.convert("CMYK"), "JPEG", {}),
        (image, "JPEG", {"progressive": True}),
        (alpha, "WEBP", {"exif": exif}),
        (image, "WEBP", {"lossless": True}),
        (image, "TIFF", {"compression": "tiff_lzw"}),
        (alpha, "TIFF", {"compression": "tiff_adobe_deflate"}),
        (image.convert("CMYK"), "TIFF", {"icc_profile": strange_press()}),
        (image, "BMP", {}),
        (image.quantize(16), "BMP", {}),
    ):
        buffer = io.BytesIO()
        source.save(buffer, file_format, **options)
        made.append(buffer.getvalue())
    return [*made, png_16_bit(RAMP[:32, :32])]


def _mutated(data: bytes, rng: random.Random) -> bytes:
    content = bytearray(data)
    for _ in range(rng.choice((1, 2, 8, 40))):
        where = rng.randrange(min(len(content), rng.choice((64, 400, 10**9))))
        content[where] = rng.choice((0, 255, 127, 128, rng.randrange(256)))
    if rng.random() < 0.2:
        del content[rng.randrange(len(content)) :]
    if rng.random() < 0.1:
        where = rng.randrange(len(content) + 1)
        content[where:where] = rng.randbytes(rng.randrange(20))
    return bytes(content)


def fuzz(count: int, seed: int) -> tuple[int, int]:
    rng = random.Random(seed)
    samples = _samples()
    read = refused = 0
    for index in range(count):
        content = _mutated(samples[index % len(samples)], rng)
        if index % 4 == 0 and content.startswith(b"\x89PNG"):
            content = _with_right_checksums(content)
        try:
            for channels in (1, 3, 4):
                pixels = pixels_of(decode(content, "fuzz", Limits(max_pixels=1_000_000)), channels=channels)
                assert pixels.dtype == np.uint8
                assert pixels.ndim == 3
                assert pixels.shape[2] == channels
            read += 1
        except PictureError:
            refused += 1
    return read, refused


def _with_right_checksums(data: bytes) -> bytes:
    content, position = bytearray(data), 8
    while position + 12 <= len(content):
        end = position + 8 + int.from_bytes(content[position : position + 4], "big")
        if end + 4 > len(content):
            break
        content[end : end + 4] = struct.pack(">I", zlib.crc32(content[position + 4 : end]))
        position = end + 4
    return bytes(content)


@pytest.mark.filterwarnings("ignore:::PIL")
def test_mutated_files_are_read_or_refused_and_nothing_else():
    read, refused = fuzz(1500, seed=1)
    assert read > 100
    assert refused > 300


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:::PIL")
def test_many_mutated_files_are_read_or_refused_and_nothing_else():
    assert sum(fuzz(20_000, seed=2)) == 20_000
