"""The layout of a data set is found without being told, and what cannot be one is refused."""

import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from laid_out import PAIRS, keys, paths, put

from translate.data.layouts import find_layout, scan
from translate.data.pictures import read_picture
from translate.errors import DatasetError

# What people call the folders of A and B in train, validation and test.
NAMED = [
    ("trainA", "trainB", "valA", "valB", "testA", "testB"),
    ("traina", "trainb", "vala", "valb", "testa", "testb"),
    ("TRAIN_A", "TRAIN_B", "VAL_A", "VAL_B", "TEST_A", "TEST_B"),
    ("train_A", "train_B", "valid_A", "valid_B", "test_A", "test_B"),
    ("trainingA", "trainingB", "validA", "validB", "testingA", "testingB"),
    ("training_a", "training_b", "val_a", "val_b", "testing_a", "testing_b"),
    ("train-A", "train-B", "validationA", "validationB", "test-A", "test-B"),
    ("train/A", "train/B", "val/A", "val/B", "test/A", "test/B"),
    ("Train/a", "Train/b", "Validation/a", "Validation/b", "Test/a", "Test/b"),
    ("A/train", "B/train", "A/val", "B/val", "A/test", "B/test"),
    ("train/edges", "train/photos", "val/edges", "val/photos", "test/edges", "test/photos"),
    ("edges/train", "photos/train", "edges/val", "photos/val", "edges/test", "photos/test"),
]


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
@pytest.mark.parametrize("names", NAMED, ids=lambda names: names[0])
def test_two_folders_in_each_split(names, direction, tmp_path):
    for index, name in enumerate(names):
        put(tmp_path / name, *(f"{stem}-{index // 2}" for stem in PAIRS))
    layout = find_layout(tmp_path, direction=direction)
    assert list(layout.splits) == ["train", "validation", "test"]
    for index, split in enumerate(("train", "validation", "test")):
        folder_a, folder_b = names[2 * index : 2 * index + 2]
        if direction == "BtoA":
            folder_a, folder_b = folder_b, folder_a
        stems = sorted(f"{stem}-{index}" for stem in PAIRS)
        assert layout.splits[split].paired
        assert keys(layout, split, "a") == keys(layout, split, "b") == stems
        assert paths(layout, split, "a") == [f"{folder_a}/{stem}.png" for stem in stems]
        assert paths(layout, split, "b") == [f"{folder_b}/{stem}.png" for stem in stems]
        assert f"4 {split if split != 'train' else 'training'} pairs in" in layout.description


def test_pairs_are_by_stem_where_sort_order_would_mispair(tmp_path):
    """Sorted by file name, `a.png` comes before `a-1.png`, but `a.jpg` after `a-1.jpeg`: orders differ."""
    put(tmp_path / "trainA", "a.png", "a-1.png", "b.bmp", "10.png", "9.png")
    put(tmp_path / "trainB", "a-1.webp", "b.jpg", "9.tiff", "10.jpeg", "a.jpg")
    layout = find_layout(tmp_path)
    assert keys(layout, "train", "a") == keys(layout, "train", "b") == ["10", "9", "a", "a-1", "b"]
    for a, b in zip(paths(layout, "train", "a"), paths(layout, "train", "b"), strict=True):
        assert Path(a).stem == Path(b).stem
    assert layout.description == "paired by stem: 5 training pairs in trainA and trainB"


def test_a_missing_partner_shifts_nothing_and_is_left_out(tmp_path):
    put(tmp_path / "trainA", *(f"{index:02d}" for index in range(20)))
    put(tmp_path / "trainB", *(f"{index:02d}" for index in range(20) if index != 3))
    layout = find_layout(tmp_path)
    assert keys(layout, "train", "a") == keys(layout, "train", "b")
    assert len(layout.splits["train"]) == 19
    assert "1 picture without a partner left out" in layout.description
    assert "03" in scan(tmp_path).of("train", "a")[0].listing.pictures


@pytest.mark.parametrize(
    ("common", "paired", "unclear"), [(20, True, False), (18, True, False), (17, False, True), (2, False, False)]
)
def test_nine_tenths_of_the_stems_make_pairs(common, paired, unclear, tmp_path):
    put(tmp_path / "photos", *(f"{index:02d}" for index in range(20)))
    put(tmp_path / "paintings", *(f"{index:02d}" for index in range(20 - common, 40 - common)))
    layout = find_layout(tmp_path)
    assert layout.splits["train"].paired is paired
    assert ("if these are pairs" in layout.description) is unclear
    assert paths(layout, "train", "a")[0].startswith("paintings/")
    assert len(find_layout(tmp_path, paired=True).splits["train"]) == common
    told = find_layout(tmp_path, paired=False)
    assert len(told.splits["train"]) == 20
    assert "if these are pairs" not in told.description


