"""What a recipe trains on, and whether it is scored by pairs."""

from dataclasses import replace
from pathlib import Path

import pytest
from laid_out import put

from pipelines.recipes import recipe_named
from pipelines.training.translation.data import Data, open_data
from translate.data.augmentation import Augmentation
from translate.data.domains import TwoDomains
from translate.errors import DatasetError
from translate.recipe import Recipe, Validation


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
