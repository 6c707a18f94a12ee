"""`pixturn bench MODEL`: every engine that is there, how far off it is, and the command line that is recommended."""

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tyro
from tiny_onnx import EIGHTS, card, graph_of, helper, negative, saved, with_sidecar

from pipelines.benching import machine as machines
from pipelines.benching.machine import Machine
from pipelines.benching.models import ways as model_ways
from pipelines.benching.models.closeness import bar_of
from pipelines.benching.models.measuring import ModelOptions, compare_ways
from pipelines.benching.models.results import ModelResults, Row, Stream
from pipelines.benching.models.subjects import Samples
from pipelines.benching.models.telling import advice, command
from pipelines.benching.models.ways import Way, model_named, with_siblings
from pipelines.benching.timing import summary
from pipelines.commands.bench import is_model
from pipelines.commands.generate import GenerateOptions
from pipelines.commands.run import RunOptions
from pipelines.commands.upscale import UpscaleOptions
from pipelines.generating.generate import BATCH
from translate.errors import ConfigurationError, ModelError
from translate.export.agreement import compare_numbers
from translate.runtime.peek import peek_card
from translate.runtime.pixels import to_network


class Watching:
    """Never stops."""

    def expect(self, words, units):
        assert units >= 0

    def advance(self, units):
        pass

    def asks_to_stop(self):
        return False


