"""What the page does with models of pictures of one size and of points: as Python and the command line do it."""

import json
import shlex

import numpy as np
import page_models
import pytest
from PIL import Image

import pipelines
from pipelines.cli import main
from pipelines.page.again import Drawn
from pipelines.page.jobs import StoppedError
from pipelines.page.one_size import Shown, encode_one, in_words, reconstruct_one
from pipelines.page.sampling import MOST_POINTS, sample_points
from pipelines.runs import RUNS
from translate.errors import ConfigurationError


@pytest.fixture
def place(tmp_path, monkeypatch):
    page_models.write_others(tmp_path / "checkpoints")
    page_models.picture(tmp_path / "a.png", size=(37, 29))
    page_models.picture(tmp_path / "fits.png", size=(6, 8))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bench(tmp_path):
    return page_models.bench_in(tmp_path / "page")


def offer(name):
    return page_models.offers_in(RUNS)[name]


def done_again(python):
    """What the lines that the page shows make, in this folder."""
    made = {}
    exec(python, made)
    return made


@pytest.mark.parametrize("name", ["a.png", "fits.png"])
def test_numbers_of_a_picture_are_those_of_python(name, place, bench):
    made = encode_one(offer("reader"), Shown(picture=place / name), bench, page_models.job())
    expected = pipelines.load("reader").outputs([place / name])
    assert {port: row.tolist() for port, row in made.numbers.items()} == {p: r[0].tolist() for p, r in expected.items()}
    assert json.loads(made.file.read_text()) == {port: row.tolist() for port, row in made.numbers.items()}
    again = done_again(made.again.python)["numbers"]
    assert all((again[port][0] == row).all() for port, row in made.numbers.items())
    assert made.again.command == ""
    assert made.told.startswith(f"scores: {expected['scores'][0].argmax()} is likeliest")
    other = encode_one(offer("reader"), Shown(picture=place / "a.png"), bench, page_models.job())
    assert (other.numbers["code"] == made.numbers["code"]).all() is np.bool_(name == "a.png")  # the control


def test_a_picture_that_is_given_back_is_that_of_python(place, bench):
    made = reconstruct_one(offer("again"), Shown(picture=place / "fits.png"), bench, page_models.job())
    grey = np.asarray(Image.open(place / "fits.png").convert("L"))
    assert np.abs(np.asarray(Image.open(made.file)).astype(int) - (255 - grey)).max() <= 1
    assert np.array_equal(np.asarray(made.before), np.repeat(255 - np.asarray(Image.open(made.file))[..., None], 3, 2))
    done_again(made.again.python)
    assert Image.open(place / made.file.name).tobytes() == Image.open(made.file).tobytes()


def test_the_class_that_is_chosen_is_the_one_that_counts(place, bench):
    shown = {label: Shown(picture=place / "fits.png", label=label) for label in ("as it is", "dark", None)}
    same, dark = (
        reconstruct_one(offer("classes"), shown[label], bench, page_models.job()) for label in list(shown)[:2]
    )
    assert np.array_equal(np.asarray(same.before), np.asarray(same.after))
    assert (np.asarray(dark.after) < np.asarray(same.after)).mean() > 0.9
    done_again(dark.again.python)
    assert Image.open(place / dark.file.name).tobytes() == Image.open(dark.file).tobytes()
    with pytest.raises(ConfigurationError, match="wants to know the class"):
        reconstruct_one(offer("classes"), shown[None], bench, page_models.job())


def test_points_are_those_of_the_command_line_and_of_python(place, bench):
    made = sample_points(offer("points"), Drawn(n=200, seed=3, spread=0.5), bench, page_models.job())
    assert made.points.shape == (200, 3)
    assert made.told.endswith("; seen are the first two of 3 numbers")
    command = shlex.split(made.again.command)
    assert main([*command[1:], "--device", "cpu"]) == 0
    again = np.load(command[command.index("-o") + 1])
    assert {name: again[name].tolist() for name in again} == {n: v.tolist() for n, v in np.load(made.file).items()}
    assert (done_again(made.again.python)["points"] == made.points).all()
    unspread = sample_points(offer("points"), Drawn(n=200, seed=3), bench, page_models.job())
    assert np.allclose(unspread.points * 0.5, made.points)
    assert not np.allclose(unspread.points, made.points)


def test_what_is_missing_or_too_much_is_told(place, bench):
    with pytest.raises(ConfigurationError, match="Choose a picture"):
        encode_one(offer("reader"), Shown(picture=None), bench, page_models.job())
    with pytest.raises(ConfigurationError, match=f"1 to {MOST_POINTS} at a time"):
        sample_points(offer("points"), Drawn(n=MOST_POINTS + 1, seed=0), bench, page_models.job())


def test_a_stop_is_noticed(place, bench):
    job = page_models.job()
    job.stop()
    with pytest.raises(StoppedError):
        encode_one(offer("reader"), Shown(picture=place / "a.png"), bench, job)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([0.1, 0.7, 0.2], "s: 1 is likeliest (70%)"),
        ([0.1, 0.7, 0.3], "s: 0.10, 0.70, 0.30"),
        ([-0.5, 1.5], "s: -0.50, 1.50"),
        ([1.0], "s: 1.00"),
        (range(9), "s: 0.00, 1.00, 2.00, 3.00, 4.00, 5.00 and 3 more"),
    ],
)
def test_numbers_in_words(numbers, words):
    assert in_words("s", np.array(numbers, np.float32)) == words