def test_pairing_can_be_hidden(tmp_path):
    put(tmp_path / "trainA", *PAIRS)
    put(tmp_path / "trainB", *PAIRS)
    layout = find_layout(tmp_path, paired=False)
    assert not layout.splits["train"].paired
    assert layout.description == "unpaired: 4 training pictures in trainA and 4 training pictures in trainB"


def test_unpaired_domains_of_unequal_size(tmp_path):
    put(tmp_path / "trainA", *(f"a{index}" for index in range(7)))
    put(tmp_path / "trainB", *(f"b{index}" for index in range(3)))
    put(tmp_path / "testA", "a7")
    layout = find_layout(tmp_path, direction="BtoA")
    assert len(layout.splits["train"]) == 7
    assert keys(layout, "train", "a") == ["b0", "b1", "b2"]
    assert list(layout.splits["test"].domains) == ["b"]
    assert "BtoA" in layout.description


@pytest.mark.parametrize(
    ("train_b", "told", "paired"),
    [(("u", "v", "w"), None, True), (("u", "v", "w"), False, False), (("p", "q", "w"), None, False)],
    ids=["a truth", "told that there are none", "perhaps just numbered alike"],
)
def test_unpaired_training_may_have_a_paired_test_split(train_b, told, paired, tmp_path):
    put(tmp_path / "trainA", "p", "q", "r")
    put(tmp_path / "trainB", *train_b)
    put(tmp_path / "testA", "x", "y")
    put(tmp_path / "testB", "y", "x")
    layout = find_layout(tmp_path, paired=told)
    assert not layout.splits["train"].paired
    assert layout.splits["test"].paired is paired
    assert ("2 test pairs in testA and testB" in layout.description) is paired


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_side_by_side(direction, tmp_path):
    for split in ("train", "val", "test"):
        put(tmp_path / split, "1", "2", "3", size=(16, 8))
    layout = find_layout(tmp_path, direction=direction)
    assert list(layout.splits) == ["train", "validation", "test"]
    halves = ("left", "right") if direction == "AtoB" else ("right", "left")
    for split in layout.splits.values():
        assert split.paired
        for domain, half in zip("ab", halves, strict=True):
            assert [item.sources[0].half for item in split.domains[domain]] == [half] * 3
    assert layout.description.startswith("side by side: 3 training pairs in train, 3 validation pairs in val")
    assert not find_layout(tmp_path, paired=False).splits["train"].paired


def test_split_folders_of_other_shapes_are_one_domain_unless_said_to_be_paired(tmp_path):
    put(tmp_path / "train", "1", "2", size=(18, 8))
    put(tmp_path / "test", "3", size=(18, 8))
    layout = find_layout(tmp_path)
    assert {name: list(split.domains) for name, split in layout.splits.items()} == {"train": ["a"], "test": ["a"]}
    assert layout.description == "one domain: 2 training pictures in train, 1 test picture in test"
    assert find_layout(tmp_path, paired=True).splits["train"].domains["b"][0].sources[0].half == "right"


@pytest.mark.parametrize("folder", [".", "trainA"])
def test_pictures_that_are_not_wider_than_high_are_never_cut_in_two(folder, tmp_path):
    put(tmp_path / folder, *(str(index) for index in range(12)), size=(8, 8))
    put(tmp_path / folder, "wide", size=(16, 8))
    with pytest.raises(DatasetError, match=r"not twice as wide as high \(8 x 8\): point --data at the folder"):
        find_layout(tmp_path / folder, paired=True)


def test_a_few_odd_or_broken_pictures_do_not_hide_side_by_side(tmp_path):
    put(tmp_path / "train", *(str(index) for index in range(30)), size=(16, 8))
    put(tmp_path / "train", "odd", size=(9, 8))
    (tmp_path / "train/broken.png").write_bytes(b"broken")
    assert find_layout(tmp_path).splits["train"].paired


def test_one_folder_is_one_domain(tmp_path):
    put(tmp_path / "set", *PAIRS)
    for root in (tmp_path / "set", tmp_path):
        layout = find_layout(root)
        assert keys(layout, "train", "a") == sorted(PAIRS)
        assert layout.description == "one domain: 4 training pictures in set"


