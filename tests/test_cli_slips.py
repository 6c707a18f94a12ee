"""What people type wrong at first, and what they are told: the line to type instead."""

import logging
import os

import numpy as np
import pytest
from command_line import done, pixturn
from folder_models import drawn, files
from PIL import Image
from rich.console import Console
from tiny_onnx import negative
from tiny_tasks import filler, upscaler

import pipelines.translation
from pipelines.cli import _handler
from pipelines.runs import RunFolder
from pipelines.training import Setting
from translate.errors import ConfigurationError

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.usefixtures("surroundings")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Bundles of three tasks."""
    runs = tmp_path_factory.mktemp("runs")
    for name, make in (("x2", upscaler), ("inpaint", filler), ("lineart", negative)):
        (runs / name).mkdir()
        make(runs / name / f"{name}.onnx")
    return runs


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with two pictures, a mask, one that marks nothing, and one of another size."""
    monkeypatch.chdir(tmp_path)
    for index, name in enumerate(("a.png", "b.png")):
        drawn(tmp_path / name, index, height=16, width=24)
    for name, level, size in (("m.png", 255, (24, 16)), ("black.png", 0, (24, 16)), ("small.png", 255, (5, 4))):
        Image.new("L", size, level).save(tmp_path / name)
    drawn(tmp_path / "pics" / "a.png")
    (tmp_path / "w.pth").write_bytes(b"x")
    (tmp_path / "bare").mkdir()
    return tmp_path


def told(models, *arguments):
    outcome = pixturn(*arguments, *(["--runs", models] if models else []))
    assert "Traceback" not in outcome.err
    return outcome.code, " ".join(outcome.err.split())


