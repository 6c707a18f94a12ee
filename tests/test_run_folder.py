"""Folders through a model: what comes out, what is gone past, what is tried again, and how a run ends."""

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from folder_models import Negative, card, drawn, files, negative, pixels_of, read
from PIL import Image

import pipelines.batch.folder as folder_module
from pipelines.batch import Failure, FolderResult, run_folder
from pipelines.batch.ahead import read_ahead
from pipelines.batch.plan import Errand
from pipelines.batch.reading import Reader, limits_for
from pipelines.batch.room import Room
from pipelines.batch.together import in_groups
from pipelines.tasks import Translate
from translate.errors import ConfigurationError, DatasetError, ModelError, StorageError

SIZES = ((6, 9), (6, 9), (8, 5), (6, 9), (13, 4))


@pytest.fixture
def pictures(tmp_path):
    """Twelve pictures of several sizes in sub-folders, by place."""
    return {
        place: drawn(tmp_path / "in" / place, index, height=SIZES[index % 5][0], width=SIZES[index % 5][1])
        for index in range(12)
        for place in [f"{'deep/er/' * (index % 3)}p{index:02d}.png"]
    }


def lines(out):
    return [json.loads(line) for line in (out / "failures.jsonl").read_text().splitlines()]


def check_negatives(out, pictures):
    made = files(out)
    assert set(made) == set(pictures)
    for place, pixels in pictures.items():
        np.testing.assert_array_equal(read(made[place]), 255 - pixels)


@pytest.mark.parametrize("batch", [None, 1, 2, 3, 50])
def test_every_picture_becomes_what_it_becomes_alone(pictures, tmp_path, batch):
    translate = negative()
    result = run_folder(translate, tmp_path / "in", tmp_path / "out", batch=batch)
    assert result == FolderResult(done=12, skipped=0, failed=(), device="cpu")
    check_negatives(tmp_path / "out", pictures)
    assert max(translate._runtime.calls) == {None: 1, 1: 1, 2: 2, 3: 3, 50: 8}[batch]
    assert sum(translate._runtime.calls) == 12


def test_only_what_is_missing_is_done(pictures, tmp_path):
    run_folder(negative(), tmp_path / "in", tmp_path / "out")
    first, second = sorted(pictures)[:2]
    (tmp_path / "out" / first).unlink()
    (tmp_path / "out" / second).write_bytes(b"whatever made it")
    translate = negative()
    result = run_folder(translate, tmp_path / "in", tmp_path / "out")
    assert (result.done, result.skipped, len(translate._runtime.calls)) == (1, 11, 1)
    assert (tmp_path / "out" / second).read_bytes() == b"whatever made it"
    np.testing.assert_array_equal(read(tmp_path / "out" / first), 255 - pictures[first])


def test_bad_pictures_are_gone_past_and_listed_with_their_reasons(pictures, tmp_path):
    whole = (tmp_path / "in" / "p00.png").read_bytes()
    (tmp_path / "in" / "cut.png").write_bytes(whole[:-30])
    (tmp_path / "in" / "text.jpg").write_text("no picture")
    (tmp_path / "in" / "zeros.png").write_bytes(bytes(50))
    drawn(tmp_path / "in" / "large.png", height=100, width=100)
    os.mkfifo(tmp_path / "in" / "pipe.png")
    (tmp_path / "in" / "dangling.png").symlink_to("nowhere.png")
    (tmp_path / "in" / "self.png").symlink_to("self.png")
    result = run_folder(negative(), tmp_path / "in", tmp_path / "out", batch=4, max_pixels=5000)
    reasons = {Path(each["path"]).name: each["reason"] for each in lines(tmp_path / "out")}
    assert reasons == {
        "cut.png": "truncated",
        "text.jpg": "not_a_picture",
        "zeros.png": "zero_bytes",
        "large.png": "too_many_pixels",
        "pipe.png": "unreadable",
        "dangling.png": "unreadable",
        "self.png": "unreadable",
    }
    assert [Failure(**each) for each in lines(tmp_path / "out")] == list(result.failed)
    assert result.done == 12
    (tmp_path / "out" / "failures.jsonl").unlink()
    check_negatives(tmp_path / "out", pictures)

    for name in reasons:
        (tmp_path / "in" / name).unlink()
    (tmp_path / "out" / "failures.jsonl").write_text("of an earlier run")
    assert run_folder(negative(), tmp_path / "in", tmp_path / "out").failed == ()
    assert not (tmp_path / "out" / "failures.jsonl").exists()


