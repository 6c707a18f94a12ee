"""Folders and arrays against one another: figures, verdicts, bad files, exit codes."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import poly_mmd

from pipelines.commands import drift as drift_command
from pipelines.commands import evaluate as evaluate_command
from pipelines.evaluating import drift, evaluate, features, told
from pipelines.evaluating.documents import drift_json, written
from pipelines.evaluating.page import page
from pipelines.evaluating.sets import read_sets, silent
from pipelines.evaluating.sources import source_of
from translate.errors import ConfigurationError, DatasetError, ModelError
from translate.metrics.distribution import frechet_distance, kernel_distance

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def few_pixels(monkeypatch):
    """The figures are the same on a coarser grid, and quicker."""
    monkeypatch.setattr(features, "PIXELS_SIDE_PX", 8)


def discs(count, seed, *, shade=0.0, side=32):
    """Pictures of one disc each, of random place, size and colours."""
    draw = np.random.default_rng(seed)
    down, across = np.mgrid[:side, :side] / side
    pictures = []
    for _ in range(count):
        inside = np.hypot(down - draw.uniform(0.3, 0.7), across - draw.uniform(0.3, 0.7)) < draw.uniform(0.1, 0.3)
        colours = draw.uniform(60, 200, (2, 3))
        pictures.append((np.where(inside[..., None], colours[0], colours[1]) + shade).clip(0, 255).astype(np.uint8))
    return pictures


def folder_of(pictures, folder, ending="png"):
    folder.mkdir(parents=True)
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{index:03}.{ending}")
    return folder


REAL = discs(120, 0)


# Evaluation


def test_one_distribution_scores_as_the_reference():
    result = evaluate(discs(60, 1), REAL, features="pixels")
    assert result.reference is not None
    measured, reference = result.comparison, result.reference
    assert abs(measured.kernel.value) < 4 * measured.kernel.standard_error
    assert measured.test.p_exact > 0.01
    assert measured.manifold.coverage.value == pytest.approx(reference.manifold.coverage.value, abs=0.15)
    assert measured.diversity == pytest.approx(reference.diversity, rel=0.15)


@pytest.mark.parametrize(
    ("made", "worse"),
    [
        (discs(60, 1, shade=45), ["kernel", "test"]),
        (discs(2, 1) * 30, ["kernel", "diversity", "coverage", "recall"]),
    ],
    ids=["brighter", "collapsed"],
)
def test_what_is_wrong_with_a_set_shows(made, worse):
    result = evaluate(made, REAL, features="pixels")
    figures, shares = result.comparison, result.comparison.manifold
    seen = {
        "kernel": figures.kernel.value > 4 * figures.kernel.standard_error,
        "test": figures.test.p_exact < 1e-3,
        "diversity": figures.diversity < 0.8 * figures.real_diversity,
        "coverage": shares.coverage.value < 0.6,
        "recall": shares.recall.value < 0.5,
    }
    assert all(seen[name] for name in worse), seen


def test_counts_are_equal_and_the_real_ones_left_over_are_the_reference():
    result = evaluate(discs(12, 1), REAL[:30], features="pixels")
    assert len(result.made) == len(result.real) == result.comparison.frechet.outputs == 12
    assert result.reference is not None
    fewer = evaluate(REAL[:30], discs(20, 1), features="pixels", at_most=15)
    assert len(fewer.made) == len(fewer.real) == 15
    assert fewer.reference is None


def test_a_folder_is_as_its_arrays(tmp_path):
    made = discs(40, 1)
    of_arrays = evaluate(made, REAL, features="pixels")
    of_folders = evaluate(folder_of(made, tmp_path / "made"), folder_of(REAL, tmp_path / "real"), features="pixels")
    assert of_folders.comparison.frechet == of_arrays.comparison.frechet
    assert of_folders.comparison.test == of_arrays.comparison.test


def test_the_figures_by_name_are_torchmetrics_formulas():
    """What is called FID or KID is theirs, whatever network made the vectors."""
    draw = np.random.default_rng(0)
    made, real = draw.normal(0.3, 1.2, (90, 6)), draw.normal(size=(70, 6))
    network = torch.nn.Identity()
    network.num_features = 6
    reference = FrechetInceptionDistance(feature=network).set_dtype(torch.float64)
    reference.update(torch.from_numpy(real), real=True)
    reference.update(torch.from_numpy(made), real=False)
    assert frechet_distance(made, real).value == pytest.approx(float(reference.compute()), rel=1e-6)
    equal = kernel_distance(made[:70], real).value
    assert equal == pytest.approx(float(poly_mmd(torch.from_numpy(made[:70]), torch.from_numpy(real))), rel=1e-9)


def test_grey_and_transparent_arrays_are_pictures_on_white():
    alpha = np.zeros((16, 16, 4), np.uint8)
    source = source_of([alpha, np.full((16, 16), 9, np.uint8), np.full((16, 16, 1), 9, np.uint8)], "x")
    assert source.open(0).pixels.min() == 255
    assert source.open(1).pixels.shape == source.open(2).pixels.shape == (16, 16, 3)
    with pytest.raises(DatasetError, match="float64"):
        evaluate([np.zeros((8, 8, 3))] * 8, REAL, features="pixels")


def test_sizes_follow_the_stated_rule():
    large, small = [np.zeros((90, 200, 3), np.uint8)] * 6, discs(6, 0, side=40)
    wide = np.zeros((50, 100, 3), np.uint8)
    wide[:, 25:75] = 255  # the square in the middle
    sets = read_sets(
        [source_of(each, "x") for each in (large, small, [wide])],
        at_most=[6, 6, 6],
        seed=0,
        largest_side_px=128,
        progress=silent,
    )
    assert [each.pixels.shape[1] for each in sets] == [40, 40, 40]
    assert [each.original_side_px for each in sets] == [90, 40, 50]
    assert (sets[2].pixels == 255).all()


def test_shrinking_averages():
    """A chequerboard of single pixels is grey when shrunk; taking every n-th pixel would make it black or white."""
    board = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)
    (read,) = read_sets([source_of([board], "x")], at_most=[1], seed=0, largest_side_px=32, progress=silent)
    assert abs(read.pixels.astype(int) - 127).max() < 12


def test_larger_pictures_and_lossy_files_are_said(tmp_path):
    real = folder_of(discs(24, 0), tmp_path / "real", "jpg")
    notes = " ".join(evaluate(discs(24, 1, side=64), real, features="pixels").notes)
    assert "are larger (shorter side 64 px" in notes
    assert "100% of those" in notes
    assert not evaluate(discs(24, 1), REAL[:24], features="pixels").notes


def test_the_surest_fakes_are_the_planted_ones():
    draw = np.random.default_rng(0)
    stripes = np.arange(32) // 8 % 2
    planted = [np.tile(stripes[:, None] * draw.integers(100, 200, 3), (32, 1, 1)).astype(np.uint8) for _ in range(20)]
    made = [*discs(20, 1), *planted, *discs(20, 2)]
    surest = [int(each.name) for each in evaluate(made, REAL, features="pixels").surest_made[:10]]
    assert all(20 <= index < 40 for index in surest)


def test_too_few_are_refused():
    with pytest.raises(DatasetError, match="too few"):
        evaluate(discs(5, 1), REAL, features="pixels")


def test_the_judge_has_its_own_name():
    result = evaluate(discs(8, 1), REAL[:8])
    assert (result.frechet_name, result.features) == ("FD-EffNetLite1", "EfficientNet-Lite1")


def test_inception_is_refused_where_its_weights_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"--features inception needs .* effnet-lite1"):
        evaluate(REAL, REAL, features="inception")


def test_the_document_and_the_page_say_it_all():
    result = evaluate(discs(30, 1), REAL, features="pixels", seed=5)
    document = json.loads(written(told(result).document))
    assert document["seed"] == 5
    assert document["figures"]["two_sample"]["held_out"] == 30
    assert document["figures"]["frechet"]["name"] == "FD-pixels8"
    assert document["made"]["compared"] == 30
    assert document["real"]["found"] == 120
    text = page(told(result))
    assert all(words in text for words in ("FD-pixels8", "coverage (k = 5)", "data:image/png;base64,"))
    assert "http://" not in text
    assert "<script" not in text


# Drift


def test_no_drift_between_halves_of_one_set():
    verdicts = [drift(discs(40, 2 * seed), discs(40, 2 * seed + 1), features="pixels").verdict for seed in range(6)]
    assert verdicts.count("drift") <= 2


def test_drift_is_seen_said_and_ranked():
    production = discs(80, 1, shade=40)
    result = drift(REAL, production, features="pixels")
    assert result.verdict == "drift"
    assert result.words.startswith("Drift: the production pictures differ")
    assert sorted(each.name for each in result.ranked) == sorted(map(str, range(80)))
    assert [each.score for each in result.ranked] == sorted((each.score for each in result.ranked), reverse=True)
    assert len(json.loads(drift_json(result))["ranked"]) == 80


def test_a_few_pictures_are_undecided():
    result = drift(REAL, discs(15, 1, shade=60), features="pixels")
    assert result.verdict == "undecided"
    assert "no power" in result.words


# Commands


@pytest.fixture
def folders(tmp_path):
    places = {"train": REAL, "same": discs(60, 9), "brighter": discs(60, 9, shade=45), "few": discs(12, 9)}
    for name, pictures in places.items():
        folder_of(pictures, tmp_path / name)
    (tmp_path / "same" / "sub").mkdir()
    (tmp_path / "same" / "sub" / "cut.png").write_bytes((tmp_path / "same" / "000.png").read_bytes()[:60])
    (tmp_path / "same" / "words.jpg").write_text("no picture")
    return tmp_path


@pytest.mark.parametrize(
    ("production", "fail", "code", "words"),
    [
        ("same", True, 0, "No drift seen"),
        ("brighter", False, 0, "Drift:"),
        ("brighter", True, 8, "Drift:"),
        ("few", False, 0, "Undecided"),
        ("few", True, 3, "Undecided"),
    ],
)
def test_drift_ends_with_the_code_that_is_promised(folders, capsys, production, fail, code, words):
    options = ["--features", "pixels", "--out", str(folders / "d.json"), *(["--fail"] if fail else [])]
    assert drift_command.main([str(folders / "train"), str(folders / production), *options]) == code
    assert words in capsys.readouterr().out
    assert (folders / "d.png").is_file()


def test_bad_files_are_listed_and_left_out(folders, capsys):
    out = folders / "d.json"
    drift_command.main([str(folders / "train"), str(folders / "same"), "--features", "pixels", "--out", str(out)])
    said = capsys.readouterr().out
    assert "cut.png" in said
    assert "words.jpg" in said
    production = json.loads(out.read_text())["production"]
    assert {each["reason"] for each in production["left_out"]} == {"truncated", "not_a_picture"}
    assert (production["found"], production["compared"]) == (62, 60)


def test_evaluate_prints_the_table_and_writes_its_files(folders, capsys):
    out = folders / "e.json"
    options = ["--against", str(folders / "train"), "--features", "pixels", "--out", str(out), "--html"]
    assert evaluate_command.main([str(folders / "same"), *options]) == 0
    said = capsys.readouterr().out
    for words in ("FD-pixels8", "KID", "precision", "recall", "density", "coverage", "two-sample", "diversity"):
        assert words in said
    assert all((folders / f"e.{ending}").is_file() for ending in ("json", "png", "html"))
    assert Image.open(folders / "e.png").width > 1000


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nowhere", "--against", "train"], ModelError),
        (["same", "--against", "train", "--out", "x.txt"], ConfigurationError),
        (["same", "--against", "train", "--out", "nowhere/x.json"], ConfigurationError),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(folders, monkeypatch, arguments, error):
    monkeypatch.chdir(folders)
    with pytest.raises(error):
        evaluate_command.main([*arguments, "--features", "pixels"])


def test_a_folder_without_pictures_is_refused(folders):
    (folders / "empty").mkdir()
    with pytest.raises(DatasetError, match="no picture that can be read"):
        drift(folders / "train", folders / "empty", features="pixels")
