"""What people install: the wheel, its requirements, and the small runtime without torch."""

import importlib
import shutil
import subprocess
import sys
import types
import venv
import zipfile
from email import message_from_string
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from PIL import Image

from pipelines.runs import bundles

ROOT = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "app.py", "checkpoints", "translate", "pipelines")
SHIPPED = "pixturn-0.1.0.data/data/share/pixturn/"
HEAVY = {"torch", "torchvision", "kornia", "albumentations", "onnxruntime", "onnxruntime-gpu", "gradio", "scipy"}
TRAIN = {"torch", "torchvision", "kornia", "albumentations", "torchmetrics", "tensorboard"}

# What has known holes below (reliability: pictures, models, and what serves them).
FLOORS = {
    "brotli": ">=1.2.1",
    "gradio": ">=6.31,<7",
    "onnx": ">=1.22",
    "onnxruntime": ">=1.31",
    "onnxruntime-gpu": ">=1.31",
    "pillow": ">=12.3,<13",
    "python-multipart": ">=0.0.31",
    "safetensors": ">=0.8",
    "starlette": ">=1.0.1",
    "torch": ">=2.10",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that nothing is left in the tree, with the setuptools that is installed."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            # A developer's own runs lie in checkpoints too, and can be large.
            shutil.copytree(
                source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "snapshots", "tensorboard")
            )
        else:
            shutil.copy(source, copy)
    command = [sys.executable, "-m", "pip", "wheel", copy, "--no-deps", "--no-build-isolation", "-w", out]
    built = subprocess.run([*map(str, command), "--quiet"], capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    return next(out.glob("pixturn-*.whl"))


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel, names):
    with zipfile.ZipFile(wheel) as archive:
        return message_from_string(archive.read(next(name for name in names if name.endswith("/METADATA"))).decode())


def requirements(metadata, extra: str = "") -> dict[str, Requirement]:
    """What an install asks for, with or without one extra."""
    every = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    return {
        each.name: each
        for each in every
        if (each.marker is None) == (extra == "") and (each.marker is None or each.marker.evaluate({"extra": extra}))
    }


