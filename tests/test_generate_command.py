"""`pixturn generate` as people use it, on a small .onnx generator without a line of torch."""

import io
import json
import os
import signal
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
from linear_generators import DIGIT, LinearGenerator, Z, card, saved_onnx, weights
from PIL import Image
from tiny_onnx import negative, with_sidecar

from pipelines.commands.generate import main
from pipelines.generating import Generate, folder
from pipelines.generating.folder import write_samples
from pipelines.load import load
from translate.errors import ConfigurationError, PixturnError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return saved_onnx(tmp_path_factory.mktemp("models") / "digits.onnx")


def generate(*arguments):
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        assert main([str(argument) for argument in arguments]) == 0
    return out.getvalue()


def refused(*arguments):
    with redirect_stderr(io.StringIO()), pytest.raises(PixturnError) as problem:
        main([str(argument) for argument in arguments])
    return str(problem.value)


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_folder_has_numbered_pictures_and_says_how_they_were_made(model, tmp_path):
    told = generate(model, "-o", tmp_path / "out", "--n", 5, "--seed", 7, "--class", "two", "0")
    assert told.startswith(f"5 samples in {tmp_path / 'out'} (")
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == [*(f"00000{index}.png" for index in range(5)), "samples.json"]
    document = json.loads((tmp_path / "out" / "samples.json").read_text())
    assert (document["model"], document["seed"], document["spread"]) == ("toy", 7, 1.0)
    assert [(each["index"], each["file"], each["class"], each["name"]) for each in document["samples"]] == [
        (index, f"00000{index}.png", (2, 0)[index % 2], ("two", "nought")[index % 2]) for index in range(5)
    ]
    made = load(model)(5, seed=7, label=["two", 0])
    for index, picture in enumerate(made):
        assert np.array_equal(pixels(tmp_path / "out" / f"00000{index}.png"), np.asarray(picture))


def test_the_pictures_are_the_generators(model, tmp_path):
    generate(model, "-o", tmp_path / "all.npz", "--n", 6, "--batch", 4)
    with np.load(tmp_path / "all.npz") as arrays:
        assert set(arrays) == {"z", "digit", "picture"}
        flat = arrays["z"] @ weights(load(model).picture) + 0.2 * arrays["digit"][:, None]
        np.testing.assert_allclose(arrays["picture"].reshape(6, -1), flat, atol=1e-5)


def test_batches_change_nothing(model, tmp_path):
    for batch in (1, 3, 64):
        generate(model, "-o", tmp_path / f"{batch}.png", "--n", 9, "--batch", batch)
    assert np.array_equal(pixels(tmp_path / "1.png"), pixels(tmp_path / "64.png"))
    assert np.array_equal(pixels(tmp_path / "3.png"), pixels(tmp_path / "64.png"))
    generate(model, "-o", tmp_path / "seed.png", "--n", 9, "--seed", 1)
    assert not np.array_equal(pixels(tmp_path / "seed.png"), pixels(tmp_path / "64.png"))


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ((), (46, 46)),
        (("--n", "6", "--columns", "2"), (10, 16)),
        (("--sheet", "classes"), (46, 16)),
        (("--sheet", "classes", "--class", "one", "--columns", "3"), (16, 4)),
    ],
    ids=str,
)
def test_sheets_have_their_size(model, tmp_path, arguments, size):
    told = generate(model, "-o", tmp_path / "deep" / "sheet.png", *arguments)
    assert pixels(tmp_path / "deep" / "sheet.png").shape[::-1] == size
    assert ("1 one" in told) == ("classes" in arguments)


def test_a_walk_is_a_gif(model, tmp_path):
    generate(model, "-o", tmp_path / "walk.gif", "--n", 3, "--frames", 2, "--class", "one")
    with Image.open(tmp_path / "walk.gif") as film:
        assert film.n_frames == 6


def test_a_code_and_a_spread_are_handed_on(model, tmp_path):
    generate(model, "-o", tmp_path / "a.npz", "--n", 2, "--code", "z=1,2,3,4,5,-6")
    generate(model, "-o", tmp_path / "b.npz", "--n", 2, "--spread", 0)
    assert np.load(tmp_path / "a.npz")["z"].tolist() == [[1, 2, 3, 4, 5, -6]] * 2
    assert not np.load(tmp_path / "b.npz")["z"].any()


def test_neighbours_are_told(model, tmp_path):
    generate(model, "-o", tmp_path / "training", "--n", 30, "--seed", 1)
    told = generate(model, "-o", tmp_path / "sheet.png", "--neighbours", tmp_path / "training", "--seed", 2)
    assert "levels away" in told
    assert pixels(tmp_path / "sheet.png").shape == (46, 34)
    assert len(json.loads((tmp_path / "sheet.json").read_text())["samples"]) == 64