def test_a_lone_folder_of_wide_pictures_stays_one_domain_and_it_is_said(tmp_path):
    put(tmp_path, "1", "2", size=(16, 8))
    layout = find_layout(tmp_path)
    assert list(layout.splits["train"].domains) == ["a"]
    assert "side by side" in layout.description


def test_a_lone_folder_of_wide_pictures_is_cut_in_two_only_for_pairs(tmp_path):
    put(tmp_path, "1", "2", size=(16, 8))
    assert list(find_layout(tmp_path, paired=False).splits["train"].domains) == ["a"]
    assert list(find_layout(tmp_path, paired=True).splits["train"].domains) == ["a", "b"]


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_several_pictures_in_one_sample(direction, tmp_path):
    for name in ("trainA", "trainA2", "trainA3", "trainB"):
        put(tmp_path / name, "1", "2", *(["3"] if name != "trainA2" else []))
    ports = {"a_ports": 3, "b_ports": 1} if direction == "AtoB" else {"a_ports": 1, "b_ports": 3}
    layout = find_layout(tmp_path, direction=direction, paired=True, **ports)
    many, one = ("a", "b") if direction == "AtoB" else ("b", "a")
    assert paths(layout, "train", many)[:3] == ["trainA/1.png", "trainA2/1.png", "trainA3/1.png"]
    assert paths(layout, "train", one) == ["trainB/1.png", "trainB/2.png"]
    fewer = find_layout(tmp_path)
    assert "not used: trainA2, trainA3" in fewer.description
    with pytest.raises(DatasetError, match="trainB2"):
        find_layout(tmp_path, b_ports=2)


def test_keys_are_normalised_and_hidden_files_passed_over(tmp_path):
    composed, decomposed = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    put(tmp_path / "trainA", composed, ".hidden.png", "x.y.png")
    put(tmp_path / "trainB", decomposed, "x.y.jpg")
    put(tmp_path / "__MACOSX", "noise")
    layout = find_layout(tmp_path)
    assert keys(layout, "train", "a") == keys(layout, "train", "b") == ["x.y", composed]


def test_linked_folders_are_followed_once(tmp_path):
    put(tmp_path / "elsewhere", *PAIRS)
    root = tmp_path / "set"
    root.mkdir()
    (root / "trainA").symlink_to(tmp_path / "elsewhere")
    put(root / "trainB", *PAIRS)
    (root / "trainB/loop").symlink_to(root)
    (root / "trainB/self").symlink_to(root / "trainB")
    assert keys(find_layout(root), "train", "b") == sorted(PAIRS)


def _lonely(root: Path) -> None:
    put(root / "trainA", "1")


def _empty_domain(root: Path) -> None:
    put(root / "trainA", "1")
    (root / "trainB").mkdir()


def _empty_other(root: Path) -> None:
    put(root / "photos", "1")
    (root / "paintings").mkdir()


def _three(root: Path) -> None:
    for name in ("x", "y", "z"):
        put(root / name, "1")


def _twice(root: Path) -> None:
    for name in ("trainA", "train_A", "trainB"):
        put(root / name, "1")


def _text(root: Path) -> None:
    (root / "notes.txt").write_text("nothing")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_lonely, "trainB"),
        (_empty_domain, "trainB: holds no picture"),
        (_empty_other, "paintings: holds no picture"),
        (_three, "x/, y/, z/"),
        (_twice, "train_A"),
        (_text, "1 files that are not pictures"),
    ],
)
def test_refusals_say_what_was_found(make, words, tmp_path):
    make(tmp_path)
    with pytest.raises(DatasetError) as caught:
        find_layout(tmp_path)
    assert words in str(caught.value)


def test_refused_without_a_single_pair_or_folder(tmp_path):
    put(tmp_path / "trainA", "1")
    put(tmp_path / "trainB", "2")
    with pytest.raises(DatasetError, match="partner of the same name"):
        find_layout(tmp_path, paired=True)
    with pytest.raises(DatasetError, match="no such folder"):
        find_layout(tmp_path / "nowhere")


def test_what_serves_imports_no_torch():
    modules = "translate.data.pictures, translate.data.holdout, translate.data.doctor, pipelines.check"
    code = f"import {modules}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_layout_reads_back(tmp_path):
    put(tmp_path / "train", "1", size=(16, 8))
    item = find_layout(tmp_path).splits["train"].domains["b"][0]
    assert read_picture(item.sources[0]).shape == (8, 8, 3)
    assert read_picture(item.sources[0]).dtype == np.uint8
