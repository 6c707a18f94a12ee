"""The comparisons behind docs/results.md (enlarging, filling holes, colouring), on cases whose figures are known."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from scipy.stats import sem

from benchmarks.results import colourising, contest, fidelity, inpainting, perception, upscaling
from benchmarks.results.contact_sheet import Cell, Row, busiest, contact_sheet
from benchmarks.results.photos import Photo, as_tensor, at_most, photos, square
from benchmarks.results.rivals import colourers, enlargers, inpainters
from benchmarks.results.standings import Column, Standing, by_rank, markdown, with_gains
from pipelines.translation import Upscale
from translate.card import Card, Picture
from translate.data.making.grey import Grey
from translate.metrics.chroma import ab_rmse, colourfulness


def smooth(height=48, width=64, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def folder(tmp_path):
    for seed in range(4):
        Image.fromarray(smooth(50, 65, seed)).save(tmp_path / f"{'dcba'[seed]}.png")
    return tmp_path


def perceptual(output, target):
    """Stands in for the network."""
    return (output - target).abs().mean()


# Photos


def test_photos_come_by_name_and_few_are_the_same_draw(folder):
    all_keys = [photo.key for photo in photos(folder, square_16)]
    few = [photo.key for photo in photos(folder, square_16, most=2)]
    assert all_keys == ["a", "b", "c", "d"]
    assert len(few) == 2
    (folder / "e.png").write_bytes((folder / "a.png").read_bytes())
    assert len({*few, "e"} & {photo.key for photo in photos(folder, square_16, most=2)}) == 2


def square_16(pixels):
    return square(pixels, 16)


def test_no_photo_is_enlarged_and_all_fit_the_scale():
    assert at_most(smooth(50, 65), 1024, 4).shape == (48, 64, 3)
    assert at_most(smooth(50, 65), 33, 4).shape == (24, 32, 3)
    np.testing.assert_array_equal(at_most(smooth(50, 65), 1024, 4), smooth(50, 65)[:48, :64])


# Standings


def test_the_table_shows_means_with_their_standard_errors():
    values = (1.0, 4.0, 4.0, 7.5)
    one = Standing(name="one", each={"psnr": values, "t": (1.0, 1.0, 1.0, 99.0)})
    psnr, seconds = Column(key="psnr", label="PSNR", digits=3), Column(key="t", label="s", digits=1, is_median=True)
    table = markdown([one], [psnr, seconds])
    assert table.splitlines()[2] == f"| one | {np.mean(values):.3f} ± {sem(values):.3f} | 1.0 |"


def test_a_gain_is_that_of_pairs():
    found = [Standing(name="base", each={"psnr": (20.0, 40.0)}), Standing(name="ours", each={"psnr": (21.0, 41.0)})]
    ours = with_gains(found, "psnr", "base")[1]
    assert ours.each["gain"] == (1.0, 1.0)
    assert "1.00 ± 0.00" in markdown([ours], [Column(key="gain", label="gain", digits=2)])
    assert "31.00 ± 10.00" in markdown([ours], [Column(key="psnr", label="psnr", digits=2)])  # the control: unpaired


def test_percentiles_are_nearest_ranks():
    figures = [5.0, 1.0, 4.0, 2.0, 3.0, 0.0, 10.0, 9.0, 8.0, 7.0, 6.0]
    assert [figures[by_rank(figures, share)] for share in (0.1, 0.5, 0.9)] == [1.0, 5.0, 9.0]


def test_contestants_take_turns_and_are_warmed_up():
    called = []
    cases = [contest.Case(key=key, given=key, truth=np.zeros((10, 100, 3), np.uint8)) for key in "xy"]
    players = {name: lambda given, name=name: called.append((given, name)) for name in ("one", "two")}
    keys, found = contest.contest(cases, players, lambda case, made: {"psnr": 1.0})
    assert keys == ["x", "y"]
    assert called == [("x", "one")] * 2 + [("x", "two")] * 2 + [("y", "one"), ("y", "two")]
    assert all(0 <= seconds < 100 for each in found for seconds in each.each["CPU s/MP"])


# Sheets and plots


def test_the_busiest_window_is_that_of_a_search():
    pixels = np.random.default_rng(0).integers(100, 110, (40, 56, 3), dtype=np.uint8)
    pixels[19:27, 33:41] = np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    grey = pixels.mean(axis=2)
    variances = {
        (top, left): grey[top : top + 16, left : left + 16].var() for top in range(0, 25, 8) for left in range(0, 41, 8)
    }
    rows, columns = busiest(pixels, 16)
    assert (rows.start, columns.start) == max(variances, key=variances.get)
    assert (rows.stop - rows.start, columns.stop - columns.start) == (16, 16)


def test_a_sheet_shows_each_picture_pixel_for_pixel():
    picture = smooth(10, 12)
    page = np.asarray(contact_sheet([Row(title="t", cells=[Cell(picture=picture, words=("a",))] * 2)], enlarge=2))
    for left in (8, 8 + 24 + 8):
        np.testing.assert_array_equal(page[28 : 28 + 20, left : left + 24][::2, ::2], picture)


def test_a_better_contestant_stands_higher_and_further_to_the_left(tmp_path):
    points = [
        perception.Point(name="far & off", x=0.4, y=20.0),
        perception.Point(name="mixed", x=0.3, y=22.0, is_on_curve=True),
        perception.Point(name="best", x=0.1, y=30.0, is_on_curve=True),
    ]
    perception.drawn(points, tmp_path / "p.svg", x="distance", y="PSNR")
    drawing = ElementTree.fromstring((tmp_path / "p.svg").read_text())
    circles = [(float(c.get("cx")), float(c.get("cy"))) for c in drawing.iter("{http://www.w3.org/2000/svg}circle")]
    assert circles[0][0] > circles[1][0] > circles[2][0]
    assert circles[0][1] > circles[1][1] > circles[2][1]
    (line,) = drawing.iter("{http://www.w3.org/2000/svg}polyline")
    assert line.get("points").split() == [f"{x:.1f},{y:.1f}" for x, y in circles[1:]]
    assert "far & off" in [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]


def test_mixtures_go_from_perceptual_to_faithful(tmp_path, monkeypatch):
    monkeypatch.setattr(fidelity, "with_fidelity", lambda faithful, share: faithful.with_suffix(f".{share}"))
    mixtures = list(fidelity.fidelities([tmp_path / "x2.onnx"], 3))
    assert [mixture.name for mixture in mixtures] == ["x2 --fidelity 0", "x2 --fidelity 0.5", "x2 --fidelity 1"]
    assert [mixture.model.name for mixture in mixtures] == ["x2.0.0", "x2.0.5", "x2.1.0"]
    assert list(fidelity.fidelities([tmp_path / "x2.onnx"], 0)) == []


# Enlarging


class Repeating:
    """A model that repeats pixels `scale` times."""

    device = "fake"

    def __init__(self, scale):
        ports = {"inputs": (Picture(name="a", channels=3),), "outputs": (Picture(name="b", channels=3),)}
        self.card = Card(task="upscale", method="m", name="fake", scale=scale, **ports)

    def run(self, inputs):
        return {"b": inputs["a"].repeat(self.card.scale, axis=2).repeat(self.card.scale, axis=3)}


def test_photos_are_reduced_without_aliasing():
    board = np.indices((16, 16)).sum(axis=0) % 2 * np.uint8(255)
    case = upscaling.reduced(Photo(key="k", pixels=np.repeat(board[..., None], 3, axis=2).astype(np.uint8)), 2)
    assert case.given.shape == (8, 8, 3)
    assert np.abs(case.given[2:-2, 2:-2].astype(int) - 127).max() <= 2
    assert case.truth[::2, ::2].std() == 0  # the control: every second pixel would be of one colour


@pytest.mark.parametrize("scale", [2, 4])
def test_a_perfect_enlargement_has_the_highest_psnr(scale):
    case = upscaling.reduced(Photo(key="k", pixels=smooth()), scale)
    judge = {name: enlarge(case.given) for name, enlarge in enlargers.interpolations(scale).items()}
    found = {n: upscaling.figures(case, made, scale=scale, perceptual=perceptual) for n, made in judge.items()}
    assert found["nearest"]["psnr"] < found["bicubic"]["psnr"] < 60
    assert upscaling.figures(case, case.truth, scale=scale, perceptual=perceptual)["psnr"] == 100


def _halved(large):
    """OpenCV's Lanczos by its formula: eight taps a side, half a pixel off, without antialiasing."""
    at = np.arange(-3.5, 4)
    taps = np.sinc(at) * np.sinc(at / 4)
    taps /= taps.sum()
    halved = large.astype(float)
    for axis in (0, 1):
        padded = np.pad(halved, [(3, 3) if axis == each else (0, 0) for each in range(3)], mode="edge")
        halved = np.lib.stride_tricks.sliding_window_view(padded, 8, axis=axis) @ taps
        halved = halved[::2] if axis == 0 else halved[:, ::2]
    return halved.clip(0, 255)