@pytest.mark.parametrize(("cores", "threads"), [(1, 2), (3, 3), (64, 4)])
def test_as_many_threads_read_as_the_control_group_has_cores(pictures, tmp_path, monkeypatch, cores, threads):
    monkeypatch.setattr(folder_module, "usable_cores", lambda: cores)
    taken = []

    def read_nothing(*_, threads, **__):
        taken.append(threads)
        yield from ()

    monkeypatch.setattr(folder_module, "read_ahead", read_nothing)
    run_folder(negative(), tmp_path / "in", tmp_path / "out")
    assert taken == [threads]


class Choosy(Negative):
    """Has room for so many pictures, and none for bright ones."""

    def __init__(self, card, most, problem):
        super().__init__(card)
        self._most, self._problem = most, problem

    def run(self, inputs):
        (numbers,) = inputs.values()
        if len(numbers) > self._most or (numbers == 1).all(axis=(1, 2, 3)).any():
            self.calls.append(0)
            raise self._problem
        return super().run(inputs)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (MemoryError(), "out_of_memory"),
        (RuntimeError("[ONNXRuntimeError] : Failed to allocate memory for requested buffer"), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory"),
        (StorageError("Not enough memory on cpu for an input"), "out_of_memory"),
        (ValueError("some node failed"), "model_failed"),
        (ModelError("The model cannot be run on this"), "model_failed"),
    ],
)
def test_a_batch_that_fails_is_tried_one_by_one(pictures, tmp_path, problem, reason):
    Image.new("RGB", (9, 6), "white").save(tmp_path / "in" / "p05white.png")
    translate = Translate(Choosy(card(), 2, problem))
    result = run_folder(translate, tmp_path / "in", tmp_path / "out", batch=4)
    assert 0 in translate._runtime.calls
    assert [(Path(each.path).name, each.reason) for each in result.failed] == [("p05white.png", reason)]
    (tmp_path / "out" / "failures.jsonl").unlink()
    check_negatives(tmp_path / "out", pictures)


def test_a_model_that_fails_on_everything_ends_the_run(tmp_path):
    for index in range(40):
        drawn(tmp_path / "in" / f"{index}.png", index)
    translate = Translate(Choosy(card(), 0, RuntimeError("the device is gone")))
    with pytest.raises(ModelError, match="the device is gone"):
        run_folder(translate, tmp_path / "in", tmp_path / "out")
    assert len(translate._runtime.calls) == 20
    assert len(lines(tmp_path / "out")) == 19