@pytest.fixture
def approved(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXTURN_CACHE", str(tmp_path / "cache"))
    return with_sidecar(negative(tmp_path / "tiny.onnx"))


def test_siblings_are_the_same_model_in_another_form(approved):
    folder = approved.parent
    for name, changes in {
        "int8": {"precision": "int8"},
        "again": {},
        "other": {"precision": "int8", "images_seen": 7},
    }.items():
        negative(folder / f"{name}.onnx", card(**changes).to_json())
    assert [path.name for path in with_siblings(approved)] == ["tiny.onnx", "int8.onnx"]


def options(**changes):
    return ModelOptions(**({"sizes_px": (16,), "batches": (2,), "rounds": 1, "fresh": False} | changes))


def test_every_engine_that_is_there_is_measured_and_agrees(approved):
    results = compare_ways(str(approved), options(), Watching())
    assert [row.way.words for row in results.rows][:2] == ["ONNX Runtime fp32", "OpenVINO fp32"]
    for row in results.rows:
        assert row.single[16].median_sec > 0
        assert row.stream[16].batch in (1, 2)
        assert row.beyond == ()
    assert "Fastest for one picture" in "\n".join(advice(results))


def test_broken_control_a_model_that_is_off_is_not_recommended(approved):
    off = graph_of(
        [helper.make_node("Add", ["a", "half"], ["b"])],
        [("a",)],
        [("b",)],
        [helper.make_tensor("half", 1, [1], [0.5])],
    )
    saved(approved.with_name("int8.onnx"), off, card(precision="int8").to_json())
    results = compare_ways(str(approved), options(), Watching())
    row = next(row for row in results.rows if row.way.words == "ONNX Runtime int8")
    assert row.beyond
    quick = replace(row, single={16: summary([1e-9])}, stream={16: Stream(batch=1, pictures_per_sec=1e9)})
    faked = replace(results, rows=[quick if each is row else each for each in results.rows])
    assert faked.quickest != quick != faked.most
    assert "is not recommended" in "\n".join(advice(faked))


def test_a_file_of_an_engine_that_fails_is_a_line(approved):
    damaged = negative(approved.with_name("int8.onnx"), card(precision="int8").to_json())
    with_sidecar(damaged)
    damaged.write_bytes(damaged.read_bytes().replace(b"Neg", b"Nag"))
    results = compare_ways(str(approved), options(), Watching())
    assert any("ONNX Runtime int8" in line and "damaged" in line for line in results.failed)
    assert {"ONNX Runtime fp32", "OpenVINO fp32"} <= {row.way.words for row in results.rows}


def test_the_fresh_process_says_when_the_first_picture_was_there(approved):
    found = [Way(name=str(approved), words="ONNX Runtime fp32", device="cpu")]
    assert found[0].open().card.name == "tiny"
    results = compare_ways(str(approved), options(fresh=True), Watching())
    fresh = results.rows[0].fresh
    assert 0.05 < fresh.first_picture_sec < 60
    assert 20 < fresh.memory_mb < 2000


def made_up(words, seconds, *, batch=4, device="cpu", beyond=(), task="translate"):
    way = Way(name="m.onnx", words=words, device=device)
    return Row(
        way=way,
        card=replace(card(size=EIGHTS), task=task),
        load_sec=0.1,
        single={px: summary([taken]) for px, taken in seconds.items()},
        stream={px: Stream(batch=batch, pictures_per_sec=2 / taken) for px, taken in seconds.items()},
        beyond=beyond,
    )


def test_the_fastest_engine_of_an_injected_table_is_recommended():
    rows = [
        made_up("slow", {256: 1.0, 512: 4.0}),
        made_up("fast", {256: 0.3, 512: 1.0}, device="openvino"),
        made_up("faster and off", {256: 0.1, 512: 0.1}, beyond=("far off",)),
    ]
    results = ModelResults(model="m.onnx", picture="a picture", sizes_px=(256, 512), rows=rows)
    assert results.quickest.way.words == results.most.way.words == "fast"
    assert command(results.quickest, is_folder=False) == "pixturn run m.onnx PICTURE -o OUT --device openvino"
    assert results.gain(rows[1], 512) == 4.0


@pytest.mark.parametrize("is_folder", [False, True])
@pytest.mark.parametrize(("task", "kind"), [("translate", RunOptions), ("upscale", UpscaleOptions)])
@pytest.mark.parametrize("way", ["cpu", "cuda", "tensorrt", "openvino fp32", "openvino bf16"])
def test_the_recommended_line_is_what_run_and_upscale_understand(way, task, kind, is_folder):
    device, _, compute = way.partition(" ")
    row = made_up("w", {256: 1.0}, batch=8, task=task)
    row = replace(row, way=replace(row.way, device=device, compute=compute or "fp32"))
    words = shlex.split(command(row, is_folder=is_folder))
    assert words[:2] == ["pixturn", {"translate": "run", "upscale": "upscale"}[task]]
    handling = tyro.cli(kind, args=words[2:]).handling
    assert (handling.device, handling.compute) == (device, compute or "fp32")
    assert handling.batch == (8 if is_folder else None)


@pytest.mark.parametrize(("levels", "passes"), [(0, (True, True, True)), (1, (False, True, True)), (40, (False,) * 3)])
def test_bars_of_each_precision(levels, passes):
    ports, grey = card().output_pictures, np.full((8, 8, 3), 100, np.uint8)
    made, expected = ({"b": to_network(pixels, ports[0])} for pixels in (grey + np.uint8(levels), grey))
    agreement = compare_numbers(made, expected, ports)
    bars = (bar_of(card(), "fp32"), bar_of(card(), "bf16"), bar_of(card(precision="int8"), "fp32"))
    assert tuple(not list(agreement.beyond(bar)) for bar in bars) == passes
    assert agreement.levels == levels


def test_a_gpu_engine_that_cannot_start_is_told(approved, monkeypatch):
    monkeypatch.setattr(model_ways, "has_driver", lambda: True)
    found, missing = model_ways.ways(model_named(str(approved)))
    assert all(way.device not in ("cuda", "tensorrt") for way in found)
    assert any(line.startswith("--device cuda") for line in missing)


def test_the_command_measures_a_model_without_torch(approved, tmp_path):
    file = tmp_path / "figures.json"
    line = [
        "bench",
        str(approved),
        "--sizes-px",
        "16",
        "--batches",
        "1",
        "--rounds",
        "1",
        "--no-fresh",
        "--json",
        str(file),
    ]
    code = (
        f"import sys; from pipelines.cli import main; code = main({line!r}); "
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "pixturn run" in done.stdout.splitlines()[-1]
    document = json.loads(file.read_text())
    assert document["machine"]["cores"] >= 1
    assert {"engine", "median_sec", "stream_pictures_per_sec"} <= set(document["measured"][0]["rows"][0])
    assert document["measured"][0]["fastest_folder"] in done.stdout


def test_a_name_of_both_means_the_recipe_and_a_path_the_bundle(tmp_path):
    assert not is_model("colourise")
    assert is_model("checkpoints/colourise")
    assert is_model("lineart")
    assert is_model("anything.onnx")
    assert not is_model("pix2pix", tmp_path)


@pytest.mark.parametrize("bundle", ["emoji", "fashion"])
def test_a_generator_is_timed_at_its_own_size_and_engines_agree(bundle):
    results = compare_ways(f"checkpoints/{bundle}", options(sizes_px=None), Watching())
    side_px = peek_card(Path(f"checkpoints/{bundle}/{bundle}.onnx")).outputs[0].height_px
    assert [row.way.words for row in results.rows] == ["ONNX Runtime fp32", "OpenVINO fp32"]  # no --compute to run bf16
    assert list(results.sizes_px) == [side_px]
    assert all(set(row.single) == {side_px} and row.beyond == () for row in results.rows)
    assert results.rows[1].agreement.difference > 0


def test_broken_control_a_generator_that_is_off_is_not_recommended(monkeypatch):
    numbers = Samples.numbers
    monkeypatch.setattr(Samples, "numbers", lambda self, px: off_by(numbers(self, px), self))
    results = compare_ways("checkpoints/fashion", options(sizes_px=None), Watching())
    assert [bool(row.beyond) for row in results.rows] == [False, True]


def off_by(arrays, samples):
    shift = 0.01 if "openvino" in samples._generate.device.lower() else 0.0
    return {name: array + np.float32(shift) for name, array in arrays.items()}


@pytest.mark.parametrize("is_folder", [False, True])
def test_the_line_for_a_generator_is_what_generate_understands(is_folder):
    row = made_up("w", {64: 1.0}, batch=16, task="generate", device="openvino")
    words = shlex.split(command(row, is_folder=is_folder))
    assert words[:2] == ["pixturn", "generate"]
    parsed = tyro.cli(GenerateOptions, args=words[2:])
    assert (parsed.device, parsed.n) == ("openvino", None if is_folder else 1)
    assert parsed.batch == (16 if is_folder else BATCH)


NOT_FOR_IT = {
    "a bundle has one direction": (
        "checkpoints/x2",
        {"direction": "BtoA"},
        "--direction BtoA: checkpoints/x2 holds one",
    ),
    "noise is no picture": (
        "checkpoints/fashion",
        {"picture": Path("checkpoints/x2/example.jpg"), "sizes_px": None},
        "--picture: checkpoints/fashion makes samples",
    ),
    "it has one size": ("checkpoints/fashion", {"sizes_px": (512,)}, "--sizes-px: checkpoints/fashion makes samples"),
}


@pytest.mark.parametrize(("name", "changes", "words"), NOT_FOR_IT.values(), ids=NOT_FOR_IT)
def test_options_that_would_change_nothing_are_refused(name, changes, words):
    with pytest.raises(ConfigurationError, match=words):
        compare_ways(name, options(**changes), Watching())


def test_a_file_that_is_not_there_is_told_before_its_direction():
    with pytest.raises(ModelError, match="does not exist"):
        model_named("none.onnx", direction="BtoA")


def test_options_refuse_numbers_that_cannot_be():
    with pytest.raises(ConfigurationError, match="sizes-px"):
        ModelOptions(sizes_px=())
    with pytest.raises(ConfigurationError, match="rounds"):
        ModelOptions(rounds=0)


def test_a_busy_machine_is_told():
    assert Machine(processor="x", cores=2, load=0.1).warning is None
    assert "load average 3.0" in Machine(processor="x", cores=2, load=3.0).warning


def test_the_load_is_read_from_the_system(monkeypatch):
    monkeypatch.setattr(machines.os, "getloadavg", lambda: (7.0, 0.0, 0.0))
    assert Machine.now().load == 7.0


def test_without_torch_a_recipe_is_refused_in_clear_words():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'torch' else find(name, *rest)\n"
        "from pipelines.cli import main; sys.exit(main(['bench', 'pix2pix']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "torch" in done.stderr
    assert "pip install" in done.stderr
