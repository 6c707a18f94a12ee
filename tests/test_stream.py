import itertools
import logging
import os
import random
import signal
import time
from collections import Counter

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from translate.data.augmentation import Augmentation, ColourJitter
from translate.data.domain import ports_of
from translate.data.items import Item, Source, Split
from translate.data.quarantine import Quarantine
from translate.data.samples import Samples
from translate.data.stream import Batches, Stream, loader
from translate.errors import ConfigurationError, DatasetError, StorageError

PORTS = {"a": ports_of(("rgb",), "a"), "b": ports_of(("grey",), "b")}
RICH = Augmentation(
    load_px=20, crop_px=16, rotate_degrees=15, scale_jitter=0.1, colour_a=ColourJitter(brightness=0.2, hue=0.1)
)


def take(source, count):
    return list(itertools.islice(source, count))


def test_every_epoch_shows_each_sample_once_in_a_new_order():
    addresses = [address for batch in take(Stream(7, batch_size=3, seed=1), 14) for address in batch]
    epochs = [[index for epoch, index in addresses if epoch == number] for number in range(6)]
    assert all(sorted(order) == list(range(7)) for order in epochs)
    assert len({tuple(order) for order in epochs}) > 1
    assert [epoch for epoch, _ in addresses] == sorted(epoch for epoch, _ in addresses)


def test_batches_run_on_over_the_end_of_an_epoch_and_are_never_short():
    batches = take(Stream(5, batch_size=4, seed=0), 10)
    assert all(len(batch) == 4 for batch in batches)
    assert [epoch for epoch, _ in batches[1]] == [0, 1, 1, 1]


def test_a_batch_may_be_longer_than_the_data_set():
    [batch] = take(Stream(2, batch_size=5, seed=0), 1)
    assert [epoch for epoch, _ in batch] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("position", [0, 3, 6, 33])
def test_it_goes_on_from_any_position(position):
    straight = list(itertools.chain(*take(Stream(7, batch_size=3, seed=4), 30)))
    resumed = list(itertools.chain(*take(Stream(7, batch_size=3, seed=4, position=position), 5)))
    assert resumed == straight[position : position + 15]


@pytest.mark.parametrize("world", [2, 3])
def test_processes_together_see_what_one_sees_with_their_batches_joined(world):
    one = take(Stream(11, batch_size=2 * world, seed=4, position=6), 9)
    shares = [take(Stream(11, batch_size=2, seed=4, position=6, rank=rank, world=world), 9) for rank in range(world)]
    assert [list(itertools.chain(*batch)) for batch in zip(*shares, strict=True)] == one


def test_the_order_depends_on_the_seed_and_is_uniform():
    first, second = (take(Stream(50, batch_size=50, seed=seed), 1) for seed in (0, 1))
    assert first != second
    starts = Counter(Stream(4, batch_size=1, seed=seed).address(0)[1] for seed in range(400))
    assert set(starts) == set(range(4))
    assert max(starts.values()) < 140  # 100 expected, standard deviation 8.7


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"length": 0, "batch_size": 1}, DatasetError, "nothing to train"),
        ({"length": 4, "batch_size": 0}, ConfigurationError, "batch_size"),
        ({"length": 4, "batch_size": 1, "rank": 2, "world": 2}, ConfigurationError, "rank"),
    ],
)
def test_what_cannot_be_is_refused(options, error, word):
    with pytest.raises(error, match=word):
        Stream(seed=0, **options)


@pytest.fixture
def dataset(tmp_path):
    return build(tmp_path, Samples)


def build(tmp_path, kind, count=9):
    photo = skimage.data.astronaut()
    domains = {}
    for domain in PORTS:
        found = []
        for number in range(count):
            path = tmp_path / f"{domain}{number}.png"
            Image.fromarray(photo[number * 20 : number * 20 + 48, 100:148]).save(path)
            found.append(Item(key=str(number), sources=(Source(path=path),)))
        domains[domain] = tuple(found)
    return kind(Split(domains=domains, paired=True), PORTS, RICH, seed=3, training=True)


def drain(batches, count):
    taken = take(batches, count)
    batches.close()
    return taken


def assert_equal(first, second):
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_changes_no_bit(dataset, workers):
    alone = drain(loader(dataset, batch_size=4, seed=3), 6)
    helped = drain(loader(dataset, batch_size=4, seed=3, workers=workers), 6)
    assert alone[0]["a"].shape == (4, 3, 16, 16)
    assert alone[0]["b"].shape == (4, 1, 16, 16)
    assert_equal(alone, helped)
    assert not torch.equal(alone[0]["a"], alone[1]["a"])


@pytest.mark.parametrize("workers", [0, 2])
def test_resuming_gives_the_batches_that_would_have_followed(dataset, workers):
    batches = loader(dataset, batch_size=4, seed=3, workers=workers)
    before = take(batches, 3)
    position = batches.position  # workers have fetched further by now
    after = take(batches, 3)
    batches.close()
    assert position == 12
    assert len(before) == 3
    assert_equal(after, drain(loader(dataset, batch_size=4, seed=3, position=position), 3))