def test_models_with_several_inputs_and_outputs(tmp_path):
    """A partner has the same name, or is the only one of that stem."""
    first, second = tmp_path / "in", tmp_path / "with"
    colours = {name: drawn(first / "sub" / name, index) for index, name in enumerate(("a.png", "b.jpg", "c.png"))}
    greys = {name: drawn(second / "sub" / name, 9, channels=1) for name in ("a.webp", "b.png", "c.png", "c.tiff")}
    drawn(second / "sub" / "b.webp")
    for name in ("alone.png", "sizes.png"):
        drawn(first / name)
    drawn(second / "sizes.png", height=5)
    translate = negative((3, 1), (3, 1))
    result = run_folder(translate, [first, second], tmp_path / "out", batch=3)
    made = files(tmp_path / "out")
    assert set(made) == {"sub/a.png", "sub/a.b1.png", "sub/c.png", "sub/c.b1.png", "failures.jsonl"}
    np.testing.assert_array_equal(read(made["sub/c.png"]), 255 - colours["c.png"])
    np.testing.assert_array_equal(read(made["sub/c.b1.png"]), 255 - greys["c.png"])
    reasons = {Path(each.path).name: each.reason for each in result.failed}
    assert reasons == {"alone.png": "missing_partner", "b.jpg": "ambiguous_partner", "sizes.png": "sizes_differ"}

    (second / "sub" / "b.webp").unlink()
    assert run_folder(translate, [first, second], tmp_path / "out").done == 1
    np.testing.assert_array_equal(read(tmp_path / "out" / "sub" / "b.jpg.b1.png"), 255 - greys["b.png"])
    with pytest.raises(ConfigurationError, match="2 folders"):
        run_folder(translate, first, tmp_path / "out")


@pytest.mark.parametrize("file_format", ["png", "webp", "jpg", "tiff"])
def test_formats(pictures, tmp_path, file_format):
    run_folder(negative(), tmp_path / "in", tmp_path / "out", file_format=file_format)
    made = files(tmp_path / "out")
    assert set(made) == {place if file_format == "png" else f"{place}.{file_format}" for place in pictures}
    for place, pixels in pictures.items():
        got = read(made[place if file_format == "png" else f"{place}.{file_format}"])
        if file_format == "jpg":
            assert np.abs(got.astype(int) - (255 - pixels)).mean() < 20
        else:
            np.testing.assert_array_equal(got, 255 - pixels)


@pytest.mark.parametrize(("outputs", "words"), [((4,), "'b'"), ((3, -5), "'b1'")])
def test_outputs_that_a_format_cannot_keep_are_refused_before_anything(pictures, tmp_path, outputs, words):
    with pytest.raises(ConfigurationError, match=words):
        run_folder(negative((3,), outputs), tmp_path / "in", tmp_path / "out", file_format="jpg")
    assert not (tmp_path / "out").exists()


def test_nothing_to_do_and_nothing_possible(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="holds no pictures"):
        run_folder(negative(), tmp_path / "empty", tmp_path / "out")
    with pytest.raises(DatasetError, match="cannot be listed"):
        run_folder(negative(), tmp_path / "nowhere", tmp_path / "out")
    drawn(tmp_path / "in" / "a.png")
    for batch in (0, -1):
        with pytest.raises(ConfigurationError, match="--batch"):
            run_folder(negative(), tmp_path / "in", tmp_path / "out", batch=batch)
    assert not (tmp_path / "out").exists()


def test_progress_counts_what_was_missing(pictures, tmp_path):
    run_folder(negative(), tmp_path / "in", tmp_path / "out")
    for place in list(pictures)[:5]:
        (tmp_path / "out" / place).unlink()
    (tmp_path / "in" / "bad.png").write_text("no picture")
    told = []
    run_folder(negative(), tmp_path / "in", tmp_path / "out", progress=lambda *each: told.append(each))
    assert told == [(done, 6) for done in range(7)]


def test_stopping_finishes_what_is_translated_and_counts_the_rest(pictures, tmp_path):
    others = set(threading.enumerate())
    runtime = Negative(card())
    result = run_folder(Translate(runtime), tmp_path / "in", tmp_path / "out", stop=lambda: len(runtime.calls) >= 4)
    assert (result.done, result.left) == (4, 8)
    assert len(files(tmp_path / "out")) == 4
    assert set(threading.enumerate()) <= others
    assert run_folder(negative(), tmp_path / "in", tmp_path / "out").done == 8
    check_negatives(tmp_path / "out", pictures)


