"""Which models the page offers, and what follows from their cards; no browser, no server."""

import pytest
import tiny_onnx

from pipelines.page.jobs import Job, Jobs, StoppedError
from pipelines.page.models import Shelf, offered
from translate.errors import ConfigurationError, ModelError


@pytest.fixture
def runs(tmp_path):
    for name in ("first", "second"):
        folder = tmp_path / "checkpoints" / name
        folder.mkdir(parents=True)
        tiny_onnx.with_sidecar(tiny_onnx.negative(folder / f"{name}.onnx"))
    return tmp_path / "checkpoints"


@pytest.mark.parametrize("content", [b"", b"\x08\x08", b"\x72\xff\xff\xff\xff", b"<html>" * 9, bytes(range(256)) * 40])
def test_what_has_no_card_is_refused_in_words(content, tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.onnx has no card .*, or is damaged: .*pixturn import"):
        offered([path])


def test_bundles_and_given_files_are_offered_under_different_names(runs, tmp_path):
    own = tmp_path / "first.onnx"
    tiny_onnx.negative(own)
    assert [offer.name for offer in offered([own], runs)] == ["first", "second", "first (2)"]
    assert [offer.name for offer in offered([tmp_path], tmp_path / "none")] == ["first"]


def test_the_second_weights_of_a_bundle_are_no_model_of_their_own(runs):
    faithful = runs / "first" / "first.onnx"
    assert offered((), runs)[0].perceptual is None
    tiny_onnx.negative(faithful.with_name("first-perceptual.onnx"))
    assert offered((), runs)[0].perceptual == faithful.with_name("first-perceptual.onnx")
    assert [offer.name for offer in offered([runs / "first"], runs.parent / "none")] == ["first"]


def test_a_damaged_bundle_is_left_out_and_a_damaged_file_is_told(runs, tmp_path):
    (runs / "first" / "first.onnx").write_bytes(b"nothing")
    assert [offer.name for offer in offered((), runs)] == ["second"]
    with pytest.raises(ModelError):
        offered([runs / "first" / "first.onnx"], runs)
    with pytest.raises(ConfigurationError, match="pixturn export"):
        offered([tmp_path / "coats"], runs)
    with pytest.raises(ModelError, match=r"my\.onnx"):
        offered((), tmp_path / "none")


def test_examples_are_pictures_with_partners_by_port(runs):
    folder = runs / "first"
    for name in ("example-1.png", "example-1.mask.png", "example-2.jpg", "other.png"):
        (folder / name).touch()
    examples = offered((), runs)[0].examples
    assert [example.first.name for example in examples] == ["example-1.png", "example-2.jpg"]
    assert [example.of("mask") for example in examples] == [folder / "example-1.mask.png", None]


def test_the_shelf_keeps_the_last_ones(runs):
    shelf = Shelf("cpu", kept=1)
    first, second = (offer.path for offer in offered((), runs))
    loaded = shelf.runtime(first)
    assert shelf.runtime(first) is loaded
    shelf.runtime(second)
    assert first not in shelf
    assert second in shelf


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_progress_tells_the_time_that_is_left():
    clock, told = Clock(), []
    job = Job(lambda part, words: told.append((part, words)), now=clock)
    step = job.steps("tiles")
    for done in range(1, 5):
        clock.now += 10
        step(done, 4)
    assert told == [
        (0.25, "1 of 4 tiles, about 30 s left"),
        (0.5, "2 of 4 tiles, about 20 s left"),
        (0.75, "3 of 4 tiles, about 10 s left"),
        (1.0, "4 of 4 tiles"),
    ]


def test_a_stop_reaches_the_session_that_asked_and_no_other():
    jobs = Jobs()
    with jobs.started("me", print) as mine, jobs.started("you", print) as yours:
        assert jobs.stop("you") is not None
        assert (mine.is_stopped, yours.is_stopped) == (False, True)
        with pytest.raises(StoppedError):
            yours.check()
        mine.check()
    assert jobs.stop("me") is None
