"""Names and places: what results are called, which links are followed, and that no picture is ever overwritten."""

import hashlib
import os
import unicodedata

import numpy as np
import pytest
from folder_models import drawn, files, negative, read

import pipelines.batch.listing
from pipelines.batch import run_folder
from pipelines.batch.holding import held
from pipelines.batch.naming import result_names
from translate.errors import ConfigurationError, DatasetError, PictureError


def run(tmp_path, source="in", out="out", **options):
    return run_folder(negative(), tmp_path / source, tmp_path / out, **options)


def names_of(*pictures, taken=(), others=(), ending=".png"):
    return result_names(pictures, taken=taken, others=others, ending=ending)


def mark(name):
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:8]


def test_a_name_with_the_right_ending_is_kept_and_another_gets_it_added():
    made = names_of("a.PNG", "a.jpg", "a.png", "b.jpeg")
    assert made == {"a.PNG": ("a.PNG",), "a.jpg": ("a.jpg.png",), "a.png": ("a.png",), "b.jpeg": ("b.jpeg.png",)}
    assert names_of("a.png", "b.jpeg", ending=".jpg") == {"a.png": ("a.png.jpg",), "b.jpeg": ("b.jpeg",)}


def test_a_name_that_is_taken_is_marked():
    """By a picture of that name, whichever comes first; by a sub-folder; by a second output of another picture."""
    marked = (f"a.jpg~{mark('a.jpg.png')}.png",)
    for order in (("a.jpg", "a.jpg.png"), ("a.jpg.png", "a.jpg")):
        assert names_of(*order) == {"a.jpg": marked, "a.jpg.png": ("a.jpg.png",)}
    assert names_of("a.jpg", taken=["a.jpg.png"]) == {"a.jpg": marked}
    stem = f"a~{mark('a.png')}"
    made = names_of("a.b1.png", "a.png", others=["b1"])
    assert made == {"a.b1.png": ("a.b1.png", "a.b1.b1.png"), "a.png": (f"{stem}.png", f"{stem}.b1.png")}


@pytest.mark.parametrize("letter", ["x", "ü", "\N{GRINNING FACE}"])
def test_a_name_that_would_be_too_long_is_cut_between_letters(letter):
    pictures = [letter * (250 // len(letter.encode())) + f"{number}.jpg" for number in range(3)]
    made = names_of(*pictures, others=["second"])
    every = [name for names in made.values() for name in names]
    assert len(set(every)) == 6
    assert all(len(name.encode()) <= 255 for name in every)
    assert all(first[:40] == picture[:40] for picture, (first, _) in made.items())
    assert all(first.endswith(".png") and second.endswith(".second.png") for first, second in made.values())


STRANGE = [
    "new\nline.png",
    "-o.png",
    "CON.png",
    "[red]x[/red].png",
    "a b\t'\"$HOME.png",
    unicodedata.normalize("NFC", "twin-ü.png"),
    unicodedata.normalize("NFD", "twin-ü.png"),
    "case.png",
    "CASE.png",
    "x" * 251 + ".png",
    "x" * 251 + ".jpg",
    "same.png",
    "same.jpg",
    "same.webp",
    "same.jpg.png",
    os.fsdecode(b"no-text-\xff.png"),
]


def test_strange_names(tmp_path):
    """All of them are pictures of their own; names are kept byte for byte where they can be."""
    pixels = {name: drawn(tmp_path / "in" / "sub" / name, seed) for seed, name in enumerate(STRANGE)}
    for broken in ("new\nbroken.png", os.fsdecode(b"broken-\xff.png")):
        (tmp_path / "in" / broken).write_text("no picture")
    result = run(tmp_path)
    assert (result.done, len(result.failed)) == (len(STRANGE), 2)
    made = files(tmp_path / "out" / "sub")
    assert len(made) == len(STRANGE)
    assert {name for name in STRANGE if name.endswith(".png")} <= set(made)
    assert len((tmp_path / "out" / "failures.jsonl").read_text().splitlines()) == 2
    for name, picture in pixels.items():
        if name.endswith(".png"):
            np.testing.assert_array_equal(read(made[name]), 255 - picture)
    assert f"same.jpg~{mark('same.jpg.png')}.png" in made
    assert run(tmp_path).skipped == len(STRANGE)


def test_hidden_files_and_litter_are_passed_over(tmp_path):
    for name in (".hidden.png", "._a.png", ".git/x.png", "__MACOSX/a.png", "a.png", "notes.txt", "sub.png/b.png"):
        drawn(tmp_path / "in" / name) if name.endswith(".png") else (tmp_path / "in" / name).write_text("")
    assert run(tmp_path).done == 2
    assert set(files(tmp_path / "out")) == {"a.png", "sub.png/b.png"}


def test_links_are_followed_and_circles_end(tmp_path):
    drawn(tmp_path / "in" / "sub" / "a.png", 1)
    pixels = drawn(tmp_path / "elsewhere" / "b.png", 2)
    (tmp_path / "in" / "circle").symlink_to("..")
    (tmp_path / "in" / "sub" / "up").symlink_to("../sub")
    (tmp_path / "in" / "loop").symlink_to("loop")
    (tmp_path / "in" / "leaves").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "leaves-too").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "picture.png").symlink_to(tmp_path / "elsewhere" / "b.png")
    result = run(tmp_path)
    assert result.failed == ()
    assert (tmp_path / "in" / "circle" / "in" / "circle").is_dir()
    made = files(tmp_path / "out")
    assert set(made) == {"leaves/b.png", "picture.png", "sub/a.png"}
    assert not any(path.is_symlink() for path in (tmp_path / "out").rglob("*"))
    np.testing.assert_array_equal(read(made["picture.png"]), 255 - pixels)


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    drawn(tmp_path / "in" / "a.png")
    drawn(tmp_path / "in" / "secret" / "b.png")
    drawn(tmp_path / "in" / "z" / "c.png")
    listing = os.scandir

    def refusing(folder):
        if folder.name in refused:
            raise PermissionError(13, "Permission denied")
        return listing(folder)

    monkeypatch.setattr(pipelines.batch.listing.os, "scandir", refusing)
    refused = {"secret"}
    result = run(tmp_path)
    assert [(each.path, each.reason) for each in result.failed] == [(str(tmp_path / "in" / "secret"), "unreadable")]
    assert set(files(tmp_path / "out")) == {"a.png", "z/c.png", "failures.jsonl"}
    refused = {"in"}
    with pytest.raises(DatasetError, match="Permission denied"):
        run(tmp_path, out="other")
    assert not (tmp_path / "other").exists()


