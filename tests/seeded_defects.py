"""A clean data set, and one seeded defect for each thing that the dataset doctor looks for.

The set has two pictures in a sample of A (colours, and label maps of 4 classes) and one of B, in train and test:
trainA, trainA2, trainB, testA, testA2, testB. Each defect spoils samples of its own and says which files are at fault.
"""

import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

SIZE_PX = 32
CLASSES = 4
A_KINDS = ("rgb", f"labels:{CLASSES}")
B_KINDS = ("rgb",)


def picture(seed: int, size_px: int = SIZE_PX) -> np.ndarray:
    """Blocks of random colours: no two seeds alike, and coarse enough for JPEG."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return blocks.repeat(size_px // 8, axis=0).repeat(size_px // 8, axis=1)


def label_map(seed: int, size_px: int = SIZE_PX) -> np.ndarray:
    return (picture(seed, size_px)[..., 0] // 64).astype(np.uint8)


def clean_set(root: Path, train: int = 40, test: int = 5) -> Path:
    """A data set in which nothing is wrong."""
    seed = 0
    for split, count in (("train", train), ("test", test)):
        for folder in ("A", "A2", "B"):
            (root / f"{split}{folder}").mkdir(parents=True)
        for index in range(count):
            seed += 2
            name = f"{split[0]}{index:05d}.png"
            Image.fromarray(picture(seed)).save(root / f"{split}A" / name)
            Image.fromarray(label_map(seed)).save(root / f"{split}A2" / name)
            Image.fromarray(picture(seed + 1)).save(root / f"{split}B" / name)
    return root


def png(width: int, height: int, bit_depth: int, color_type: int, rows: bytes) -> bytes:
    """A PNG of our own making, for what Pillow does not write. `rows` are unfiltered, each led by a zero byte."""
    header = struct.pack(">IIBBBBB", width, height, bit_depth, color_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def png_16_bit(levels: np.ndarray) -> bytes:
    """A 16-bit grey (H x W) or RGB (H x W x 3) PNG."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    return png(levels.shape[1], levels.shape[0], 16, 0 if levels.ndim == 2 else 2, rows)


def _missing_partner(root: Path) -> list[Path]:
    (root / "trainB/t00000.png").unlink()
    return [root / "trainA/t00000.png", root / "trainA2/t00000.png"]


def _partner_case(root: Path) -> list[Path]:
    (root / "trainB/t00001.png").rename(root / "trainB/T00001.png")
    return [root / "trainA/t00001.png", root / "trainA2/t00001.png", root / "trainB/T00001.png"]


def _two_extensions(root: Path) -> list[Path]:
    Image.fromarray(picture(90_002)).save(root / "trainA/t00002.tiff")
    return [root / "trainA/t00002.png", root / "trainA/t00002.tiff"]


def _pair_sizes(root: Path) -> list[Path]:
    Image.fromarray(picture(90_003, 64)).save(root / "trainB/t00003.png")
    return [root / f"train{folder}/t00003.png" for folder in ("A", "A2", "B")]


def _pair_rotation(root: Path) -> list[Path]:
    path = root / "trainB/t00004.png"
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(path).save(path, exif=exif)
    return [root / f"train{folder}/t00004.png" for folder in ("A", "A2", "B")]


def _zero_bytes(root: Path) -> list[Path]:
    (root / "trainA/t00005.png").write_bytes(b"")
    (root / "trainB/t00005.png").write_bytes(bytes(500))
    return [root / "trainA/t00005.png", root / "trainB/t00005.png"]


def _truncated(root: Path) -> list[Path]:
    paths = [root / "trainA/t00006.jpg", root / "trainB/t00006.png"]
    (root / "trainA/t00006.png").unlink()
    Image.fromarray(picture(90_006)).save(paths[0], quality=95)
    for path in paths:
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return paths


def _not_a_picture(root: Path) -> list[Path]:
    (root / "trainA/t00007.png").write_text("<html>404 not found</html>")
    Image.fromarray(picture(90_007)).save(root / "trainB/t00007.png", "GIF")
    return [root / "trainA/t00007.png", root / "trainB/t00007.png"]


def _other_format(root: Path) -> list[Path]:
    Image.fromarray(picture(90_008)).save(root / "trainB/t00008.png", "JPEG")
    return [root / "trainB/t00008.png"]


def _damaged(root: Path) -> list[Path]:
    paths = [root / "trainA/t00009.png", root / "trainB/t00009.jpg", root / "trainA/t00010.png"]
    _flip_a_bit(paths[0], b"IDAT", 20)
    (root / "trainB/t00009.png").unlink()
    Image.fromarray(picture(90_009)).save(paths[1], quality=95, subsampling=0)
    content = paths[1].read_bytes()
    middle = len(content) * 3 // 4
    paths[1].write_bytes(content[:middle] + bytes(40) + content[middle + 40 :])
    Image.fromarray(picture(90_010)).save(paths[2], compress_level=0)  # stored: nothing but the checksums tells
    _flip_a_bit(paths[2], b"IDAT", 100)
    return paths


def _flip_a_bit(path: Path, marker: bytes, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(marker) + offset] ^= 4
    path.write_bytes(content)


def _too_many_pixels(root: Path) -> list[Path]:
    path = root / "trainB/t00011.png"
    path.write_bytes(png(13_300, 13_300, 1, 0, bytes(100)))
    return [path]


