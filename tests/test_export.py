"""`pixturn export`: from a trained run to files on disk, and that nothing is there where the proof fails."""

import errno
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from crash_worker import tiny
from exported_nets import traced_once
from lives import write_pairs
from onnx import numpy_helper
from PIL import Image
from rich.console import Console
from tiny import photograph
from torch import Tensor, nn
from torch.nn import functional

import pipelines
from pipelines.cli import main
from pipelines.exporting import forms
from pipelines.report import Estimate, Finding, Metric, Report, ScoreRow, ScoreTable
from pipelines.report.figures import read_figures, write_figures
from pipelines.report.model import Example
from pipelines.runs import RunFolder
from pipelines.trained import Trained
from pipelines.training import Setting, train
from translate.card import Card
from translate.errors import ConfigurationError, ModelError, StorageError
from translate.export import folder as export_folder
from translate.export.graph import to_onnx

QUIET = Console(quiet=True)
FILES = {"README.md", "manifest.json", "x.onnx", "x.onnx.sha256", "x.samples.png"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Data, and runs of both methods on it."""
    root = tmp_path_factory.mktemp("export")
    data = root / "data"
    data.mkdir()
    write_pairs(data)
    setting = Setting(device="cpu", workers=0, runs=root / "runs", check=False, report=False)
    threads = torch.get_num_threads()
    for method in ("pix2pix", "cyclegan"):
        train(tiny(method, images=4), str(data), name=method, setting=setting)
    yield root
    torch.set_num_threads(threads)


@pytest.fixture
def runs(root):
    return root / "runs"


@pytest.fixture(autouse=True)
def _traced_once(monkeypatch):
    monkeypatch.setattr(forms, "to_onnx", traced_once)


def picture(height=37, width=53):
    return Image.fromarray(photograph("coffee")[:height, :width])


def levels_apart(one, other):
    return int(np.abs(np.asarray(one).astype(int) - np.asarray(other).astype(int)).max())


def card_in(path):
    model = onnx.load(path)
    return Card.from_json(next(entry.value for entry in model.metadata_props if entry.key == "pixturn.card"))


# What is written


@pytest.fixture(scope="module")
def exported(root):
    """With a graph of its own: nothing of the module's is replaced yet."""
    assert forms.to_onnx is to_onnx
    return pipelines.export("pix2pix", out=root / "out" / "x.onnx", runs=root / "runs", console=QUIET)


def test_the_file_gives_the_runs_own_picture(exported, runs):
    made = pipelines.load(exported, device="cpu")(picture())
    assert levels_apart(made, pipelines.load("pix2pix", runs=runs)(picture())) <= 1
    assert made.size == (53, 37)
    assert np.asarray(made).std() > 0


def test_beside_it_lie_its_hash_the_model_card_a_sheet_and_the_manifest(exported):
    folder = exported.parent
    assert {path.name for path in folder.iterdir()} == FILES
    digest = hashlib.sha256(exported.read_bytes()).hexdigest()
    assert (folder / "x.onnx.sha256").read_text() == f"{digest}  x.onnx\n"
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    assert entries.keys() == FILES - {"manifest.json"}
    for name, entry in entries.items():
        data = (folder / name).read_bytes()
        assert entry == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    with Image.open(folder / "x.samples.png") as sheet:
        assert sheet.width > 300
        assert sheet.height > 700


def test_the_card_is_filled(exported, runs):
    card = card_in(exported)
    own = Trained.read(RunFolder(path=runs / "pix2pix")).cards["AtoB"]
    kept = ("task", "method", "name", "outputs", "tiling", "data", "recipe_sha256", "images_seen", "metrics")
    assert all(getattr(card, name) == getattr(own, name) for name in kept)
    assert 0 < card.parity["difference"] <= 1e-4
    assert card.parity["alone"] <= 1e-5
    assert card.parity["levels"] <= 1
    assert {"onnx", "onnxscript", "torch", "pixturn"} <= card.versions.keys()
    assert (card.precision, card.pixels) == ("fp32", False)


def test_the_model_card_says_what_people_need(exported):
    text = (exported.parent / "README.md").read_text()
    card = card_in(exported)
    for words in (
        "pixturn run x.onnx picture.png -o out.png",
        "sha256sum -c x.onnx.sha256",
        "](x.samples.png)",
        card.data,
        card.recipe_sha256,
        "Licence",
        "L1 (levels of 255), lower is better",
        f"difference: {card.parity['difference']:.3g}",
    ):
        assert words in text


def test_the_commands_of_the_model_card_run(exported, tmp_path):
    text = (exported.parent / "README.md").read_text()
    shell, python = (part.partition("```")[0] for part in (text.split("```shell\n")[1], text.split("```python\n")[1]))
    shutil.copytree(exported.parent, tmp_path / "copy")
    picture().save(tmp_path / "copy" / "picture.png")
    check, run = shell.splitlines()[1:]
    subprocess.run(check.split(), cwd=tmp_path / "copy", check=True, capture_output=True)
    for command in ([sys.executable, "-m", "pipelines.cli", *run.split()[1:]], [sys.executable, "-c", python]):
        subprocess.run(command, cwd=tmp_path / "copy", check=True, capture_output=True)
        with Image.open(tmp_path / "copy" / "out.png") as made:
            assert made.size == (53, 37)
        (tmp_path / "copy" / "out.png").unlink()


def test_the_command_writes_both_directions_into_the_runs_folder(runs, capsys):
    for arguments, name in (((), "cyclegan"), (("--direction", "BtoA"), "cyclegan-BtoA")):
        assert main(["export", "cyclegan", "--runs", str(runs), *arguments]) == 0
        path = runs / "cyclegan" / "export" / f"{name}.onnx"
        assert f"{path} (" in capsys.readouterr().out
        own = pipelines.load("cyclegan", runs=runs, direction=arguments[1] if arguments else None)
        assert levels_apart(pipelines.load(path, device="cpu")(picture()), own(picture())) <= 1
    folder = runs / "cyclegan" / "export"
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    assert {"README.md", "cyclegan.onnx", "cyclegan-BtoA.onnx", "cyclegan-BtoA.md"} <= entries.keys()
    assert "cyclegan.onnx" in (folder / "README.md").read_text()
    assert [port.name for port in card_in(folder / "cyclegan-BtoA.onnx").inputs] == ["b"]


@pytest.mark.parametrize(("precision", "bar_db"), [("fp16", 45.0), ("int8", 20.0)])
def test_smaller_precisions_are_smaller_say_so_and_are_near(precision, bar_db, runs, exported, tmp_path):
    path = pipelines.export("pix2pix", out=tmp_path, precision=precision, runs=runs, console=QUIET)
    assert path.name == f"pix2pix-{precision}.onnx"
    assert path.stat().st_size < exported.stat().st_size
    card = card_in(path)
    assert card.precision == precision
    assert bar_db < card.parity["psnr_db"] < 999
    made = pipelines.load(path, device="cpu")(picture())
    assert levels_apart(made, pipelines.load(exported, device="cpu")(picture())) < 40


def test_pixels_are_baked_in(runs, exported, tmp_path):
    path = pipelines.export("pix2pix", out=tmp_path, pixels=True, runs=runs, console=QUIET)
    card = card_in(path)
    assert path.name == "pix2pix-pixels.onnx"
    assert card.pixels
    assert card.parity["pixels_levels"] <= 1
    made = pipelines.load(path, device="cpu")(picture())
    assert levels_apart(made, pipelines.load(exported, device="cpu")(picture())) <= 1


# Refusals: nothing is written


def sabotaged_graph(change):
    def broken(deploy, card):
        model = traced_once(deploy, card)
        change(model)
        return model

    return broken


def flip_a_weight(model):
    tensor = max((each for each in model.graph.initializer if len(each.dims) == 4), key=lambda each: len(each.raw_data))
    values = numpy_helper.to_array(tensor).copy()
    values.flat[np.abs(values).argmax()] *= -1
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def leave_out_an_activation(model):
    next(node for node in model.graph.node if node.op_type == "Tanh").op_type = "Identity"


def in_training_mode(deploy, card):
    deploy.networks[0].train()
    return to_onnx(deploy, card)


def with_dropout(deploy, card):
    """The graph is whole, but the network that it is held against drops."""
    model = traced_once(deploy, card)
    deploy.networks[0].register_forward_hook(lambda _module, _inputs, made: functional.dropout(made, 0.01))
    return model


class FixedSize(nn.Module):
    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, picture: Tensor) -> Tensor:
        return functional.interpolate(self.module(picture)[0], size=(32, 32))