# Refusals


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "a.xyz"), "cannot write '.xyz'"),
        (("-o", "out", "--sheet", "classes"), "--sheet classes makes a picture"),
        (("-o", "a.gif", "--neighbours", "."), "--neighbours makes a picture"),
        (("-o", "a.png", "--columns", "0"), "--columns 0"),
        (("-o", "a.png", "--n", "0"), "at least 1"),
        (("-o", "a.png", "--class", "nine"), "the classes are 0 nought, 1 one, 2 two"),
        (("-o", "a.png", "--code", "z"), "give a name and numbers"),
        (("-o", "a.png", "--code", "z=a"), "give a name and numbers"),
        (("-o", "a.png", "--sheet", "codes"), "no codes beside its noise"),
        (("-o", "a.gif", "--n", "1"), "at least 2 stops"),
        (("-o", "a.png", "--invert", "b.png"), "instead of an .onnx file"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_nothing_is_written(model, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused(model, *arguments)
    assert not list(tmp_path.iterdir())


def test_a_translator_is_no_generator(tmp_path):
    model = with_sidecar(negative(tmp_path / "negative.onnx"))
    assert f"pixturn run {model}" in refused(model, "-o", tmp_path / "a.png")


def test_a_folder_with_something_in_it_is_left_alone(model, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert "something is there already" in refused(model, "-o", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_taken(model, tmp_path):
    (tmp_path / "out").mkdir()
    generate(model, "-o", tmp_path / "out", "--n", 2)
    assert len(list((tmp_path / "out").iterdir())) == 3


# Whole or not at all


def stopping(at, end):
    def progress(done, total):
        if done >= at:
            end()

    return progress


def test_a_stop_leaves_nothing(tmp_path):
    toy = Generate(LinearGenerator(card(inputs=(Z, DIGIT))))

    def end():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_samples(toy, toy.draw(10), tmp_path / "out", batch=2, progress=stopping(6, end))
    assert not list(tmp_path.iterdir())


def test_control_pictures_are_written_before_the_end(tmp_path):
    toy = Generate(LinearGenerator(card(inputs=(Z, DIGIT))))
    seen = []

    def end():
        seen.extend(path.name for path in tmp_path.rglob("*.png"))

    write_samples(toy, toy.draw(10), tmp_path / "out", batch=2, progress=stopping(6, end))
    assert seen


def test_a_failing_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "write_atomically", full)
    toy = Generate(LinearGenerator(card(inputs=(Z, DIGIT))))
    with pytest.raises(PixturnError, match=r"Could not write.*No space left") as problem:
        write_samples(toy, toy.draw(3), tmp_path / "out")
    assert problem.value.exit_code == 5
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_in_good_order(model, tmp_path, monkeypatch, number, code):
    run = LinearGenerator.run

    def interrupted(self, inputs):
        os.kill(os.getpid(), number)
        return run(self, inputs)

    monkeypatch.setattr(LinearGenerator, "run", interrupted)
    monkeypatch.setattr(
        "pipelines.commands.generate.load", lambda *_, **__: Generate(LinearGenerator(card(inputs=(Z, DIGIT))))
    )
    with redirect_stderr(io.StringIO()), pytest.raises(PixturnError, match="nothing was written") as problem:
        main([str(model), "-o", str(tmp_path / "out"), "--n", "4", "--batch", "1"])
    assert problem.value.exit_code == code
    assert not list(tmp_path.iterdir())


def test_errors_are_configuration_errors(model, tmp_path):
    with redirect_stderr(io.StringIO()), pytest.raises(ConfigurationError):
        main([str(model), "-o", str(tmp_path / "a.png"), "--class", "3"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--held-out", "real"), "--held-out goes with --neighbours"),
        (("--dimension", "1"), "--dimension goes with --sheet codes"),
        (("--sheet", "classes", "--dimension", "1"), "--dimension goes with --sheet codes"),
        (("--neighbours", "real", "--sheet", "classes"), "leave out --sheet classes"),
        (("--seed", "-1"), "--seed -1: give"),
        (("--spread", "-1"), "--spread -1.0: give"),
        (("--batch", "0"), "--batch 0: give"),
    ],
    ids=str,
)
def test_options_without_use_or_sense_are_refused_by_name(model, tmp_path, arguments, words):
    assert words in refused(model, "-o", tmp_path / "sheet.png", *arguments)
    assert not (tmp_path / "sheet.png").exists()
