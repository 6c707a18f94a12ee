"""`pixturn bench` as a command: what it prints and writes, how it is stopped, and what it refuses."""

import io
import json
import signal
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace

import pytest
from tiny import tiny_recipe

from pipelines.benching.training import measuring, steps
from pipelines.benching.training.steps import Step
from pipelines.cli import main


@pytest.fixture
def counted(monkeypatch):
    """A gigabyte a picture, so that nothing has to be counted."""
    monkeypatch.setattr(steps, "peak_bytes", lambda recipe: recipe.batch_size * 10**9)
    monkeypatch.setattr(steps, "free_memory_bytes", lambda: 1000 * 10**9)


def pixturn(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(list(map(str, arguments)))
        except SystemExit as end:
            code = end.code
    return code, out.getvalue(), err.getvalue()


@pytest.mark.usefixtures("counted")
def test_the_command_measures_a_recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "recipe_named", lambda name: replace(tiny_recipe(name), precision="auto"))
    file = tmp_path / "figures.json"
    small = ("--batch-size", "1", "--batch-sizes", "2", "--rounds", "1", "--no-compile")
    code, out, _ = pixturn("bench", "compact", *small, "--json", file)
    assert code == 0
    assert out.strip().splitlines()[-1].startswith("  pixturn train compact --data DIR --precision")
    rows = json.loads(file.read_text())["measured"][0]["rows"]
    assert {row["batch_size"] for row in rows} == {1, 2}
    assert {row["layout"] for row in rows} == {"plain", "channels-last"}


@pytest.mark.usefixtures("counted")
def test_ctrl_c_prints_what_was_measured_and_ends_with_130(monkeypatch):
    calls = []

    class Stopping(Step):
        def __call__(self):
            calls.append(1)
            if len(calls) == 14:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(steps, "Step", Stopping)
    code, out, err = pixturn("bench", "gan-points", "--x", "vector:2", "--rounds", "3", "--batch-sizes", "64")
    assert code == 130
    assert "Stopped" in err
    assert "pixturn train gan-points" in out
    assert len(calls) < 200


REFUSED = {
    "no such recipe": (["pix2pixx"], 2, "did you mean pix2pix?"),
    "no such file": (["none.onnx"], 4, "does not exist"),
    "no json": (["pix2pix", "--json", "figures.txt"], 2, "ending in .json"),
    "a negative size": (["pix2pix", "--crop-px", "-4"], 2, "--crop-px"),
    "a recipe and a model": (["gan", "x2"], 2, "gan is a recipe, x2 is a model; models are timed one by one"),
    "the lines to type for both": (["x2", "gan", "vae"], 2, "pixturn bench gan vae, then pixturn bench x2"),
    "two models": (["x2", "x4"], 2, "pixturn bench x2, then pixturn bench x4"),
    "a model after options": (["--rounds", "1", "x2"], 2, "Names come before the options: pixturn bench x2 --rounds 1"),
    "a recipe after options": (["--no-compile", "gan"], 2, "pixturn bench gan --no-compile"),
    "a direction of a bundle": (["x2", "--direction", "BtoA"], 2, "x2 holds one direction"),
}


@pytest.mark.parametrize(("arguments", "code", "words"), REFUSED.values(), ids=REFUSED)
def test_refusals_in_clear_words(arguments, code, words):
    got, _, err = pixturn("bench", *arguments)
    assert got == code
    assert words in " ".join(err.split())