def test_an_interrupt_leaves_nothing_half(pictures, tmp_path):
    class Interrupted(Negative):
        def run(self, inputs):
            if len(self.calls) == 4:
                raise KeyboardInterrupt
            return super().run(inputs)

    others = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        run_folder(Translate(Interrupted(card())), tmp_path / "in", tmp_path / "out")
    assert set(threading.enumerate()) <= others
    made = files(tmp_path / "out")
    assert set(made) <= set(pictures)
    assert all((read(path) == 255 - pictures[place]).all() for place, path in made.items())


# The parts


def loaded(*sizes):
    class Sized:
        def __init__(self, size):
            self.size_px = size

    return [(number, Sized(size)) for number, size in enumerate(sizes)]


def test_groups_are_of_one_size_and_follow_from_the_order():
    groups = in_groups(loaded(*[(2, 2), (3, 3), (2, 2), (3, 3), (2, 2)]), batch=2, is_limit=False)
    assert [[number for number, _ in group] for group in groups] == [[0, 2], [1, 3], [4]]


def test_large_pictures_go_in_small_groups_unless_the_user_says_how_many():
    sizes = [(1000, 1000)] * 4
    assert [len(group) for group in in_groups(loaded(*sizes), batch=8, is_limit=True)] == [2, 2]
    assert [len(group) for group in in_groups(loaded(*sizes), batch=8, is_limit=False)] == [4]


def test_few_wait_for_others_of_their_size():
    taken = []

    def source():
        for each in loaded(*[(size, 1) for size in range(1, 100)]):
            taken.append(each)
            yield each

    for count, group in enumerate(in_groups(source(), batch=2, is_limit=False)):
        assert len(taken) - count <= 9
        assert len(group) == 1
    taken.clear()
    large = ((each, sample) for each, sample in loaded((4000, 4000), (4000, 4001)))
    assert [len(group) for group in in_groups(large, batch=8, is_limit=False)] == [1, 1]


def errands(tmp_path, count, **size):
    drawn(tmp_path / "p.png", **size)
    return [Errand(sources=(tmp_path / "p.png",), targets=(tmp_path / f"{n}.png",)) for n in range(count)]


@pytest.mark.parametrize("ahead", [1, 5])
def test_reading_is_no_further_ahead_than_it_may(tmp_path, ahead):
    taken = []

    def source():
        for errand in errands(tmp_path, 30):
            taken.append(errand)
            yield errand

    reader = Reader(card=card(), limits=limits_for(1000), alpha="keep")
    reading = read_ahead(source(), reader, threads=2, ahead=ahead, fail=pytest.fail)
    for count, (errand, sample) in enumerate(reading):
        assert errand is taken[count]
        np.testing.assert_array_equal(sample.pixels["a"], pixels_of(0))
        assert len(taken) - count <= ahead
    assert count == 29


def test_room_is_given_in_order_and_a_giant_has_it_alone():
    room, order = Room(10), []

    def take(turn, pixels):
        assert room.take(turn, pixels)
        order.append(turn)

    threads = [threading.Thread(target=take, args=each) for each in ((3, 1), (2, 50), (1, 6), (0, 4))]
    for thread in threads:
        thread.start()
    wait_until(lambda: order == [0, 1])
    room.give_back(4)
    assert order == [0, 1]
    room.give_back(6)
    wait_until(lambda: order == [0, 1, 2])
    room.give_back(50)
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3]


def test_room_that_is_closed_keeps_nobody_waiting():
    room, answers = Room(10), []
    room.take(0, 10)
    threads = [threading.Thread(target=lambda turn=turn: answers.append(room.take(turn, 5))) for turn in (1, 2, 9)]
    for thread in threads:
        thread.start()
    room.close()
    for thread in threads:
        thread.join(10)
    assert answers == [False, False, False]


def wait_until(is_so):
    done = threading.Event()
    for _ in range(1000):
        if is_so():
            return
        done.wait(0.01)
    pytest.fail("it did not come to pass")
