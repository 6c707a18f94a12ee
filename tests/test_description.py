"""What a data set says of itself is found beside a file as well as in a folder, by all who ask."""

import json

import numpy as np
import pytest

from pipelines.training.generation.known_modes import StackedClasses, known_modes
from translate.data.collection_finding import scan_collection
from translate.data.description import described, stated

SAID = {"licence": "CC0", "class_names": ["cat", "dog"], "modes": {"kind": "stacked", "classes": 10}}


@pytest.mark.parametrize("name", ["", "train.npz"], ids=["the folder", "a file in it"])
def test_all_readers_find_it(tmp_path, name):
    np.savez(tmp_path / "train.npz", x=np.zeros((4, 8, 8), np.uint8), y=np.arange(4) % 2)
    (tmp_path / "dataset.json").write_text(json.dumps(SAID))
    root = tmp_path / name
    assert scan_collection(root).names == ("cat", "dog")
    assert stated(root, "licence") == "CC0"
    assert known_modes(root) == StackedClasses(classes=10)


@pytest.mark.parametrize("text", [None, "", "[]", "{ cut", "null", '{"class_names": 3, "licence": null, "modes": {}}'])
def test_one_that_says_nothing_is_passed_over(tmp_path, text):
    np.savez(tmp_path / "train.npz", x=np.zeros((4, 8, 8), np.uint8), y=np.arange(4) % 2)
    if text is not None:
        (tmp_path / "dataset.json").write_text(text)
    assert scan_collection(tmp_path / "train.npz").names == ("0", "1")
    assert stated(tmp_path, "licence") == ""
    assert known_modes(tmp_path) is None
    assert described(tmp_path / "nowhere" / "train.npz") == {}
