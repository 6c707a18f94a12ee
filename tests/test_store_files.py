"""The picture store on disk: it notices what changed and what is damaged, and a stop at any moment loses nothing."""

import json
import multiprocessing
import os
import shutil
import signal
from contextlib import contextmanager

import numpy as np
import pytest
from full_disks import file_size_limit
from kept_pictures import COUNT, PLAIN, are_equal, cached, data_set, photograph, shards, shown, write
from PIL import Image

from translate.data.store import Preparation, Store, building, files, kept, shard
from translate.errors import ConfigurationError, StorageError

RGB = ("rgb", "rgb")


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """Files that were written just now count as settled: else each is looked into at every start."""
    monkeypatch.setattr(files, "_SETTLED_NS", 0)


@pytest.fixture
def data(tmp_path):
    return data_set(tmp_path / "data", [RGB])


def path_of(data, number):
    return data.split.domains["a"][number].sources[0].path


@contextmanager
def decoding_counted(monkeypatch):
    """How many samples are made anew."""
    calls = []
    real = Preparation.read
    with monkeypatch.context() as patch:
        patch.setattr(Preparation, "read", lambda *given: calls.append(given[1]) or real(*given))
        yield calls


def bitmap(path, level):
    """Uncompressed, so that every content has the same size."""
    Image.new("RGB", (20, 20), (level, 0, 0)).save(path)


@pytest.mark.parametrize("keeps_time", [False, True])
@pytest.mark.parametrize("is_noticed", [True, False], ids=["", "broken: names alone"])
def test_a_file_that_changed_changes_its_sample(tmp_path, keeps_time, is_noticed, monkeypatch):
    data = data_set(tmp_path / "data", [RGB], suffix=".bmp")
    path = path_of(data, 2)
    bitmap(path, 10)
    if not is_noticed:
        monkeypatch.setattr("translate.data.store.contents.stamp_of", lambda path: (1, 2, 3))
        monkeypatch.setattr(building, "_lasting", lambda *_: files.Stamp(1, 2, 3))
    plain = data.samples(PLAIN)
    cached(plain, tmp_path, data.root)
    before = path.stat()
    bitmap(path, 20)
    if keeps_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert are_equal(shown(cached(plain, tmp_path, data.root)), shown(plain)) == is_noticed


def test_a_file_that_changed_a_moment_ago_is_looked_into_again(tmp_path, data, monkeypatch):
    """Two changes within one tick of the file system's clock leave the same stamp."""
    monkeypatch.setattr(files, "_SETTLED_NS", 60_000_000_000)
    cached(data.samples(PLAIN), tmp_path, data.root)
    [noted] = (tmp_path / "cache").glob("*/files.json")
    assert json.loads(noted.read_text()) == {}
    with decoding_counted(monkeypatch) as calls:
        cached(data.samples(PLAIN), tmp_path, data.root)
    assert calls == []


@pytest.mark.parametrize("event", ["touched", "renamed", "note lost"])
def test_what_has_the_same_content_is_not_decoded_again(tmp_path, data, event, monkeypatch):
    plain = data.samples(PLAIN)
    cached(plain, tmp_path, data.root)
    if event == "touched":
        os.utime(path_of(data, 2))
    elif event == "note lost":
        [noted] = (tmp_path / "cache").glob("*/files.json")
        noted.write_text("[1, 2")
    else:  # two exchange their names
        one, other = path_of(data, 2), path_of(data, 3)
        spare = one.with_name("spare.png")
        one.rename(spare)
        other.rename(one)
        spare.rename(other)
    with decoding_counted(monkeypatch) as calls:
        found = shown(cached(plain, tmp_path, data.root))
    assert calls == []
    assert are_equal(found, shown(plain))


def test_only_what_is_new_is_made(tmp_path, monkeypatch):
    fewer = data_set(tmp_path / "data", [RGB])
    fewer.split.domains["a"] = fewer.split.domains["a"][:4]
    cached(fewer.samples(PLAIN), tmp_path, fewer.root)
    more = data_set(tmp_path / "data", [RGB])
    with decoding_counted(monkeypatch) as calls:
        found = shown(cached(more.samples(PLAIN), tmp_path, more.root))
    assert len(calls) == COUNT - 4
    assert are_equal(found, shown(more.samples(PLAIN)))
    assert len(shards(tmp_path)) == 2