SLIPS = {
    "no model": ("upscale a.png", 2, "Say which model: pixturn upscale x2 a.png"),
    "no model, a folder": ("upscale pics", 2, "Say which model: pixturn upscale x2 pics"),
    "no picture": ("upscale x2", 2, "pixturn upscale x2 PICTURE"),
    "picture first": ("upscale a.png x2", 2, "a.png is a picture; the model comes first: pixturn upscale x2 a.png"),
    "picture first to run": ("run a.png lineart -o o.png", 2, "comes first: pixturn run lineart a.png"),
    "picture first to generate": ("generate a.png -o o.png", 4, "a.png is a picture; the model comes first"),
    "mask as a word": ("inpaint a.png m.png", 2, "A mask is given as --mask m.png: pixturn inpaint a.png --mask m.png"),
    "several": ("upscale x2 a.png b.png", 2, "One picture or one folder at a time: pixturn upscale x2 FOLDER"),
    "several to run": ("run lineart a.png b.png -o o", 2, "at a time, not 2: pixturn run lineart FOLDER -o OUT"),
    "upscale by inpaint": ("upscale inpaint a.png", 2, "use pixturn inpaint inpaint PICTURE --mask MASK"),
    "inpaint by x2": ("inpaint x2 a.png --mask m.png", 2, "use pixturn upscale x2 PICTURE"),
    "inpaint by lineart": ("inpaint lineart a.png --mask m.png", 2, "use pixturn run lineart PICTURE -o OUT"),
    "generate by x2": ("generate x2 -o o.png", 2, "pixturn upscale x2 PICTURE"),
    "run by inpaint": ("run inpaint a.png -o o.png", 2, "not 1: pixturn inpaint inpaint PICTURE --mask MASK"),
    "no such model": ("run linart a.png -o o.png", 4, "did you mean lineart?"),
    "nothing near": ("upscale qqq a.png", 4, "there are: inpaint, lineart, x2 (models that ship with Pixturn"),
    "weights": ("upscale w.pth a.png", 4, "import it first: pixturn import w.pth --from spandrel -o w.onnx"),
    "no such file": ("run nosuch.pth a.png -o o.png", 4, "nosuch.pth: there is no such file"),
    "a folder without": ("upscale bare a.png", 4, "bare holds no run, and no bare.onnx"),
    "three numbers": (
        "inpaint a.png --outpaint 64",
        2,
        "takes four numbers, in pixels: LEFT RIGHT TOP BOTTOM",
    ),
    "a habit": ("upscale x2 -i a.png", 2, "pixturn upscale has no -i: the picture stands after the model"),
    "another habit": ("upscale x2 a.png --outscale=4", 2, "x2 or x4"),
    "a black mask": ("inpaint a.png --mask black.png", 3, "black.png: the mask marks nothing"),
    "no mask": ("inpaint a.png", 3, "a.png: The picture has no transparent pixels"),
    "a small mask": ("inpaint a.png --mask small.png", 3, "a.png is 24 x 16, the mask small.png is 5 x 4"),
    "a format": ("upscale x2 a.png --format gif", 2, "gif"),
    "no ending": ("upscale x2 a.png -o new", 2, "-o new: end it in .png"),
    "a picture of a folder": ("upscale x2 pics -o t.png", 2, "results of a folder go into a folder"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_answered_with_what_to_type(slip, place, models):
    line, code, words = SLIPS[slip]
    before = files(place)
    outcome = told(models, *line.split())
    assert outcome[0] == code, outcome[1]
    assert words in outcome[1]
    assert "Enlarging" not in outcome[1]
    assert "None" not in outcome[1]
    assert files(place) == before, "nothing is left behind"


def test_the_lines_that_are_told_are_right(place, models):
    """The control of the slips: what they say to type is taken."""
    at = ("--runs", models, "--device", "cpu")
    done("upscale", "x2", "a.png", *at)
    done("inpaint", "inpaint", "a.png", "--mask", "m.png", *at)
    done("inpaint", "a.png", "--outpaint", "4", "4", "0", "0", *at)
    done("run", "lineart", "a.png", "-o", "o.png", *at)
    done("upscale", "x2", "pics", *at)
    made = {"a.x2.png", "a.inpaint.png", "a.outpaint.png", "o.png", "pics.x2/a.png"}
    assert made < set(files(place))


def test_a_trailing_slash_makes_a_folder_and_nothing_in_it_is_replaced(place, models):
    arguments = ("upscale", "x2", "a.png", "-o", "new/", "--runs", models, "--device", "cpu")
    done(*arguments)
    (place / "new" / "a.png").write_bytes(b"mine")
    for out in ("new/", "new"):
        code, words = told(models, "upscale", "x2", "a.png", "-o", out)
        assert (code, "new/a.png is there already" in words) == (2, True)
    assert (place / "new" / "a.png").read_bytes() == b"mine"
    done("upscale", "x2", "a.png", "-o", "new/a.png", "--runs", models, "--device", "cpu")
    assert (place / "new" / "a.png").read_bytes() != b"mine"


@pytest.mark.parametrize("arguments", [("upscale", "x2", "", "-o", "t.png"), ("upscale", "x2", "a.png", "-o", "")])
def test_an_unset_variable_is_no_folder(arguments, place, models):
    code, words = told(models, *arguments)
    assert (code, "is empty: is a variable of the shell not set?" in words) == (2, True)
    assert not (place / "t.png").exists()


def test_a_place_below_a_file_is_no_full_disk(place, models, monkeypatch):
    monkeypatch.setattr(pipelines.translation.Translate, "outputs", None)  # it is known before any work
    for arguments in (
        ("upscale", "x2", "a.png", "-o", "b.png/x.png"),
        ("run", "lineart", "pics", "-o", "b.png/x"),
        ("generate", "x2", "-o", "b.png/x.png"),
    ):
        code, words = told(models, *arguments)
        assert (code, "cannot be written (" in words, "Make room" in words) == (5, True, False), words


def test_evaluate_knows_before_its_work(place, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    code, words = told(None, "evaluate", "pics", "--against", "pics", "-o", "e.json")
    assert (code, "e.json cannot be written (Permission denied)" in words) == (5, True)


TRAINING = {
    "workers": ("pix2pix --data bare --workers -1", "--workers is -1: choose 0"),
    "threads": ("pix2pix --data bare --threads -1", "--threads is -1: choose 0"),
    "minutes": ("pix2pix --data bare --minutes 0", "--minutes 0: give one length above 0"),
    "lr": ("pix2pix --data bare --lr 1e-4", "--optimisers.generator.learning-rate"),
    "dataroot": ("pix2pix --dataroot bare", "pixturn train has no --dataroot: say --data DIR"),
    "resume": ("--resume x --batch-size 4", "leave out --batch-size; only --device, --workers"),
}


@pytest.mark.parametrize("slip", TRAINING)
def test_a_training_is_refused_by_the_option(slip, place):
    line, words = TRAINING[slip]
    code, said = told(place, "train", *line.split())
    assert (code, words in said) == (2, True), said
    with pytest.raises(ConfigurationError, match="workers"):
        Setting(workers=-1)


def test_squares_are_no_pairs_and_other_names_are_told_once(tmp_path):
    for index in range(6):
        for folder, name in (("trainA", f"a{index}"), ("trainB", f"b{index}")):
            drawn(tmp_path / "set" / folder / f"{name}.png", index + 10 * (name > "b"), height=40, width=40)
    small = ("--augmentation.load-px", "32", "--augmentation.crop-px", "32", "--threads", "1", "--workers", "0")
    code, words = told(tmp_path / "runs", "train", "pix2pix", "--data", tmp_path / "set" / "trainA", *small)
    assert (code, "not twice as wide as high (40 x 40)" in words) == (3, True), words
    code, words = told(tmp_path / "runs", "train", "pix2pix", "--data", tmp_path / "set", *small)
    assert (code, "1 error, listed above" in words) == (3, True), words
    assert "nothing in trainA and trainB has a partner" in words
    assert "pixturn train cyclegan --data" in words
    assert "a3" not in words
    assert list((tmp_path / "runs").iterdir()) == [], "a refused run uses up no name"


def test_a_folder_that_was_locked_is_kept_where_it_holds_anything(tmp_path):
    folder = RunFolder(path=tmp_path / "run")
    with folder.locked():
        (folder.path / "notes").write_text("")
    assert folder.path.exists()
    (folder.path / "notes").unlink()
    with folder.locked():
        pass
    assert not folder.path.exists()


def test_a_damaged_file_is_named_once_and_an_empty_one_is_called_so(tmp_path, monkeypatch):
    for folder in ("cats", "dogs"):
        for index in range(4):
            drawn(tmp_path / "mix" / folder / f"{index}.png", index, height=40, width=40)
    cut = tmp_path / "mix" / "dogs" / "1.png"
    cut.write_bytes(cut.read_bytes()[:200])
    (tmp_path / "mix" / "dogs" / "2.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    pixturn("check", "mix", "--crop-px", "32", "--no-estimate")  # remembers it by this spelling
    small = ("--augmentation.load-px", "32", "--augmentation.crop-px", "32", "--threads", "1", "--workers", "0")
    _, words = told(tmp_path / "runs", "train", "cyclegan", "--data", "mix", *small)
    assert "dogs/1.png: the PNG ends too early fix: copy" in words
    assert "dogs/2.png: is empty fix: copy" in words


def test_warnings_have_no_time_and_no_line_of_code(capsys):
    handler = _handler(Console(width=80))
    handler.handle(logging.LogRecord("x", logging.WARNING, "inpainting.py", 69, "Nothing to fill", None, None))
    assert capsys.readouterr().out.split() == ["WARNING", "Nothing", "to", "fill"]


def test_help_begins_with_what_needs_no_training():
    lines = [line.strip() for line in done("--help").out.splitlines()]
    assert lines[lines.index("First steps:") + 1] == "pixturn upscale x2 photo.jpg"
    assert lines.index("Use models:") < lines.index("Train:")
    usage = done("train", "--help").out
    assert usage.index("Picture to picture:") < usage.index(" pix2pix ") < usage.index("Enlarge, repair")
    assert usage.index("Enlarge, repair") < usage.index(" srgan ") < usage.index("Out of noise") < usage.index(" vae ")
    help_of_app = done("app", "--help").out
    assert "[MODEL ...]" in help_of_app
    assert "{None}" not in help_of_app


def test_the_list_says_what_to_type(models):
    rows = [line.split("│") for line in done("list", "--runs", models).out.splitlines() if "│" in line]
    typed = {row[1].strip(): row[3].strip() for row in rows}
    assert typed == {
        "x2": "pixturn upscale x2 PICTURE",
        "inpaint": "pixturn inpaint inpaint PICTURE --mask MASK",
        "lineart": "pixturn run lineart PICTURE -o OUT",
    }


def test_one_picture_is_no_pictures(place, models):
    assert done("upscale", "x2", "pics", "--runs", models, "--device", "cpu").out.startswith("1 picture in")
    assert np.asarray(Image.open(place / "pics.x2" / "a.png")).shape[0] == 12
