"""The endless stream of batches of a run, addressed by position, so that a run can go on from anywhere.

Sample i of a run is (epoch i // n, that epoch's permutation at i % n), where n is the length of the data set and the
permutation comes from (seed, epoch) alone. Batches run on over the end of an epoch, and none is cut short.
"""

import signal
import threading
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from translate.data.augmentation import limit_threads
from translate.data.dataset import Address, BatchSource, Collated
from translate.data.quarantine import Quarantine
from translate.data.randomness import Purpose, permutation
from translate.data.waiting import Waiting
from translate.errors import ConfigurationError, DatasetError, StorageError


class Stream:
    """Endless batches of addresses, of this process's share, from any position on.

    Every global batch holds `batch_size * world` samples in the run's order; process `rank` takes its contiguous
    part. So `world` processes see together, in the order of their ranks, what one process would see with batches
    of `batch_size * world`.
    """

    def __init__(
        self, length: int, *, batch_size: int, seed: int, position: int = 0, rank: int = 0, world: int = 1
    ) -> None:
        if length < 1:
            raise DatasetError("There is nothing to train on: the split has no pictures")
        if batch_size < 1:
            raise ConfigurationError(f"batch_size is {batch_size}: choose at least 1")
        if not 0 <= rank < world:
            raise ConfigurationError(f"rank is {rank} of {world} processes: it goes from 0 to {world - 1}")
        self._length = length
        self._batch_size = batch_size
        self._seed = seed
        self._position = position
        self._rank = rank
        self._world = world

    @property
    def step(self) -> int:
        """Samples that all processes together take for one batch."""
        return self._batch_size * self._world

    def __iter__(self) -> Iterator[list[Address]]:
        """Batches of (epoch, index), without end."""
        first = self._position + self._rank * self._batch_size
        while True:
            yield self.addresses(first, self._batch_size)
            first += self.step

    def addresses(self, first: int, count: int) -> list[Address]:
        """Epochs and indices of the run's samples `first` to `first + count - 1`."""
        found: list[Address] = []
        while len(found) < count:
            epoch, place = divmod(first + len(found), self._length)
            order = permutation(self._seed, Purpose.ORDER, epoch, self._length)
            found += [(epoch, index) for index in order[place : place + count - len(found)].tolist()]
        return found

    def address(self, number: int) -> Address:
        """Epoch and index of the run's sample `number`, from 0."""
        return self.addresses(number, 1)[0]


class Batches(Iterator[dict[str, Tensor]]):
    """Batches for the training loop: tensors by port name, with a leading batch axis."""

    def __init__(
        self,
        source: Iterator[Collated],
        *,
        position: int,
        step: int,
        workers: int,
        quarantine: Quarantine,
        waiting: Waiting | None = None,
        processes: Collection[BaseProcess] = (),
    ) -> None:
        self._source: Iterator[Collated] | None = source
        self._workers = workers
        self._waiting = waiting or Waiting(workers)
        self._processes = processes
        self._step = step
        self.position = position
        """The run's samples, of all processes, that were handed out; what workers fetched ahead does not count."""
        self.quarantine = quarantine
        self._hear_deaths(False)

    def __next__(self) -> dict[str, Tensor]:
        """The next batch.

        Raises:
            DatasetError: too many pictures are bad.
            StorageError: a worker process died or hangs.
        """
        if self._source is None:
            raise StopIteration
        with self._hearing_deaths(), self._waiting.measured():
            tensors, refused = _take(self._source, self._workers)
        self.quarantine.admit(refused)
        if not tensors:
            self.quarantine.refuse()
        self.position += self._step
        return tensors

    @contextmanager
    def _hearing_deaths(self) -> Generator[None]:
        """A worker's death is told here, where a batch is waited for.

        torch raises it out of a signal handler in the midst of whatever the training process computes or saves, where
        the run has no state that could be kept.
        """
        self._hear_deaths(True)
        try:
            self._raise_death()
            yield
        finally:
            self._hear_deaths(False)

    def _hear_deaths(self, wanted: bool) -> None:
        if self._processes and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGCHLD, self._raise_death if wanted else signal.SIG_DFL)

    def _raise_death(self, *_: object) -> None:
        for process in self._processes:
            if process.exitcode is not None:
                raise StorageError(_death(f"process {process.pid} ended with {process.exitcode}"))

    def close(self) -> None:
        """Stop the workers, one that hangs too: they do not listen to SIGTERM."""
        self._source = None
        for process in self._processes:
            process.kill()


