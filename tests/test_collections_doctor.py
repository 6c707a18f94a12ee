"""The dataset doctor on collections: each illness is found where it was planted, and healthy data have none."""

import numpy as np
import pytest
from PIL import Image

from translate.card import FixedPicture, Vector
from translate.data.doctor import examine_collection

GREY = FixedPicture(name="x", channels=1, height_px=8, width_px=8)
RGB = FixedPicture(name="x", channels=3, height_px=8, width_px=8)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Healthy: two classes of 12 and 10 pictures of several sizes, and a test split."""
    for split, count in {"train": 12, "test": 3}.items():
        for label, name in enumerate("ab"):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(count - 2 * label):
                values = noise([label, number, count], 10 + number, 12, 3)
                Image.fromarray(values).save(tmp_path / split / name / f"{number}.png")
    return tmp_path


def codes(root, port=RGB, **options):
    return [(problem.code, problem.severity) for problem in examine_collection(root, port, **options)]


def copy(folder, source, target):
    (folder / target).write_bytes((folder / source).read_bytes())


def test_a_healthy_folder(folder):
    seen = []
    assert codes(folder, classes=2, on_progress=lambda *now: seen.append(now)) == []
    assert seen[-1] == (26, 26)


@pytest.mark.parametrize(
    ("illness", "expected"),
    [
        (lambda folder: (folder / "train/a/0.png").write_bytes(b""), ("zero_bytes", "error")),
        (
            lambda folder: (folder / "train/a/0.png").write_bytes((folder / "train/a/1.png").read_bytes()[:200]),
            ("truncated", "error"),
        ),
        (lambda folder: (folder / "train/a/notes.txt").write_text("x"), ("unread_extension", "warning")),
        (lambda folder: copy(folder, "train/a/0.png", "train/a/copy.png"), ("duplicate", "warning")),
        (lambda folder: copy(folder, "train/a/0.png", "train/b/copy.png"), ("two_classes", "warning")),
        (lambda folder: copy(folder, "train/a/0.png", "test/a/copy.png"), ("leak", "error")),
        (lambda folder: (folder / "train/b/9.png").unlink(), ("small_class", "warning")),
    ],
)
def test_illnesses_of_folders(folder, illness, expected):
    illness(folder)
    assert codes(folder, classes=2) == [expected]


def test_small_pictures_are_told_only_for_a_crop(folder):
    found = codes(folder, crop_px=12)
    assert set(found) == {("too_small", "warning")}
    assert len(found) == 7  # those of 10 and 11 px high: 2 of either class in training, 2 and 1 in testing
    assert codes(folder) == []


def test_what_cannot_be_used_is_a_problem_too(tmp_path):
    [problem] = examine_collection(tmp_path, RGB, classes=2)
    assert (problem.code, problem.severity) == ("layout", "error")
    assert problem.fix


def arrays(folder, train, test, **more):
    np.savez(folder / "train.npz", x=train, **more)
    np.savez(folder / "test.npz", x=test)


def test_arrays(tmp_path):
    train, test = noise(0, 30, 8, 8), noise(1, 5, 8, 8)
    arrays(tmp_path, train, test, y=np.arange(30) % 3)
    assert codes(tmp_path, GREY) == []
    train[7] = train[4]
    test[2] = train[1]
    arrays(tmp_path, train, test, y=np.where(np.arange(30) < 29, np.arange(30) % 2, 2))
    leak, small, two = examine_collection(tmp_path, GREY)
    assert (leak.code, small.code, two.code) == ("leak", "small_class", "two_classes")
    assert "the class 2 has 1" in small.message
    assert "classes 0 and 1" in two.message
    assert "sample 1 of train" in leak.message
    assert "sample 2 of test" in leak.message
    assert leak.paths == (tmp_path / "train.npz", tmp_path / "test.npz")


def test_blank_pictures_and_points_may_repeat(tmp_path):
    arrays(tmp_path, np.zeros((12, 8, 8), np.uint8), np.zeros((2, 8, 8), np.uint8))
    assert codes(tmp_path, GREY) == []
    arrays(tmp_path, np.ones((12, 2)), np.ones((3, 2)))
    assert codes(tmp_path, Vector(name="x", size=2)) == []
