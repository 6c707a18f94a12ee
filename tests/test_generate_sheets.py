"""Sheets and walks: where each picture stands, what its row and column share, and great arcs in closed form."""

import io
import sys

import numpy as np
import pytest
from linear_generators import CODE, DIGIT, GREY, LinearGenerator, Z, card
from PIL import Image

from pipelines.generating import Generate, sheets
from pipelines.generating.animation import enlarged, write_gif, write_mp4
from pipelines.generating.views import class_sheet, code_sheet
from pipelines.generating.walk import lerp, slerp, walk
from translate.card import Latent
from translate.errors import ConfigurationError


@pytest.fixture
def runtime():
    return LinearGenerator(card(outputs=(GREY,)))


@pytest.fixture
def generate(runtime):
    return Generate(runtime)


def flat(width, height, level, mode="L"):
    return Image.new(mode, (width, height), level)


def cell(sheet, row, column, size=(4, 4), gap_px=sheets.GAP_PX):
    left, top = column * (size[0] + gap_px), row * (size[1] + gap_px)
    return np.asarray(sheet.crop((left, top, left + size[0], top + size[1])))


# Layout


@pytest.mark.parametrize(
    ("count", "columns", "size"),
    [
        (1, None, (3, 2)),
        (4, None, (7, 5)),
        (5, None, (11, 5)),
        (7, None, (11, 8)),
        (64, None, (31, 23)),
        (5, 5, (19, 2)),
        (3, 1, (3, 8)),
    ],
)
def test_a_grid_is_near_square_and_exact_to_the_pixel(count, columns, size):
    sheet = sheets.grid([flat(3, 2, index) for index in range(count)], columns=columns, gap_px=1)
    assert sheet.size == size
    across = (size[0] + 1) // 4
    expected = np.full((size[1], size[0]), 255)
    for index in range(count):
        row, column = divmod(index, across)
        expected[row * 3 : row * 3 + 2, column * 4 : column * 4 + 3] = index
    assert np.array_equal(np.asarray(sheet), expected)


@pytest.mark.parametrize(("mode", "white"), [("RGB", (255,) * 3), ("RGBA", (255,) * 4), ("LA", (255, 255))])
def test_gaps_are_white_in_every_mode(mode, white):
    sheet = sheets.grid([flat(2, 2, 0, mode)] * 2, gap_px=3)
    assert (sheet.mode, sheet.size) == (mode, (7, 2))
    assert sheet.getpixel((3, 1)) == white


def test_pictures_of_several_sizes_are_no_sheet():
    with pytest.raises(ValueError, match="one size"):
        sheets.grid([flat(2, 2, 0), flat(3, 2, 0)])
    with pytest.raises(ValueError, match="one size"):
        sheets.grid([])


# Classes and codes


def test_a_row_has_one_class_and_a_column_one_noise(generate, runtime):
    sheet = class_sheet(generate, columns=4, seed=3)
    given = {name: np.concatenate([batch[name] for batch in runtime.seen]) for name in runtime.seen[0]}
    assert given["digit"].reshape(3, 4).tolist() == [[0] * 4, [1] * 4, [2] * 4]
    for name in ("z", "code"):
        rows = given[name].reshape(3, 4, -1)
        assert (rows == rows[:1]).all()
        assert len(np.unique(rows[0], axis=0)) == 4
    assert np.array_equal(given["z"][:4], generate.draw(4, seed=3)["z"])
    assert sheet.titles == ("0 nought", "1 one", "2 two")
    assert sheet.picture.size == (4 * 6 - 2, 3 * 6 - 2)
    alone = generate(4, seed=3, label="two")
    assert all(np.array_equal(cell(sheet.picture, 2, column), np.asarray(alone[column])) for column in range(4))


def test_a_sheet_of_some_classes(generate):
    assert class_sheet(generate, columns=1, label=["two", 0, 2]).titles == ("2 two", "0 nought")
    assert class_sheet(generate, columns=1, label="1").titles == ("1 one",)
    with pytest.raises(ConfigurationError, match="no class 'four'"):
        class_sheet(generate, label="four")