def for_one_size(deploy, card):
    return to_onnx(replace(deploy, module=FixedSize(deploy.module).eval()), card)


SABOTAGE = {
    "a flipped weight": (sabotaged_graph(flip_a_weight), r"the largest difference is [\d.e-]+; at most 0.0001"),
    "a missing activation": (sabotaged_graph(leave_out_an_activation), "the largest difference is"),
    "training mode": (in_training_mode, "training mode"),
    "dropout": (with_dropout, "difference is|run again"),
    "one size": (for_one_size, "every batch and size"),
}


@pytest.mark.parametrize("name", SABOTAGE)
def test_what_does_not_agree_is_refused_and_leaves_nothing(name, runs, tmp_path, monkeypatch):
    broken, words = SABOTAGE[name]
    monkeypatch.setattr(forms, "to_onnx", broken)
    with pytest.raises(ModelError, match=words) as refusal:
        pipelines.export("pix2pix", out=tmp_path / "x.onnx", runs=runs, console=QUIET)
    assert refusal.value.exit_code == 4
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_leaves_an_earlier_export_as_it_was(exported, runs, monkeypatch, capfd):
    before = {path: path.read_bytes() for path in exported.parent.iterdir()}
    monkeypatch.setattr(forms, "to_onnx", sabotaged_graph(flip_a_weight))
    assert main(["export", "pix2pix", "-o", str(exported), "--runs", str(runs)]) == 4
    assert "at most 0.0001 is allowed" in capfd.readouterr().err
    assert before == {path: path.read_bytes() for path in exported.parent.iterdir()}


