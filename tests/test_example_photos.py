"""The example `photos`: its table, its packages, and what becomes of a photo, each against another reckoning."""

import collections
import gzip
import hashlib
import io
import json
import shutil
import struct

import cv2
import numpy as np
import pytest
from photo_packages import deb, rcc, unpack
from PIL import Image

from pipelines.commands.example import main
from pipelines.examples import photos
from pipelines.examples.photos_packages import DEBIAN
from pipelines.examples.photos_table import Photo, listed_photos
from pipelines.examples.photos_tiles import tiles_of
from translate.data.layouts import find_layout
from translate.data.pictures import decode, pixels_of
from translate.errors import ConfigurationError

GCOMPRIS = DEBIAN["gcompris-qt-data"]


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def png(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", **options)
    return file.getvalue()


# --- the table


def test_table_splits_by_photo():
    table = listed_photos()
    assert collections.Counter(photo.split for photo in table) == {"train": 227, "validation": 20, "test": 30}
    for column in ("photo", "digest"):
        assert len({getattr(photo, column) for photo in table}) == len(table), column
    assert len({(photo.package, photo.path) for photo in table}) == len(table)


def test_table_says_whose_every_photo_is():
    free = {"CC0-1.0", "public-domain", "GPL-2+", *(f"CC-BY-{v}" for v in ("2.0", "3.0", "4.0"))}
    free |= {"CC-BY-SA-3.0", "CC-BY-SA-4.0"}
    for photo in listed_photos():
        assert photo.author, photo
        assert photo.licence in free, photo
        assert photo.package in {*DEBIAN, "scikit-image", "scikit-learn"}, photo
        assert len(photo.digest) == 16, photo


@pytest.mark.parametrize("part", ["validation", "test"])
def test_held_out_photos_are_of_many_kinds(part):
    kinds = {photo.photo.split("-")[0] for photo in listed_photos() if photo.split == part}
    assert len(kinds) >= 9


# --- reduction and tiles


def mean_over_areas(length, shorter):
    """The weights by which `length` pixels become `shorter`: each covers an equal part of the line."""
    edges = np.linspace(0, length, shorter + 1)
    left, right = edges[:-1, None], edges[1:, None]
    overlap = np.minimum(right, np.arange(length) + 1) - np.maximum(left, np.arange(length))
    return np.clip(overlap, 0, None) * shorter / length


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(64, 96, (32, 48)), (75, 110, (33, 48)), (131, 67, (48, 25))]
)
def test_reduction_is_the_mean_over_the_area(height, width, expected):
    pixels = noise(height, width)
    truth = np.einsum(
        "ih,hwc,jw->ijc", mean_over_areas(height, expected[0]), pixels, mean_over_areas(width, expected[1])
    )
    result = photos.reduced(pixels, 48)
    assert result.shape[:2] == expected
    assert np.abs(result - truth).max() < 1
    control = cv2.resize(pixels, expected[::-1], interpolation=cv2.INTER_NEAREST)
    assert np.abs(control - truth).max() > 5


def test_a_small_photo_is_not_enlarged():
    assert np.array_equal(photos.reduced(noise(30, 40)), noise(30, 40))


@pytest.mark.parametrize(
    ("height", "width", "tops", "lefts"),
    [
        (768, 1024, [0, 256, 512], [0, 256, 512, 768]),
        (576, 1024, [0, 256, 320], [0, 256, 512, 768]),  # exactly 64 px would be lost
        (575, 1024, [0, 256], [0, 256, 512, 768]),
        (1024, 359, [0, 256, 512, 768], [0, 103]),
        (300, 451, [0], [0, 195]),
        (240, 640, [0], [0, 256, 384]),
        (240, 320, [0], [0]),  # small: one tile as it is
    ],
)
def test_tiles(height, width, tops, lefts):
    tiles = tiles_of(height, width)
    assert [(tile.top_px, tile.left_px) for tile in tiles] == [(top, left) for top in tops for left in lefts]
    assert [tile.stem for tile in tiles] == [f"r{r}c{c}" for r in range(len(tops)) for c in range(len(lefts))]
    seen = np.zeros((height, width), bool)
    for tile in tiles:
        area = tile.cut(seen)
        assert area.shape == (tile.height_px, tile.width_px)
        area[:] = True
    lost = height - seen.any(1).sum(), width - seen.any(0).sum()
    assert max(lost) < 64
    assert seen[: height - lost[0], : width - lost[1]].all()