def test_a_model_of_a_larger_scale_is_reduced_as_real_esrgan_does_and_one_of_a_smaller_is_refused(monkeypatch):
    monkeypatch.setattr(enlargers, "load", lambda path, device: Upscale(Repeating(int(path))))
    small = smooth(24, 32)
    np.testing.assert_array_equal(enlargers.enlarger("2", 2)(small), small.repeat(2, axis=0).repeat(2, axis=1))
    made, large = enlargers.enlarger("4", 2)(small), small.repeat(4, axis=0).repeat(4, axis=1)
    assert made.shape == (48, 64, 3)
    assert np.abs(made[4:-4, 4:-4].astype(float) - _halved(large)[4:-4, 4:-4]).max() < 1
    with_antialiasing = np.asarray(Image.fromarray(large).resize((64, 48), Image.Resampling.LANCZOS))  # the control
    assert np.abs(made.astype(float) - with_antialiasing).max() > 4
    with pytest.raises(SystemExit, match="does not enlarge 4 times"):
        enlargers.enlarger("2", 4)


# Filling holes


def test_holes_have_their_shares_and_follow_from_the_name():
    photo = Photo(key="k", pixels=smooth(64, 96))
    cases = list(inpainting.torn(photo))
    for case, (least, most) in zip(cases, inpainting.SHARES, strict=True):
        assert least - 0.02 <= case.given.hole.mean() <= most + 0.02
        assert (case.given.picture[case.given.hole] == 128).all()
        np.testing.assert_array_equal(case.given.picture[~case.given.hole], photo.pixels[~case.given.hole])
    again, other = list(inpainting.torn(photo)), list(inpainting.torn(replace(photo, key="l")))
    assert all((one.given.hole == two.given.hole).all() for one, two in zip(cases, again, strict=True))
    assert any((one.given.hole != two.given.hole).any() for one, two in zip(cases, other, strict=True))