def test_a_row_runs_through_one_code(generate, runtime):
    sheet = code_sheet(generate, columns=5, seed=4, label=1)
    given = runtime.seen[0]
    codes, fixed = given["code"].reshape(2, 5, 2), generate.draw(1, seed=4)["code"][0]
    steps = [-1.0, -0.5, 0.0, 0.5, 1.0]
    for row in range(2):
        np.testing.assert_allclose(codes[row, :, row], steps)
        assert (codes[row, :, 1 - row] == fixed[1 - row]).all()
    assert (given["z"] == generate.draw(1, seed=4)["z"]).all()
    assert (given["digit"] == 1).all()
    assert sheet.titles == ("code 0", "code 1")
    levels = [int(cell(sheet.picture, 0, column)[0, 0]) for column in range(5)]
    assert np.diff(levels) == pytest.approx(0.1 * 0.5 * 127.5, abs=1)  # the toy adds a tenth of code 0
    assert len({int(cell(sheet.picture, 1, column)[0, 0]) for column in range(5)}) == 1  # and nothing of code 1


def test_one_code_beside_every_class(generate, runtime):
    sheet = code_sheet(generate, columns=3, seed=4, dimension=1)
    given = runtime.seen[0]
    assert given["code"].reshape(3, 3, 2)[..., 1].tolist() == [[-1.0, 0.0, 1.0]] * 3
    assert given["digit"].reshape(3, 3).tolist() == [[0] * 3, [1] * 3, [2] * 3]
    assert sheet.titles == ("code 1, 0 nought", "code 1, 1 one", "code 1, 2 two")


def test_fixed_numbers_and_the_batch_are_those_asked_for(generate, runtime):
    code_sheet(generate, columns=4, codes={"z": [3.0] * Z.size, "code": [0.25, 0.75]}, batch=3)
    assert [len(given["z"]) for given in runtime.seen] == [3, 3, 2]
    whole = {name: np.concatenate([given[name] for given in runtime.seen]) for name in ("z", "code")}
    assert (whole["z"] == 3.0).all()
    assert (whole["code"][:4, 1] == 0.75).all()
    assert (whole["code"][4:, 0] == 0.25).all()
    runtime.seen.clear()
    class_sheet(generate, columns=2, batch=5)
    assert [len(given["z"]) for given in runtime.seen] == [5, 1]


def test_a_dimension_that_is_not_there_is_refused(generate):
    with pytest.raises(ConfigurationError, match="--dimension 2: 'code' has the dimensions 0 to 1"):
        code_sheet(generate, dimension=2)


def test_sheets_that_the_model_cannot_fill_are_refused():
    plain = Generate(LinearGenerator(card(inputs=(Z,))))
    for sheet in (class_sheet, code_sheet):
        with pytest.raises(ConfigurationError, match="plain grid"):
            sheet(plain)


# Walks


def test_slerp_goes_along_a_great_arc():
    t = np.linspace(0, 1, 9)
    radius = np.float32(3.0)
    first, second = radius * np.array([1, 0, 0], np.float32), radius * np.array([0, 1, 0], np.float32)
    truth = 3.0 * np.stack([np.cos(t * np.pi / 2), np.sin(t * np.pi / 2), 0 * t], axis=1)
    np.testing.assert_allclose(slerp(first, second, t), truth, atol=1e-6)
    assert not np.allclose(lerp(first, second, t), truth, atol=0.1)  # control


def test_slerp_keeps_the_length_that_a_straight_line_loses():
    first, second = np.random.default_rng(0).normal(size=(2, 512)).astype(np.float32)
    t = np.linspace(0, 1, 5)
    lengths = np.linalg.norm(slerp(first, second, t), axis=1)
    assert lengths == pytest.approx(np.sqrt(512), rel=0.1)
    assert np.linalg.norm(lerp(first, second, t), axis=1)[2] == pytest.approx(np.sqrt(256), rel=0.1)
    assert np.array_equal(slerp(first, second, np.array([0.0]))[0], first)
    np.testing.assert_allclose(slerp(first, second, np.array([1.0]))[0], second, atol=1e-6)