def test_the_wheel_holds_the_two_packages_and_nothing_else(names):
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"translate", "pipelines", "pixturn"}
    here = {
        path.relative_to(ROOT).as_posix()
        for package in ("translate", "pipelines")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here == {name for name in names if not name.startswith("pixturn-")}
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.parametrize("folder", ["pipelines/report/assets", "pipelines/page/assets", "pipelines/examples"])
def test_data_of_packages_is_inside(names, folder):
    data = {f"{folder}/{path.name}" for path in (ROOT / folder).iterdir() if path.suffix in {".css", ".js", ".tsv"}}
    assert data
    assert data <= names


def test_the_page_and_the_bundles_are_inside_and_no_run_is(names):
    inside = {name.removeprefix(SHIPPED) for name in names if name.startswith(SHIPPED)}
    models = {path.relative_to(ROOT).as_posix() for path in bundles(ROOT / "checkpoints")}
    assert len(models) >= 6
    assert models | {f"{model}.sha256" for model in models} <= inside
    assert {"app.py", "checkpoints/ATTRIBUTION.tsv", "checkpoints/README.md"} <= inside
    kept = {Path(model).parts[1] for model in models} | {"ATTRIBUTION.tsv", "README.md"}
    assert {Path(name).parts[1] for name in inside if name != "app.py"} == kept


def test_an_install_without_extras_is_small(metadata):
    assert set(requirements(metadata)) == {"numpy", "pillow", "rich", "safetensors", "tyro"}


def test_extras_add_the_rest(metadata):
    assert set(metadata.get_all("Provides-Extra")) == {
        *("train", "cpu", "gpu", "openvino", "restore", "app", "examples", "video", "dev", "all")
    }
    assert set(requirements(metadata, "train")) >= TRAIN
    assert set(requirements(metadata, "cpu")) == {"onnx", "onnxruntime"}
    assert set(requirements(metadata, "gpu")) == {"onnx", "onnxruntime-gpu"}
    assert "gradio" in requirements(metadata, "app")
    # The two overwrite each other's files.
    assert not set(requirements(metadata, "train")) & {"onnxruntime", "onnxruntime-gpu"}
    assert requirements(metadata, "all")["pixturn"].extras == {"train", "gpu", "restore", "app", "examples", "video"}


@pytest.mark.parametrize("name", ["pillow", "safetensors", "torch", "gradio", "onnxruntime", "onnxruntime-gpu"])
def test_requirements_are_at_their_floors(metadata, name):
    """A version just below the floor is one that the requirement refuses too."""
    asked = next(Requirement(line) for line in metadata.get_all("Requires-Dist") if Requirement(line).name == name)
    floor = next(each.version for each in SpecifierSet(FLOORS[name]) if each.operator == ">=")
    *start, last = floor.split(".")
    assert asked.specifier.contains(floor) or "==" in str(asked.specifier)
    assert not asked.specifier.contains(".".join([*start, str(int(last) - 1)]))


@pytest.mark.parametrize("name", FLOORS)
def test_installed_versions_are_above_their_floors(name):
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    assert SpecifierSet(FLOORS[name]).contains(installed)


def test_constraints_pin_without_addresses():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            pin = Requirement(line)
            assert [each.operator for each in pin.specifier] == ["=="], line
            assert pin.url is None
            assert SpecifierSet(FLOORS.get(pin.name, "")).contains(next(iter(pin.specifier)).version)


@pytest.mark.parametrize("name", ["pipelines", "pipelines.training", "pipelines.report", "translate.data.doctor"])
def test_public_names_are_exactly_all(name):
    package = importlib.import_module(name)
    assert len(set(package.__all__)) == len(package.__all__)
    for public in package.__all__:
        assert getattr(package, public) is not None
    ours = {
        key
        for key, value in vars(package).items()
        if not key.startswith("_")
        and not isinstance(value, types.ModuleType)
        and getattr(value, "__module__", "typing") != "typing"
    }
    assert ours <= set(package.__all__)


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """The folder of programs of a fresh environment with the wheel and its base requirements."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    install = [programs / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel]
    subprocess.run([str(word) for word in install], check=True, timeout=600)
    return programs


@pytest.fixture
def pixturn(bare, tmp_path):
    def run(*arguments):
        command = [str(word) for word in (bare / "pixturn", *arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    return run


@pytest.mark.slow
def test_the_bare_environment_has_nothing_heavy(bare):
    listed = subprocess.run(
        [str(bare / "python"), "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    )
    installed = {line.partition("==")[0].lower() for line in listed.stdout.splitlines()}
    assert "pixturn" in installed
    assert not installed & HEAVY


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["list"], ["check", "--help"], ["run", "--help"]])
def test_what_needs_no_torch_answers_without_it(pixturn, arguments):
    answer = pixturn(*arguments)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout


@pytest.mark.slow
def test_shipped_models_are_found_outside_a_clone(pixturn, bare, tmp_path):
    answer = pixturn("list")
    assert all(name in answer.stdout for name in ("x2", "x4", "colourise", "inpaint", "lineart", "fashion", "emoji"))
    code = "from pipelines.shipped import shipped; print((shipped().parent / 'app.py').is_file(), shipped())"
    command = [str(bare / "python"), "-c", code]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert told.startswith("True")
    assert str(ROOT) not in told


@pytest.mark.slow
def test_check_works_without_torch(pixturn, tmp_path):
    for index in range(12):
        pixels = np.random.default_rng(index).integers(0, 256, (32, 32, 3), np.uint8)
        for domain, picture in (("trainA", 255 - pixels), ("trainB", pixels)):
            (tmp_path / "set" / domain).mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(tmp_path / "set" / domain / f"{index}.png")
    answer = pixturn("check", "set", "--crop-px", "32")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "paired by stem" in answer.stdout
    assert "pixturn[train]" in answer.stdout
    (tmp_path / "set" / "trainA" / "0.png").write_bytes(b"")
    assert pixturn("check", "set", "--crop-px", "32").returncode == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "extras"),
    [
        (["train", "pix2pix", "--data", ".", "--name", "x"], ["pixturn[train]"]),
        (["report", "x"], ["pixturn[train]"]),
        (["run", "model.onnx", "picture.png", "-o", "out.png"], ["pixturn[cpu]", "pixturn[gpu]"]),
        (["example", "openmoji", "there"], ["pixturn[examples]"]),
    ],
)
def test_what_is_missing_is_named_with_its_extra(pixturn, tmp_path, arguments, extras):
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    (tmp_path / "model.onnx").write_bytes(b"")
    answer = pixturn(*arguments)
    assert answer.returncode == 2
    assert all(extra in answer.stderr for extra in extras), answer.stderr
    assert "Traceback" not in answer.stderr