def test_two_processes_get_the_halves_of_the_batches_of_one(dataset):
    one = drain(loader(dataset, batch_size=4, seed=3), 3)
    halves = [loader(dataset, batch_size=2, seed=3, rank=rank, world=2) for rank in range(2)]
    for whole in one:
        parts = [next(half) for half in halves]
        assert_equal([whole], [{name: torch.cat([part[name] for part in parts]) for name in whole}])
    assert halves[1].position == 12


@pytest.mark.parametrize("workers", [0, 1])
def test_no_global_random_state_is_read_or_written(dataset, workers):
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    first = drain(loader(dataset, batch_size=2, seed=3, workers=workers), 2)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    assert random.getstate() == states[2]
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    assert_equal(first, drain(loader(dataset, batch_size=2, seed=3, workers=workers), 2))


def spoil(tmp_path, *names):
    for name in names:
        (tmp_path / f"{name}.png").write_bytes(b"")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_few_bad_pictures_are_replaced_and_named_once(dataset, tmp_path, caplog, workers):
    spoil(tmp_path, "a2", "b5")
    batches = loader(dataset, batch_size=3, seed=3, workers=workers)
    with caplog.at_level(logging.WARNING):
        taken = drain(batches, 9)
    assert all(len(batch["a"]) == 3 for batch in taken)
    assert set(batches.quarantine.refused) == {str(tmp_path / "a2.png"), str(tmp_path / "b5.png")}
    assert len(caplog.records) == 2


@pytest.mark.parametrize("workers", [0, 2])
def test_too_many_bad_pictures_stop_the_run_with_their_names(dataset, tmp_path, workers):
    spoil(tmp_path, "a1", "b3", "a5", "a7")
    batches = loader(dataset, batch_size=1, seed=3, workers=workers)
    with pytest.raises(DatasetError, match=r"4 pictures could not be read, more than the 3(.|\n)*a7\.png"):
        drain(batches, 27)
    batches.close()


def test_a_folder_that_is_gone_stops_the_run(tmp_path):
    dataset = build(tmp_path, Samples, count=2)
    spoil(tmp_path, "a0", "a1")
    with pytest.raises(DatasetError, match=r"a0\.png"):
        next(loader(dataset, batch_size=1, seed=3))


class Murdered(Samples):
    def __getitem__(self, address):
        if address[0] == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(address)


class Asleep(Samples):
    def __getitem__(self, address):
        if address[0] == 1:
            time.sleep(60)
        return super().__getitem__(address)


class Buggy(Samples):
    def __getitem__(self, address):
        raise RuntimeError("a bug of our own")


def test_a_killed_worker_is_an_error_that_says_what_to_do(tmp_path):
    batches = loader(build(tmp_path, Murdered, count=4), batch_size=2, seed=0, workers=2)
    with pytest.raises(StorageError, match=r"worker died(.|\n)*--resume and fewer --workers"):
        take(batches, 20)
    batches.close()


BUS_ERROR = "DataLoader worker (pid 7) is killed by signal: Bus error."


@pytest.mark.parametrize(
    "problem",
    [
        RuntimeError(BUS_ERROR),
        RuntimeError("DataLoader worker (pid(s) 7, 8) exited unexpectedly"),
        ConnectionResetError(104, "Connection reset by peer"),
        FileNotFoundError(2, "No such file or directory"),
        EOFError(),
    ],
)
def test_every_way_in_which_torch_reports_a_dead_worker_is_one_error(problem):
    assert_becomes(problem, 2, StorageError, "worker died")
    assert_becomes(problem, 0, type(problem), None)


def test_torchs_timeout_is_told_apart_from_a_death_and_from_other_errors():
    assert_becomes(RuntimeError("DataLoader timed out after 120 seconds"), 2, StorageError, "delivered nothing")
    assert_becomes(RuntimeError("shape mismatch"), 2, RuntimeError, "shape mismatch")
    within = "Caught FileNotFoundError in DataLoader worker process 0.\nOriginal Traceback ..."
    assert_becomes(FileNotFoundError(within), 2, FileNotFoundError, "Caught")


def assert_becomes(problem, workers, error, words):
    def source():
        raise problem
        yield

    batches = Batches(source(), position=0, step=1, workers=workers, quarantine=Quarantine(3))
    with pytest.raises(error, match=words):
        next(batches)


@pytest.mark.slow  # torch gives the hung worker five seconds to leave by itself
def test_a_hung_worker_is_an_error_that_says_what_to_do(tmp_path):
    batches = loader(build(tmp_path, Asleep, count=4), batch_size=2, seed=0, workers=1, timeout_sec=1.0)
    started = time.monotonic()
    with pytest.raises(StorageError, match=r"delivered nothing(.|\n)*--resume"):
        take(batches, 20)
    batches.close()
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_other_errors_come_through_as_they_are(tmp_path, workers):
    batches = loader(build(tmp_path, Buggy, count=4), batch_size=2, seed=0, workers=workers)
    with pytest.raises(RuntimeError, match="a bug of our own"):
        next(batches)
    batches.close()


def test_ctrl_c_leaves_the_workers_at_work(dataset):
    batches = loader(dataset, batch_size=2, seed=3, workers=1)
    first = take(batches, 1)
    [worker] = torch.multiprocessing.active_children()
    os.kill(worker.pid, signal.SIGINT)
    assert_equal(first + drain(batches, 6), drain(loader(dataset, batch_size=2, seed=3), 7))