@pytest.mark.parametrize("second", [[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], ids=str)
def test_slerp_without_an_arc_is_a_line(second):
    first, second = np.array([1.0, 0.0], np.float32), np.array(second, np.float32)
    t = np.linspace(0, 1, 4)
    assert np.array_equal(slerp(first, second, t), lerp(first, second, t))


def test_a_walk_is_a_loop_through_its_stops(generate):
    frames = walk(generate, stops=3, frames=4, seed=9, label="one")
    stops = generate.draw(3, seed=9)
    assert np.array_equal(frames["z"][::4], stops["z"])
    assert np.array_equal(frames["code"][::4], stops["code"])
    assert np.array_equal(frames["z"][8:], slerp(stops["z"][2], stops["z"][0], np.arange(4) / 4))
    assert np.array_equal(frames["code"][:4], lerp(stops["code"][0], stops["code"][1], np.arange(4) / 4))
    assert (frames["digit"] == 1).all()
    jumps = np.linalg.norm(np.diff(frames["z"], axis=0, append=frames["z"][:1]), axis=1)
    legs = np.linalg.norm(np.diff(stops["z"], axis=0, append=stops["z"][:1]), axis=1)
    assert jumps.max() < legs.max() / 3


def test_what_is_given_stays_on_a_walk(generate):
    assert (walk(generate, stops=2, frames=2, codes={"code": [0.25, 0.5]})["code"] == [0.25, 0.5]).all()


@pytest.mark.parametrize("given", [{"stops": 1}, {"frames": 0}], ids=str)
def test_a_walk_needs_two_stops(generate, given):
    with pytest.raises(ConfigurationError, match="at least 2 stops"):
        walk(generate, **given)


# Files that move


@pytest.fixture
def frames(generate):
    return list(generate.pictures(walk(generate, stops=3, frames=4)))


def test_a_gif_has_every_frame_and_runs_for_ever(frames, tmp_path):
    write_gif(frames, tmp_path / "walk.gif", frames_a_second=20)
    with Image.open(io.BytesIO((tmp_path / "walk.gif").read_bytes())) as film:
        assert (film.n_frames, film.info["loop"], film.info["duration"]) == (12, 0, 50)
        assert film.size == (256, 256)
        for index, frame in enumerate(frames):
            film.seek(index)
            shown = np.asarray(film.convert("L"))
            assert np.array_equal(shown, np.kron(np.asarray(frame), np.ones((64, 64), np.uint8)))


@pytest.mark.parametrize(("size", "shown"), [((28, 28), (252, 252)), ((64, 32), (256, 128)), ((300, 200), (300, 200))])
def test_small_frames_are_enlarged_by_whole_numbers(size, shown):
    assert enlarged(flat(*size, 7)).size == shown


def test_transparency_is_shown_on_white():
    assert enlarged(flat(256, 256, (0, 0, 0, 0), "RGBA")).getpixel((0, 0)) == (255, 255, 255)


def test_without_ffmpeg_the_error_says_what_to_install(frames, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ConfigurationError, match=r"imageio-ffmpeg.*pixturn\[video\].*\.gif"):
        write_mp4(frames, tmp_path / "walk.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("size", "shown"), [((4, 4), (256, 256)), ((259, 257), (260, 258))], ids=str)
def test_an_mp4_has_every_frame(size, shown, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    write_mp4([flat(*size, level, "L") for level in (0, 80, 160, 240)], tmp_path / "walk.mp4")
    reader = ffmpeg.read_frames(str(tmp_path / "walk.mp4"))
    assert next(reader)["size"] == shown
    levels = [np.frombuffer(frame, np.uint8).reshape(shown[1], shown[0], 3)[:200, :200].mean() for frame in reader]
    assert levels == pytest.approx([0, 80, 160, 240], abs=6)


def test_latents_of_one_number_walk(tmp_path):
    one = Generate(LinearGenerator(card(inputs=(Latent(name="z", size=1), DIGIT, CODE))))
    assert walk(one, stops=2, frames=3)["z"].shape == (6, 1)
