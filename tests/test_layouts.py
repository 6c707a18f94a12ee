import hashlib
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.recipes import recipe_named
from pipelines.training.translation.data import Data, open_data
from translate.data.augmentation import Augmentation
from translate.data.domains import TwoDomains
from translate.data.holdout import hold_out
from translate.data.items import Item, Layout, Source, Split
from translate.data.layouts import find_layout, scan
from translate.data.pictures import read_picture
from translate.errors import ConfigurationError, DatasetError
from translate.recipe import Recipe, Validation

PAIRS = ("one", "two", "ten", "cat/deep")


def put(folder: Path, *names: str, size: tuple[int, int] = (8, 8)) -> None:
    """Pictures of one colour that is made from the name."""
    for name in names:
        path = folder / (name if "." in name else f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, tuple(hashlib.sha256(name.encode()).digest()[:3])).save(path)


def paths(layout: Layout, split: str, domain: str) -> list[str]:
    items = layout.splits[split].domains[domain]
    return [source.path.relative_to(layout.root).as_posix() for item in items for source in item.sources]


def keys(layout: Layout, split: str, domain: str) -> list[str]:
    return [item.key for item in layout.splits[split].domains[domain]]


# What people call the folders of A and B in train, validation and test.
NAMED = [
    ("trainA", "trainB", "valA", "valB", "testA", "testB"),
    ("traina", "trainb", "vala", "valb", "testa", "testb"),
    ("TRAIN_A", "TRAIN_B", "VAL_A", "VAL_B", "TEST_A", "TEST_B"),
    ("train_A", "train_B", "valid_A", "valid_B", "test_A", "test_B"),
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
        (_text, "1 files that are no pictures"),
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


def made(count: int, prefix: str = "", paired: bool = True, others: int = 0) -> Layout:
    def items(domain: str, number: int) -> tuple[Item, ...]:
        name = "" if paired else domain
        return tuple(
            Item(key=f"{prefix}{name}{index}", sources=(Source(path=Path(f"{domain}{index}.png")),))
            for index in range(number)
        )

    domains = {"a": items("a", count), "b": items("b", others or count)}
    splits = {"train": Split(domains=domains, paired=paired), "test": Split(domains=domains, paired=paired)}
    return Layout(root=Path("root"), splits=splits, description="made")


def held(layout: Layout, domain: str = "a") -> list[str]:
    return keys(layout, "validation", domain)


def test_pairs_stay_together_and_the_test_split_untouched():
    before = made(1000)
    after = hold_out(before, 0.1, 10_000)
    assert held(after, "a") == held(after, "b")
    assert sorted(held(after) + keys(after, "train", "a")) == sorted(keys(before, "train", "a"))
    assert keys(after, "train", "a") == keys(after, "train", "b")
    assert after.splits["test"] == before.splits["test"]
    assert 70 < len(held(after)) < 130  # binomial: 100, standard deviation 9.5
    assert hold_out(before, 0.1, 10_000) == after
    assert f"{len(held(after))} held out for validation" in after.description
    assert after.splits["validation"].paired


def test_more_pictures_move_no_other():
    small, large = hold_out(made(500), 0.1, 10_000), hold_out(made(900), 0.1, 10_000)
    assert [key for key in held(large) if int(key) < 500] == held(small)


def test_the_choice_is_the_stated_hash():
    digest = {
        key: hashlib.sha256(b"pixturn validation split\n" + key.encode()).digest() for key in map(str, range(300))
    }
    expected = [key for key in digest if int.from_bytes(digest[key][:8], "big") < 0.2 * 2**64]
    assert held(hold_out(made(300), 0.2, 10_000)) == expected
    lowest = sorted(expected, key=digest.__getitem__)[:7]
    assert sorted(held(hold_out(made(300), 0.2, 7))) == sorted(lowest)


def test_unpaired_domains_are_split_each_on_its_own():
    layout = hold_out(made(400, paired=False, others=50), 0.1, 20)
    assert len(held(layout, "a")) == 20
    assert 0 < len(held(layout, "b")) <= 20
    assert len(keys(layout, "train", "b")) + len(held(layout, "b")) == 50


def test_small_sets_and_given_splits():
    assert len(held(hold_out(made(3), 0.01, 100))) == 1
    for layout, fraction, most in ((made(1), 0.5, 9), (made(9), 0, 9), (made(9), 0.5, 0)):
        assert hold_out(layout, fraction, most) == layout
    given = hold_out(made(50), 0.2, 10)
    assert hold_out(given, 0.5, 100) == given
    for fraction, most in ((1.0, 5), (-0.1, 5), (0.1, -1)):
        with pytest.raises(ConfigurationError):
            hold_out(made(9), fraction, most)


def test_what_serves_imports_no_torch():
    modules = "translate.data.pictures, translate.data.holdout, translate.data.doctor, pipelines.check"
    code = f"import {modules}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_layout_reads_back(tmp_path):
    put(tmp_path / "train", "1", size=(16, 8))
    item = find_layout(tmp_path).splits["train"].domains["b"][0]
    assert read_picture(item.sources[0]).shape == (8, 8, 3)
    assert read_picture(item.sources[0]).dtype == np.uint8


# What a recipe trains on, and whether it is scored by pairs


def numbered(count: int, prefix: str = "") -> list[str]:
    return [f"{prefix}{index:04d}" for index in range(count)]


def unpaired(root: Path, **changes) -> Recipe:
    recipe = replace(recipe_named("cyclegan"), data=str(root), **changes)
    return replace(recipe, augmentation=Augmentation(load_px=8, crop_px=8))


def folders(root: Path, **names: list[str]) -> None:
    for folder, pictures in names.items():
        put(root / folder, *pictures)


def used(data: Data, domain: str) -> list[str]:
    splits = [data.training, data.validation]
    return sorted(item.key for split in splits for item in split.domains[domain])


def test_unpaired_training_drops_no_picture_where_numbers_happen_to_agree(tmp_path):
    names = {"trainA": numbered(40), "trainB": numbered(44), "testA": numbered(6), "testB": numbered(6)}
    folders(tmp_path, **names)
    _, data = open_data(unpaired(tmp_path))
    assert used(data, "a") == names["trainA"]
    assert used(data, "b") == names["trainB"]
    assert not data.training.paired
    assert not data.validation.paired
    assert not data.scored.paired, "numbers tell no truth"
    assert "are pairs" not in data.layout.description


def test_the_same_names_throughout_are_a_truth_that_training_does_not_see(tmp_path):
    folders(tmp_path, trainA=numbered(40), trainB=numbered(40))
    _, data = open_data(unpaired(tmp_path))
    assert not data.training.paired
    assert data.validation.paired
    held = {domain: [item.key for item in items] for domain, items in data.validation.domains.items()}
    assert held["a"] == held["b"]
    assert "held-out pictures of one name are pairs" in data.layout.description
    assert used(data, "b") == numbered(40)


@pytest.mark.parametrize(("test_b", "paired"), [(numbered(10), True), (numbered(9), False), (numbered(10, "x"), False)])
def test_a_hidden_truth_of_the_test_split_has_every_name_in_both_domains(test_b, paired, tmp_path):
    folders(tmp_path, trainA=numbered(20, "a"), trainB=numbered(30, "b"), testA=numbered(10), testB=test_b)
    _, data = open_data(unpaired(tmp_path))
    assert data.scored.paired is paired
    assert not data.validation.paired
    assert [len(data.scored.domains[domain]) for domain in "ab"] == [10, len(test_b)], "none is left out"


def test_halves_side_by_side_are_a_truth_for_unpaired_training(tmp_path):
    put(tmp_path / "train", *numbered(20), size=(16, 8))
    _, data = open_data(unpaired(tmp_path))
    assert not data.training.paired
    assert data.validation.paired


def _without_validation(root: Path) -> Recipe:
    folders(root, trainA=numbered(9, "a"), trainB=numbered(9, "b"))
    return unpaired(root, validation=Validation(fraction=0.0, best="kid"))


def _half_a_validation(root: Path) -> Recipe:
    folders(root, trainA=numbered(9, "a"), trainB=numbered(9, "b"), valA=numbered(2))
    return unpaired(root)


def _single_picture(root: Path) -> Recipe:
    folders(root, trainA=numbered(9, "a"), trainB=["one"])
    return unpaired(root)


def _one_domain(root: Path) -> Recipe:
    put(root / "train", *numbered(9))
    return unpaired(root)


def _one_domain_turned(root: Path) -> Recipe:
    put(root / "train", *numbered(9))
    return unpaired(root, domains=TwoDomains(paired=False, direction="BtoA"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_without_validation, ["--validation.fraction 0", "valA and valB"]),
        (_half_a_validation, ["validation split has no pictures of domain b", "in valA"]),
        (_single_picture, ["domain b has a single training picture", "valA and valB"]),
        (_one_domain, ["no training pictures of domain b", "9 training pictures in train", "trainB"]),
        (_one_domain_turned, ["trainA"]),
    ],
)
def test_what_is_missing_is_named_with_its_split_and_folder(make, words, tmp_path):
    with pytest.raises(DatasetError) as caught:
        open_data(make(tmp_path))
    for word in words:
        assert word in str(caught.value)