@pytest.mark.parametrize("before", [False, True], ids=["nothing there", "an older export there"])
def test_a_full_disk_leaves_all_as_it_was(runs, tmp_path, monkeypatch, before):
    def no_room_for_the_last(path, content):
        calls.append(path)
        if len(calls) == len(FILES):
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_bytes(content)

    calls = []
    if before:
        pipelines.export("pix2pix", out=tmp_path / "x.onnx", runs=runs, console=QUIET)
    old = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(export_folder, "write_through", no_room_for_the_last)
    with pytest.raises(StorageError, match="No space left"):
        pipelines.export("pix2pix", out=tmp_path / "x.onnx", runs=runs, console=QUIET)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == old
    assert len(calls) == len(FILES)


def test_files_of_others_are_left_alone(runs, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    path = pipelines.export("pix2pix", out=tmp_path / "x.onnx", runs=runs, console=QUIET)
    assert (tmp_path / "README.md").read_text() == "mine"
    assert "pixturn run x.onnx" in (tmp_path / "x.md").read_text()
    (tmp_path / "manifest.json").write_text('{"name": "a web page"}')
    with pytest.raises(ConfigurationError, match=r"manifest\.json is not one of Pixturn's"):
        pipelines.export("pix2pix", out=path, runs=runs, console=QUIET)


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("nobody",), "no run or bundle", 4),
        (("pix2pix", "--direction", "BtoA"), "pix2pix has AtoB", 2),
        (("pix2pix", "-o", "x.pt"), "ends in .onnx", 2),
        (("pix2pix", "--pictures", "nowhere"), "there are no pictures in nowhere", 2),
    ],
)
def test_what_cannot_be_exported_says_what_to_do(arguments, words, code, runs, capfd):
    assert main(["export", *arguments, "--runs", str(runs)]) == code
    assert words in " ".join(capfd.readouterr().err.split())


def test_where_the_runs_pictures_are_gone_others_are_asked_for(root, runs, tmp_path):
    (root / "data").rename(root / "elsewhere")
    try:
        with pytest.raises(ConfigurationError, match="--pictures DIR"):
            pipelines.export("pix2pix", out=tmp_path / "x.onnx", runs=runs, console=QUIET)
        others = root / "elsewhere" / "valA"
        pipelines.export("pix2pix", out=tmp_path / "x.onnx", pictures=others, runs=runs, console=QUIET)
    finally:
        (root / "elsewhere").rename(root / "data")
    assert {path.name for path in tmp_path.iterdir()} == FILES


# The report's figures in the model card


def test_baselines_health_and_worst_pictures_come_from_the_runs_report(runs, tmp_path):
    folder = runs / "pix2pix"
    metric = Metric(name="L1", better="lower", pictures=2, unit="levels of 255")
    rows = (("AtoB: this model", 8.5, True), ("AtoB: the input itself", 31.25, False))
    pixels = np.zeros((2, 2, 3), np.uint8)
    report = Report(
        title="t",
        method="m",
        name="n",
        status="finished",
        started=None,
        minutes=1.0,
        verdicts=(Finding(severity="good", message="it wins"),),
        scores=ScoreTable(
            metrics=(metric,),
            rows=tuple(ScoreRow(name=name, values={"L1": Estimate(mean=mean)}, ours=ours) for name, mean, ours in rows),
        ),
        examples=tuple(
            Example(key=f"picture {score}", input=pixels, output=pixels, scores={"L1": float(score)})
            for score in range(5)
        ),
        health=(Finding(severity="warning", message="outputs repeat a grid", remedy="resample otherwise"),),
    )
    write_figures(folder / "report.json", report)
    try:
        figures = read_figures(folder / "report.json")
        assert figures.scores == report.scores
        assert [key for key, _, _ in figures.worst] == ["picture 4", "picture 3", "picture 2"]
        pipelines.export("pix2pix", out=tmp_path / "x.onnx", runs=runs, console=QUIET)
    finally:
        (folder / "report.json").unlink()
    text = (tmp_path / "README.md").read_text()
    assert "| **AtoB: this model** | 8.5 |" in text
    assert "| AtoB: the input itself | 31.25 |" in text
    assert "outputs repeat a grid (resample otherwise)" in text
    assert "`picture 4`, L1 4" in text
    assert "it wins" not in text
    assert read_figures(tmp_path / "none.json") is None