def content(folder):
    return {place: path.read_bytes() for place, path in files(folder).items()}


@pytest.mark.parametrize(("source", "out"), [("in", "in"), ("in", "link"), ("in/sub", "in"), ("in", "file")])
def test_places_that_would_mix_results_and_pictures_are_refused(tmp_path, source, out):
    drawn(tmp_path / "in" / "sub" / "a.jpg")
    (tmp_path / "link").symlink_to("in")
    (tmp_path / "file").write_text("")
    before = content(tmp_path)
    with pytest.raises(ConfigurationError, match="-o "):
        run(tmp_path, source, out)
    assert content(tmp_path) == before


def test_results_within_the_folder_are_no_pictures(tmp_path):
    drawn(tmp_path / "in" / "a.jpg")
    drawn(tmp_path / "in" / "out" / "old.png")
    before = content(tmp_path)
    assert run(tmp_path, out="in/out").done == 1
    assert run(tmp_path, out="in/out").skipped == 1
    assert set(files(tmp_path / "in")) == {"a.jpg", "out/old.png", "out/a.jpg.png"}
    assert before.items() <= content(tmp_path).items()


@pytest.mark.parametrize("where", ["in/sub", "elsewhere"])
def test_a_link_among_the_results_is_not_written_through(tmp_path, where):
    drawn(tmp_path / "in" / "sub" / "a.jpg")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / where)
    before = content(tmp_path)
    with pytest.raises(ConfigurationError, match="is a link"):
        run(tmp_path)
    assert content(tmp_path) == before


def test_a_link_in_the_place_of_a_result_is_replaced_and_not_written_through(tmp_path):
    drawn(tmp_path / "in" / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").symlink_to(tmp_path / "in" / "not-there.png")
    assert run(tmp_path).done == 1
    assert not (tmp_path / "out" / "a.png").is_symlink()
    assert set(files(tmp_path / "in")) == {"a.png"}


def test_only_one_process_writes_to_a_folder(tmp_path):
    drawn(tmp_path / "in" / "a.png")
    with held(tmp_path / "out"), pytest.raises(ConfigurationError, match="another process"):
        run(tmp_path)
    assert run(tmp_path).done == 1


def test_what_a_killed_run_left_is_swept_where_results_go_and_nowhere_else(tmp_path):
    drawn(tmp_path / "in" / "sub" / "a.png")
    for place in ("in/sub/.tmp-1-x.png", "out/sub/.tmp-1-0123456789ab", "out/.tmp-2-ba9876543210", "out/.tmp-own"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    run(tmp_path)
    assert set(files(tmp_path / "out")) == {"sub/a.png", ".tmp-own"}
    assert set(files(tmp_path / "in")) == {"sub/a.png", "sub/.tmp-1-x.png"}


def test_a_disk_that_takes_shorter_names_fails_one_picture(tmp_path, monkeypatch):
    drawn(tmp_path / "in" / "long.png")
    drawn(tmp_path / "in" / "short.png")
    replace = type(tmp_path).replace

    def refusing(self, target):
        if target.name == "long.png":
            raise OSError(36, "File name too long")
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", refusing)
    result = run(tmp_path)
    assert [each.reason for each in result.failed] == ["name_too_long"]
    assert set(files(tmp_path / "out")) == {"short.png", "failures.jsonl"}
    assert issubclass(PictureError, DatasetError)