def _several_frames(root: Path) -> list[Path]:
    frames = [Image.fromarray(picture(90_012)), Image.fromarray(picture(90_013))]
    (root / "trainB/t00012.png").unlink()
    paths = [root / "trainA/t00012.png", root / "trainB/t00012.tiff"]
    for path in paths:
        frames[0].save(path, save_all=True, append_images=frames[1:])
    return paths


def _unreadable(root: Path) -> list[Path]:
    paths = [root / "trainA/t00013.png", root / "trainB/t00013.png"]
    for path in paths:
        path.unlink()
    paths[0].mkdir()  # permissions would not stop an administrator
    os.mkfifo(paths[1])
    return paths


def _link(root: Path) -> list[Path]:
    outside = root.parent / f"{root.name}-outside.png"
    Image.fromarray(picture(90_014)).save(outside)
    (root / "trainB/t00014.png").unlink()
    (root / "trainB/t00014.png").symlink_to(outside)
    (root / "trainB/dangling.png").symlink_to(root / "nowhere.png")
    return [root / "trainB/t00014.png", root / "trainB/dangling.png"]


def _unread_extension(root: Path) -> list[Path]:
    paths = [root / "trainA/drawing.svg", root / "trainB/photo.HEIC"]
    for path in paths:
        path.write_bytes(b"something")
    return paths


def _too_small(root: Path) -> list[Path]:
    paths = [root / f"train{folder}/t00015.png" for folder in ("A", "A2", "B")]
    for path, pixels in zip(paths, (picture(90_015, 16), label_map(90_015, 16), picture(90_016, 16)), strict=True):
        Image.fromarray(pixels).save(path)
    return paths


def _duplicate(root: Path) -> list[Path]:
    shutil.copy(root / "trainB/t00016.png", root / "trainB/t00017.png")
    return [root / "trainB/t00016.png", root / "trainB/t00017.png"]


def _leak(root: Path) -> list[Path]:
    for folder in ("A", "A2", "B"):
        shutil.copy(root / f"train{folder}/t00018.png", root / f"test{folder}/e00000.png")
    return [root / f"{name}.png" for name in ("trainA/t00018", "trainB/t00018", "testA/e00000", "testB/e00000")]


def _same_in_a_and_b(root: Path) -> list[Path]:
    shutil.copy(root / "trainA/t00019.png", root / "trainB/t00019.png")
    return [root / "trainA/t00019.png", root / "trainB/t00019.png"]


def _mixed_depth(root: Path) -> list[Path]:
    path = root / "trainB/t00020.png"
    path.write_bytes(png_16_bit(picture(90_020).astype(np.uint16) * 257))
    return [path]


def _mixed_grey(root: Path) -> list[Path]:
    path = root / "trainB/t00021.png"
    Image.fromarray(picture(90_021)[..., 0]).save(path)
    return [path]


def _mixed_alpha(root: Path) -> list[Path]:
    path = root / "trainB/t00022.png"
    Image.fromarray(np.dstack([picture(90_022), picture(90_023)[..., 0]])).save(path)
    return [path]


def _cmyk(root: Path) -> list[Path]:
    path = root / "trainB/t00023.jpg"
    (root / "trainB/t00023.png").unlink()
    Image.fromarray(picture(90_024)).convert("CMYK").save(path)
    return [path]


def _label_out_of_range(root: Path) -> list[Path]:
    path = root / "trainA2/t00024.png"
    labels = label_map(90_025)
    labels[3, 5] = CLASSES
    Image.fromarray(labels).save(path)
    return [path]


def _lossy_label_map(root: Path) -> list[Path]:
    (root / "trainA2/t00025.png").unlink()
    path = root / "trainA2/t00025.jpg"
    Image.fromarray(label_map(90_026)).save(path)
    return [path]


def _empty_folder(root: Path) -> list[Path]:
    (root / "valA").mkdir()
    return [root / "valA"]


DEFECTS: dict[str, Callable[[Path], list[Path]]] = {
    "missing_partner": _missing_partner,
    "partner_case": _partner_case,
    "two_extensions": _two_extensions,
    "pair_sizes": _pair_sizes,
    "pair_rotation": _pair_rotation,
    "zero_bytes": _zero_bytes,
    "truncated": _truncated,
    "not_a_picture": _not_a_picture,
    "other_format": _other_format,
    "damaged": _damaged,
    "too_many_pixels": _too_many_pixels,
    "several_frames": _several_frames,
    "unreadable": _unreadable,
    "link": _link,
    "unread_extension": _unread_extension,
    "too_small": _too_small,
    "duplicate": _duplicate,
    "leak": _leak,
    "same_in_a_and_b": _same_in_a_and_b,
    "mixed_depth": _mixed_depth,
    "mixed_grey": _mixed_grey,
    "mixed_alpha": _mixed_alpha,
    "cmyk": _cmyk,
    "label_out_of_range": _label_out_of_range,
    "lossy_label_map": _lossy_label_map,
    "empty_folder": _empty_folder,
}
"""By code: the 24 of the contract ("not a picture or another format" has two codes) and an empty folder."""


def seed_all(root: Path) -> dict[str, set[Path]]:
    """Put every defect into a clean set of at least 30 samples; the files at fault by code."""
    return {code: set(defect(root)) for code, defect in DEFECTS.items()}