# --- colour profiles


def linear_profile():
    """A minimal ICC profile: sRGB's primaries with a tone curve of exponent 1."""
    curve = b"curv" + bytes(4) + struct.pack(">I", 0)

    def xyz(*values):
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))

    tags = {
        b"rXYZ": xyz(0.43607, 0.22249, 0.01392),
        b"gXYZ": xyz(0.38515, 0.71687, 0.09708),
        b"bXYZ": xyz(0.14307, 0.06061, 0.71410),
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    start, table, contents = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(contents), len(content))
        contents += content
    body = struct.pack(">I", len(tags)) + table + contents
    white = struct.pack(">3i", 63190, 65536, 54061)
    header = struct.pack(">I4sI4s4s4s", 128 + len(body), b"", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header = (header + bytes(12) + b"acsp" + bytes(28) + white).ljust(128, b"\0")
    return header + body


def test_embedded_profiles_are_brought_to_srgb():
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    linear = levels / 255
    truth = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    decoded = decode(png(levels, icc_profile=linear_profile()), "a ramp")
    assert np.abs(photos.srgb(decoded) - truth).max() < 2
    assert np.abs(pixels_of(decoded) - truth).max() > 50  # the control: without it


def test_pictures_without_a_profile_stay_as_they_are():
    assert np.array_equal(photos.srgb(decode(png(noise(9, 9)), "noise")), noise(9, 9))


# --- the whole folder

PICTURES = {
    "fox": ("train", noise(440, 1100, 1)),
    "elk": ("train", noise(200, 310, 2)),
    "owl": ("validation", noise(300, 600, 3)),
    "cat": ("test", noise(403, 770, 4)),
}


def rows(package="gcompris-qt-data"):
    for name, (split, pixels) in PICTURES.items():
        path = f"usr/share/gcompris-qt/rcc/it.rcc!/{name}.png"
        digest = hashlib.sha256(png(pixels)).hexdigest()[:16]
        yield Photo(
            photo=name,
            split=split,
            package=package,
            path=path,
            author="A. Author",
            licence="CC0-1.0",
            source="",
            digest=digest,
        )


@pytest.fixture
def source(tmp_path):
    resource = rcc({f"/{name}.png": png(pixels) for name, (_, pixels) in PICTURES.items()})
    folder = tmp_path / "packages"
    unpack(folder, {GCOMPRIS.file: deb({"usr/share/gcompris-qt/rcc/it.rcc": resource}, gzip.compress, "gz")})
    return folder


def test_the_folder(tmp_path, source):
    told = []
    out = tmp_path / "out"
    summary = photos.prepare(
        out, source=source, photos=tuple(rows()), on_progress=lambda *told_of: told.append(told_of)
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    pictures = sorted(str(path.relative_to(out)) for path in out.rglob("*.png"))
    fox = [f"train/fox/r{row}c{column}.png" for row in range(2) for column in range(4)]
    owl = [f"validation/owl/r0c{column}.png" for column in range(3)]
    assert pictures == sorted([*fox, "train/elk/r0c0.png", *owl, "test/cat.png"])
    assert summary.counts == {"train": 9, "validation": 3, "test": 1}
    assert summary.families == {"train": 2, "validation": 1, "test": 1}
    assert np.array_equal(Image.open(out / "test/cat.png"), PICTURES["cat"][1][:400, :768])
    assert np.array_equal(Image.open(out / "validation/owl/r0c2.png"), PICTURES["owl"][1][:256, 344:])
    assert np.array_equal(Image.open(out / "train/elk/r0c0.png"), PICTURES["elk"][1])
    reduced = photos.reduced(PICTURES["fox"][1])
    assert np.array_equal(Image.open(out / "train/fox/r1c3.png"), reduced[154:, 768:])
    assert "A. Author\tCC0-1.0" in (out / "ATTRIBUTION.tsv").read_text()
    assert "CC0-1.0" in json.loads((out / "dataset.json").read_text())["licence"]


def test_whole_photos(tmp_path, source):
    out = tmp_path / "out"
    summary = photos.prepare(out, source=source, photos=tuple(rows()), whole_px=220)
    pictures = {str(path.relative_to(out)): np.asarray(Image.open(path)) for path in out.rglob("*.png")}
    sizes = {"train/fox.png": (220, 549), "train/elk.png": (200, 310), "validation/owl.png": (220, 440)}
    assert {name: picture.shape[:2] for name, picture in pictures.items()} == sizes | {"test/cat.png": (400, 768)}
    assert summary.counts == {"train": 2, "validation": 1, "test": 1}
    assert np.array_equal(pictures["train/elk.png"], PICTURES["elk"][1])
    assert "short side of 220 px" in (out / "README.md").read_text()
    with pytest.raises(ConfigurationError, match="holds"):
        photos.prepare(out, source=source, photos=tuple(rows()))


def test_the_folder_is_understood(tmp_path, source):
    photos.prepare(tmp_path / "out", source=source, photos=tuple(rows()))
    layout = find_layout(tmp_path / "out")
    assert layout.description.startswith("one domain: 9 training pictures in train, 3 validation pictures")
    parts = {
        name: {item.key.split("/")[0] for items in split.domains.values() for item in items}
        for name, split in layout.splits.items()
    }
    assert parts == {"train": {"fox", "elk"}, "validation": {"owl"}, "test": {"cat"}}


def test_a_prepared_folder_is_left_as_it_is_and_a_changed_one_refused(tmp_path, source):
    first = photos.prepare(tmp_path / "out", source=source, photos=tuple(rows()))
    shutil.rmtree(source)
    assert photos.prepare(tmp_path / "out", source=source, photos=tuple(rows())) == first
    with pytest.raises(ConfigurationError, match="holds"):
        photos.prepare(tmp_path / "out", source=source, photos=tuple(rows())[:3])
    (tmp_path / "out/test/cat.png").unlink()
    with pytest.raises(ConfigurationError, match="lost or gained"):
        photos.prepare(tmp_path / "out", source=source, photos=tuple(rows()))


def test_another_picture_under_the_same_name_is_refused(tmp_path, source):
    changed = {f"/{name}.png": png(pixels // 2) for name, (_, pixels) in PICTURES.items()}
    unpack(source, {GCOMPRIS.file: deb({"usr/share/gcompris-qt/rcc/it.rcc": rcc(changed)}, gzip.compress, "gz")})
    with pytest.raises(
        ConfigurationError, match=r"fox\.png is not that of version 3\.1-2.*apt install gcompris-qt-data"
    ):
        photos.prepare(tmp_path / "out", source=source, photos=tuple(rows()))
    assert not (tmp_path / "out").exists()


def test_command_names_the_package_that_is_missing(tmp_path):
    with pytest.raises(ConfigurationError, match=r"`apt install gcompris-qt-data`.*gcompris-qt-data_3\.1-2_all\.deb"):
        main(["photos", str(tmp_path / "out"), "--source", str(tmp_path)])
    assert not (tmp_path / "out").exists()


def test_photos_of_pypi_are_those_of_the_table(tmp_path):
    pytest.importorskip("skimage")
    chosen = [photo for photo in listed_photos() if photo.package == "scikit-image"]
    assert len(chosen) == 4
    summary = photos.prepare(tmp_path / "out", photos=chosen)
    assert sum(summary.families.values()) == 4
    coffee = np.asarray(Image.open(tmp_path / "out/test/skimage-coffee.png"))
    from skimage import data

    assert np.array_equal(coffee, data.coffee())