def test_errors_are_those_of_the_hole():
    case = next(inpainting.torn(Photo(key="k", pixels=np.full((32, 32, 3), 100, np.uint8))))
    made = case.truth.copy()
    made[case.given.hole] = 110
    found = inpainting.figures(case, made, perceptual=perceptual)
    assert found["l1 hole"] == 10
    assert found["l1"] == pytest.approx(10 * case.given.hole.mean())
    assert found["psnr hole"] == pytest.approx(20 * np.log10(25.5))
    made[~case.given.hole] += 1
    with pytest.raises(ValueError, match="outside the hole"):
        inpainting.figures(case, made, perceptual=perceptual)


def test_each_hole_gets_the_colour_around_it():
    picture, hole = np.zeros((20, 40, 3), np.uint8), np.zeros((20, 40), bool)
    picture[:, 20:] = (200, 100, 50)
    hole[5:9, 4:12] = hole[8:15, 25:33] = True
    torn = inpainters.Torn(picture=np.where(hole[..., None], 128, picture).astype(np.uint8), hole=hole)
    np.testing.assert_array_equal(inpainters.classical()["mean of the border"](torn), picture)
    for name, inpaint in inpainters.classical().items():
        assert np.abs(inpaint(torn)[hole].astype(int) - picture[hole]).max() <= 3, name
        np.testing.assert_array_equal(inpaint(torn)[~hole], picture[~hole])


