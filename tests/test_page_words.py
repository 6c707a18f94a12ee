"""What visitors are told of files and numbers: names without folders, and mixtures in steps."""

from pathlib import Path

import gradio as gr
import page_models
import pytest

from pipelines.page import controls
from pipelines.page.models import offered, without_folders
from pipelines.page.running import without_folders as words_without_folders
from pipelines.page.weights import stepped
from translate.errors import PictureError


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


@pytest.mark.parametrize(
    "folder", [Path("/home/my user"), Path("/home/my user/its models"), Path("my models"), Path("C:\\My files")]
)
def test_folders_with_blanks_are_no_visitors_matter_either(folder):
    known = (Path("/home/my user"), Path("/"), folder)
    assert (
        words_without_folders(f"{folder}/a/x.png is cut: send x.png again", known) == "x.png is cut: send x.png again"
    )
    assert words_without_folders(f"{folder}/x.png is cut") != "x.png is cut"  # the control


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_path_in_quotation_marks_need_not_be_known(quote):
    told = f"[Errno 2] No such file: {quote}/srv/my user/its files/my x.png{quote}: look for it"
    assert words_without_folders(told) == f"[Errno 2] No such file: {quote}my x.png{quote}: look for it"


def test_what_an_editor_cannot_show_is_told_without_folders(tmp_path, monkeypatch):
    bench = page_models.bench_in(tmp_path / "my page")

    def broken(path, _):
        raise PictureError("damaged", f"{path} is damaged")

    monkeypatch.setattr(controls, "preview_of_file", broken)
    with pytest.raises(gr.Error) as told:
        controls._on_canvas(str(bench.intake.folder.path / "a b.png"), bench)
    assert (told.value.message, told.value.title, told.value.print_exception) == ("a b.png is damaged", "", False)


def test_other_machines_are_shown_models_by_name_alone(tmp_path):
    own = offered([page_models.write_all(tmp_path) / "x2"], tmp_path / "none")
    assert [offer.spoken for offer in own] == [str(tmp_path / "x2" / "x2.onnx")]
    assert [offer.spoken for offer in without_folders(own)] == ["x2.onnx"]
    assert [offer.path for offer in without_folders(own)] == [Path(offer.spoken) for offer in own]


@pytest.mark.parametrize(("given", "run"), [(0.68, 0.7), (0.05, 0.0), (0.3, 0.3), (1, 1.0), (0.1 + 0.2, 0.3)])
def test_mixtures_come_in_tenths(given, run):
    assert stepped(given) == run
