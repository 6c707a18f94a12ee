"""What visitors are told of files and numbers: names without folders, and mixtures in steps."""

from pathlib import Path

import page_models
import pytest

from pipelines.page.models import offered, without_folders
from pipelines.page.running import without_folders as words_without_folders
from pipelines.page.weights import stepped


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ("/home/me/models/x2.onnx is damaged", "x2.onnx is damaged"),
        ("'/home/me/x2.onnx' and checkpoints/x2/x2-perceptual.onnx differ", "'x2.onnx' and x2-perceptual.onnx differ"),
        ("C:\\Users\\me\\x2.onnx is damaged", "x2.onnx is damaged"),
        ("save it again as PNG/JPEG and/or shrink it to 1/2", "save it again as PNG/JPEG and/or shrink it to 1/2"),
    ],
)
def test_words_name_files_and_not_where_they_lie(told, seen):
    assert words_without_folders(told) == seen


def test_other_machines_are_shown_models_by_name_alone(tmp_path):
    own = offered([page_models.write_all(tmp_path) / "x2"], tmp_path / "none")
    assert [offer.spoken for offer in own] == [str(tmp_path / "x2" / "x2.onnx")]
    assert [offer.spoken for offer in without_folders(own)] == ["x2.onnx"]
    assert [offer.path for offer in without_folders(own)] == [Path(offer.spoken) for offer in own]


@pytest.mark.parametrize(("given", "run"), [(0.68, 0.7), (0.05, 0.0), (0.3, 0.3), (1, 1.0), (0.1 + 0.2, 0.3)])
def test_mixtures_come_in_tenths(given, run):
    assert stepped(given) == run