def test_a_shard_that_is_mostly_useless_is_removed(tmp_path, data):
    cached(data.samples(PLAIN), tmp_path, data.root)
    [old] = shards(tmp_path)
    for number in range(COUNT - 2):
        write(path_of(data, number), "rgb", number + 10, (30, 30 + number))
    plain = data.samples(PLAIN)
    assert are_equal(shown(cached(plain, tmp_path, data.root)), shown(plain))
    assert old not in shards(tmp_path)
    assert sum(len(shard.read_shard(path).records) for path in shards(tmp_path)) == COUNT


def test_other_pictures_of_the_data_set_are_not_useless(tmp_path):
    """Another share held out must not cost the cache of the first."""
    whole, fewer = data_set(tmp_path / "data", [RGB]), data_set(tmp_path / "data", [RGB])
    fewer.split.domains["a"] = fewer.split.domains["a"][:1]
    cached(whole.samples(PLAIN), tmp_path, whole.root)
    write(path_of(fewer, 0), "rgb", 12)
    cached(fewer.samples(PLAIN), tmp_path, whole.root)
    assert sum(len(shard.read_shard(path).records) for path in shards(tmp_path)) == COUNT + 1


DAMAGES = {
    "cut by a byte": lambda data: data[:-1],
    "cut in the pixels": lambda data: data[: len(data) // 3],
    "emptied": lambda data: b"",
    "another file": lambda data: b"\x89PNG" * 40,
    "zeros at the end": lambda data: data + bytes(512),
    "index flipped": lambda data: flipped(data, -200),
    "footer flipped": lambda data: flipped(data, -30),
}


def flipped(data, place):
    changed = bytearray(data)
    changed[place] ^= 4
    return bytes(changed)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_shard_is_made_anew(tmp_path, data, damage, monkeypatch, caplog):
    plain = data.samples(PLAIN)
    cached(plain, tmp_path, data.root)
    [path] = shards(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with decoding_counted(monkeypatch) as calls:
        found = shown(cached(plain, tmp_path, data.root))
    assert len(calls) == COUNT
    assert "damaged" in caplog.text
    assert are_equal(found, shown(plain))
    assert path not in shards(tmp_path)


@pytest.mark.parametrize("is_checked", [True, False], ids=["", "broken: no checksum"])
def test_a_flipped_byte_among_the_pixels_never_reaches_a_sample(tmp_path, data, is_checked, monkeypatch, caplog):
    plain = data.samples(PLAIN)
    cached(plain, tmp_path, data.root)
    [path] = shards(tmp_path)
    path.write_bytes(flipped(path.read_bytes(), 20 * 20 * 3 // 2))  # in the middle of the first picture
    if not is_checked:
        monkeypatch.setattr(kept.Kept, "_is_sound", lambda *_: True)
    found = shown(cached(plain, tmp_path, data.root))
    assert are_equal(found, shown(plain)) == is_checked
    if is_checked:
        assert "is damaged" in caplog.text
        assert shards(tmp_path) == []
        with decoding_counted(monkeypatch) as calls:
            cached(plain, tmp_path, data.root)
        assert len(calls) == COUNT


def test_ctrl_c_loses_nothing(tmp_path, data, monkeypatch):
    def interrupt(done, total):
        assert total == COUNT
        if done == 3:
            signal.raise_signal(signal.SIGINT)

    # What a shell starts in the background ignores the signal
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            cached(data.samples(PLAIN), tmp_path, data.root, progress=interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sum(len(shard.read_shard(path).records) for path in shards(tmp_path)) == 3
    assert not list((tmp_path / "cache").glob("*/.tmp-*"))
    with decoding_counted(monkeypatch) as calls:
        found = shown(cached(data.samples(PLAIN), tmp_path, data.root))
    assert len(calls) == COUNT - 3
    assert are_equal(found, shown(data.samples(PLAIN)))


@pytest.mark.parametrize("at", ["_write", "_append"])
def test_an_array_that_was_interrupted_half_way_is_left_out(tmp_path, data, at, monkeypatch):
    real, calls = getattr(shard.ShardWriter, at), []

    def stopped(self, *given):
        result = real(self, *given)
        calls.append(given)
        if len(calls) == 7:
            if at == "_write":
                self.size -= len(given[0])  # the bytes lie there, and nothing counts them yet
            raise KeyboardInterrupt
        return result

    with monkeypatch.context() as patch:
        patch.setattr(shard.ShardWriter, at, stopped)
        with pytest.raises(KeyboardInterrupt):
            cached(data.samples(PLAIN), tmp_path, data.root)
    plain = data.samples(PLAIN)
    assert are_equal(shown(cached(plain, tmp_path, data.root)), shown(plain))
    assert len(shards(tmp_path)) == 2


def test_a_kill_leaves_no_half_shard_and_its_rest_is_swept(tmp_path, data):
    def kill():
        cached(data.samples(PLAIN), tmp_path, data.root, progress=lambda done, _: done == 5 and os.kill(os.getpid(), 9))

    child = multiprocessing.get_context("fork").Process(target=kill)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert shards(tmp_path) == []
    assert list((tmp_path / "cache").glob("*/.tmp-*"))
    plain = data.samples(PLAIN)
    assert are_equal(shown(cached(plain, tmp_path, data.root)), shown(plain))
    assert not list((tmp_path / "cache").glob("*/.tmp-*"))


def test_a_full_disk_is_told_and_what_was_made_stays(tmp_path, monkeypatch):
    data = data_set(tmp_path / "data", [RGB])
    picture = 20 * 20 * 3
    monkeypatch.setattr(shard, "FULL_BYTES", 2 * picture)
    first = data_set(tmp_path / "data", [RGB])
    first.split.domains["a"] = first.split.domains["a"][:2]
    cached(first.samples(PLAIN), tmp_path, data.root)
    [whole] = shards(tmp_path)
    monkeypatch.setattr(shard, "FULL_BYTES", 100 * picture)
    with file_size_limit(3 * picture), pytest.raises(StorageError, match=r"(?s)cache.*GB are free.*--cache") as told:
        cached(data.samples(PLAIN), tmp_path, data.root)
    assert told.value.exit_code == 5
    assert shards(tmp_path) == [whole]
    assert not list((tmp_path / "cache").glob("*/.tmp-*"))
    assert are_equal(shown(cached(data.samples(PLAIN), tmp_path, data.root)), shown(data.samples(PLAIN)))


def test_what_will_not_fit_is_told_early(tmp_path, data, monkeypatch):
    monkeypatch.setattr(shard, "FULL_BYTES", 2000)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=4000))
    done = []
    with pytest.raises(StorageError, match="would take about"):
        cached(data.samples(PLAIN), tmp_path, data.root, progress=lambda *given: done.append(given))
    assert len(done) < COUNT
    assert len(shards(tmp_path)) == 1


def test_a_folder_that_cannot_be_is_refused(tmp_path, data):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ConfigurationError, match="--cache"):
        cached(data.samples(PLAIN), tmp_path, data.root)


def test_several_runs_at_once_make_each_picture_once(tmp_path, data):
    plain = data.samples(PLAIN)
    expected = shown(plain)
    context = multiprocessing.get_context("fork")

    def run(results):
        made = []
        samples = cached(plain, tmp_path, data.root, progress=lambda done, _: made.append(done))
        results.put((len(made), are_equal(shown(samples), expected)))

    results = context.Queue()
    runs = [context.Process(target=run, args=(results,)) for _ in range(4)]
    for process in runs:
        process.start()
    found = [results.get(timeout=60) for _ in runs]
    for process in runs:
        process.join()
    assert sorted(made for made, _ in found) == [0, 0, 0, COUNT]
    assert all(is_same for _, is_same in found)
    assert len(shards(tmp_path)) == 1


def test_a_run_goes_on_where_another_removes_its_shard(tmp_path, data):
    plain = data.samples(PLAIN)
    mapped = cached(plain, tmp_path, data.root)
    [path] = shards(tmp_path)
    path.unlink()
    assert are_equal(shown(mapped), shown(plain))


def test_progress_counts_to_the_end_and_is_silent_where_nothing_is_made(tmp_path, data):
    told = []
    for _ in range(2):
        cached(data.samples(PLAIN), tmp_path, data.root, progress=lambda *given: told.append(given), threads=3)
    assert told == [(done, COUNT) for done in range(1, COUNT + 1)]


def test_evaluation_is_not_kept(tmp_path, data):
    samples = data.samples(PLAIN)
    samples._training = False
    with pytest.raises(ValueError, match="training"):
        samples.cached(Store(folder=tmp_path), data.root)


def test_a_shard_says_where_its_pixels_lie(tmp_path):
    """By numpy alone, from the file's description."""
    writer = shard.ShardWriter(tmp_path)
    pictures = [np.ascontiguousarray(photograph()[:9, :7]), np.ascontiguousarray(photograph()[:5, :3, 0])]
    writer.add("key", ["content"], pictures)
    path = writer.publish()
    data = path.read_bytes()
    for picture, place in zip(pictures, shard.read_shard(path).records["key"].places, strict=True):
        assert place.offset % 64 == 0
        found = np.frombuffer(data, np.uint8, picture.size, place.offset).reshape(picture.shape)
        assert np.array_equal(found, picture)
        assert (place.height, place.width) == picture.shape[:2]