# Colouring


def test_the_mean_colour_is_the_best_constant():
    truth = smooth()
    given = colourising.grey(Photo(key="k", pixels=truth)).given
    own = float(ab_rmse(as_tensor(colourers.mean_colour([truth])(given)), as_tensor(truth)))
    other = float(ab_rmse(as_tensor(colourers.mean_colour([smooth(seed=3)])(given)), as_tensor(truth)))
    none = float(ab_rmse(as_tensor(colourers.uncoloured(given)), as_tensor(truth)))
    assert own < min(other, none)


def test_grey_is_the_luma_that_models_are_trained_with():
    truth = smooth()
    trained = ((Grey().make(as_tensor(truth), [])[0, 0] + 1) * 127.5).numpy()
    assert np.abs(trained - colourising.grey(Photo(key="k", pixels=truth)).given[..., 0]).max() <= 1


# The commands


@pytest.fixture
def without_network(monkeypatch):
    monkeypatch.setattr(contest, "perceptual_distance", lambda: perceptual)
    monkeypatch.setattr(contest, "compute_with", lambda threads: None)


def test_enlargers_from_photos_to_a_table_a_sheet_and_a_plot(folder, tmp_path, monkeypatch, capsys, without_network):
    monkeypatch.setattr(enlargers, "load", lambda path, device: Upscale(Repeating(2)))
    out = {"json": tmp_path / "o" / "f.json", "plot": tmp_path / "o" / "p.svg", "sheet": tmp_path / "o" / "s.png"}
    upscaling.main(upscaling.Options(photos=folder, models=(tmp_path / "mine.onnx",), scale=2, **out))
    table = {line.split(" | ")[0].strip("| "): line.split(" | ")[1:] for line in capsys.readouterr().out.splitlines()}
    assert table["bicubic"][1] == "0.00 ± 0.00"
    assert table["mine"][:4] == table["nearest"][:4]
    kept = json.loads(out["json"].read_text())
    assert kept["cases"] == ["a", "b", "c", "d"]
    assert [each["name"] for each in kept["contestants"]] == ["nearest", "bicubic", "Lanczos", "mine"]
    assert len(kept["contestants"][3]["each"]["psnr"]) == 4
    assert "mine" in out["plot"].read_text()
    assert Image.open(out["sheet"]).width == 8 + 5 * (2 * 64 + 8)


def test_inpainters_and_colourers_from_photos_to_tables(folder, tmp_path, capsys, without_network):
    inpainting.main(inpainting.Options(photos=folder, side_px=32, json=tmp_path / "i.json"))
    said = capsys.readouterr().out
    assert [f"holes of {share} to" in said for share in ("10%", "20%", "30%", "40%")] == [True, True, True, False]
    assert len(json.loads((tmp_path / "i.json").read_text())["cases"]) == 12
    colourising.main(colourising.Options(photos=folder, train=folder, most=3))
    said = capsys.readouterr().out
    assert "| grey |" in said
    assert "| mean colour |" in said
    own = np.mean([float(colourfulness(as_tensor(photo.pixels))) for photo in drawn(folder)])
    assert f"colourfulness: {own:.1f}" in said


def drawn(folder):
    return photos(folder, lambda pixels: pixels, most=3)