def loader(
    dataset: BatchSource,
    *,
    batch_size: int,
    seed: int,
    position: int = 0,
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
    pin_memory: bool = False,
    timeout_sec: float = 120.0,
) -> Batches:
    """Read batches from `position` on, without end, and without touching a global random state.

    Args:
        dataset: the samples. What lies in memory is quickest with no workers: a batch is one gather.
        batch_size: samples in a batch of this process.
        seed: decides the order; the data set has its own seed for augmentation.
        position: samples of the run, of all processes together, that were used already.
        workers: processes that read ahead; 0 reads in this one. The number changes no pixel.
        rank: this process's number among `world`.
        world: processes that train together.
        pin_memory: whether batches are to lie in page-locked memory (for a CUDA device).
        timeout_sec: seconds after which a silent worker counts as hung.

    Raises:
        ConfigurationError: for sizes that cannot be.
        DatasetError: for an empty data set.
    """
    limit_threads()  # before the fork, so that no worker inherits a pool of threads that are gone
    stream = Stream(len(dataset), batch_size=batch_size, seed=seed, position=position, rank=rank, world=world)
    others = set(active_children())
    source = iter(_reading(dataset, stream, seed, workers, pin_memory, timeout_sec if workers else 0.0))
    return Batches(
        source,
        position=position,
        step=stream.step,
        workers=workers,
        quarantine=Quarantine(dataset.tolerated),
        # Beside a GPU the host runs ahead of it, and its own waiting says nothing.
        waiting=Waiting(workers, tells=not pin_memory),
        processes=set(active_children()) - others,
    )


def _reading(
    dataset: BatchSource, stream: Stream, seed: int, workers: int, pin_memory: bool, timeout_sec: float
) -> DataLoader[Any]:
    return DataLoader(
        cast("Dataset[Any]", dataset),  # torch asks for no more than the protocol says
        batch_sampler=stream,
        num_workers=workers,
        collate_fn=_as_it_is,
        pin_memory=pin_memory,
        timeout=timeout_sec,
        worker_init_fn=_start_worker,
        generator=torch.Generator().manual_seed(seed),  # else each iter() draws from torch's global state
    )


def _as_it_is(batch: object) -> object:
    """The data set gives whole batches; a named function, since workers may have to pickle it."""
    return batch


def _start_worker(_: int) -> None:
    limit_threads()
    # Ctrl-C reaches every process of the terminal, and service managers send SIGTERM to all processes of a job; the
    # training process saves first and then ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _take(source: Iterator[Collated], workers: int) -> Collated:
    try:
        return next(source)
    except (RuntimeError, OSError, EOFError) as problem:
        lost = _lost_worker(problem) if workers else None
        if lost is None:
            raise
        raise StorageError(lost) from problem


def _lost_worker(problem: Exception) -> str | None:
    """What to tell people if the error means that a worker is dead or hangs; None for an error of the data set."""
    text = str(problem)
    if "Caught " in text and "in DataLoader worker process" in text:
        return None  # raised by the data set's own code within the worker
    if "DataLoader timed out" in text:
        return (
            "A data worker has delivered nothing for too long. Does the disk with the pictures answer? "
            "Go on with --resume, and with --workers 0 to see where it hangs"
        )
    # A worker that was killed also shows as a broken connection, or as a socket or shared memory that is gone.
    if isinstance(problem, RuntimeError) and "DataLoader worker (pid" not in text:
        return None
    return _death(str(problem))


def _death(what: str) -> str:
    return (
        f"A data worker died ({what}). Mostly memory or /dev/shm is full: go on with --resume and fewer "
        "--workers (0 needs none), or give a container more shared memory (--shm-size)"
    )
