"""The worked example of CONTRIBUTING.md is run: its own test, the generic ones, and from training to a picture."""

import importlib
import importlib.util
import inspect
import itertools
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import test_methods
import test_methods_deploys
import test_methods_fakes
import test_methods_kept
from PIL import Image
from tiny import photograph, tiny_recipe

import pipelines.methods
from pipelines import load, resume, train
from pipelines.methods import method_class, method_names
from pipelines.recipes import recipe_named
from pipelines.training import Setting
from translate.data.pool import ReplayPool
from translate.recipe import Length, Validation
from translate.storage.shelf import Shelf

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```python file=(\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
(METHOD_FILE,) = (name for name in BLOCKS if name.startswith("pipelines/methods/"))
(TEST_FILE,) = (name for name in BLOCKS if name.startswith("tests/test_formulas_"))
NAME = Path(METHOD_FILE).stem


@pytest.fixture(autouse=True, scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The documented file lies where methods are looked for, as if it were in the package."""
    assert NAME not in method_names(), "the example has become a method: show another one"
    folder = tmp_path_factory.mktemp("methods")
    (folder / f"{NAME}.py").write_text(BLOCKS[METHOD_FILE], encoding="utf-8")
    pipelines.methods.__path__.append(str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        pipelines.methods.__path__.remove(str(folder))
        sys.modules.pop(f"pipelines.methods.{NAME}", None)
        vars(pipelines.methods).pop(NAME, None)


def test_the_method_is_found_by_looking():
    assert NAME in method_names()
    assert recipe_named(NAME).method == NAME
    assert method_class(NAME).__module__ == f"pipelines.methods.{NAME}"


@pytest.mark.parametrize("file", BLOCKS)
@pytest.mark.parametrize("command", [["check"], ["format", "--check", "--diff"]], ids=lambda command: command[0])
def test_the_documented_files_pass_the_linter(file: str, command: list[str]):
    arguments = [sys.executable, "-m", "ruff", *command, "--stdin-filename", file, "-"]
    done = subprocess.run(arguments, cwd=ROOT, input=BLOCKS[file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def documented_tests() -> list[str]:
    return re.findall(r"^def (test_\w+)\(\)", BLOCKS[TEST_FILE], re.MULTILINE)


@pytest.fixture(scope="module")
def formulas(documented: None, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    file = tmp_path_factory.mktemp("formulas") / Path(TEST_FILE).name
    file.write_text(BLOCKS[TEST_FILE], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("test", documented_tests())
def test_its_own_test_passes(formulas: ModuleType, test: str):
    getattr(formulas, test)()


def test_its_own_test_notices_a_wrong_weight(formulas: ModuleType, monkeypatch: pytest.MonkeyPatch):
    recipe = formulas.RECIPE
    monkeypatch.setattr(formulas, "RECIPE", replace(recipe, config=replace(recipe.config, brightness_weight=9.0)))
    with pytest.raises(AssertionError):
        formulas.test_generators_terms()


GENERIC = {
    name: check
    for module in (test_methods, test_methods_deploys, test_methods_fakes, test_methods_kept)
    for name, check in vars(module).items()
    if name.startswith("test_") and "name" in inspect.signature(check).parameters
}


def test_the_generic_tests_are_there():
    assert len(GENERIC) > 10


@pytest.mark.parametrize("check", GENERIC.values(), ids=GENERIC.keys())
def test_it_passes_every_generic_test(check: Callable[..., None], tmp_path: Path):
    for number, values in enumerate(combinations(check)):
        folder = tmp_path / str(number)
        folder.mkdir()
        more = {"tmp_path": folder} if "tmp_path" in inspect.signature(check).parameters else {}
        check(name=NAME, **values, **more)


def combinations(check: Any) -> Iterator[Mapping[str, Any]]:
    """The values by which a generic test is parametrised, beside the name of the recipe."""
    marks = [mark.args for mark in check.pytestmark if mark.name == "parametrize" and mark.args[0] != "name"]
    names = [name for name, _ in marks]
    for values in itertools.product(*(values for _, values in marks)):
        yield dict(zip(names, values, strict=True))


def write_pictures(root: Path) -> None:
    """Crops of a photograph: dark ones in A, bright ones elsewhere from it in B."""
    pixels = photograph("astronaut")
    for split, count in (("train", 16), ("test", 4)):
        for domain in "AB":
            (root / f"{split}{domain}").mkdir(parents=True)
            for index in range(count):
                top = 5 * index + (80 if split == "test" else 0)
                crop = pixels[top : top + 32, :32] // 2 if domain == "A" else pixels[top : top + 32, 64:96]
                Image.fromarray(crop).save(root / f"{split}{domain}" / f"{domain.lower()}{index}.png")


def test_it_trains_resumes_reports_and_translates(tmp_path: Path):
    write_pictures(tmp_path / "data")
    setting = Setting(device="cpu", workers=0, runs=tmp_path / "runs", check=False)
    validation = Validation(every_images=4, fraction=0.4, best=recipe_named(NAME).validation.best)
    recipe = tiny_recipe(NAME, length=Length(images=8), average_half_life_images=4.0, validation=validation)
    run = train(recipe, tmp_path / "data", name="documented", setting=setting)

    newest = Shelf(run.snapshots).newest()
    assert newest.documents["progress"]["images"] == 8
    assert int(newest.tensors["networks"]["pool.filled"]) == 3, "the pool is part of the checkpoint"
    assert newest.documents["standing"]["metric"] == "kid"
    assert newest.documents["standing"]["images"] in Shelf(run.snapshots).all()
    assert "AtoB" in run.report.read_text(encoding="utf-8")
    assert resume("documented", setting) == run, "a finished run has nothing left to do"

    picture = Image.fromarray(photograph("astronaut")[:45, :70])
    made = load(run.path, device="cpu")(picture)
    assert made.size == picture.size
    assert np.asarray(made).std() > 0
    assert isinstance(method_class(NAME)(recipe.config, recipe.spec()).pool, ReplayPool)
