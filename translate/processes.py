"""The processes of one run, as torchrun starts them; a run without torchrun is a group of one.

Gradients are averaged here rather than by DistributedDataParallel: it allows one backward a forward, and the turns
of a game share forwards.
"""

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from translate.errors import PixturnError


class OtherProcessError(PixturnError):
    """Another process of this run failed and has said why; this one ends with its exit code."""

    def __init__(self, exit_code: int) -> None:
        super().__init__("Another process of this run has failed; its message says why")
        self.exit_code = exit_code


@dataclass(frozen=True, kw_only=True)
class Processes:
    """This process's place among `world` processes."""

    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes, prints and saves."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes, in one message."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if self.world == 1 or not gradients:
            return
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat.div_(self.world)
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def copy_from_first(self, tensors: Iterable[Tensor]) -> None:
        """Make every process's tensors those of the first."""
        if self.world > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def any_process(self, flag: bool) -> bool:
        """Whether the flag is set in any process (a signal may reach one of them)."""
        return bool(self._highest(int(flag)))

    def any_of(self, flags: Tensor) -> Tensor:
        """Which of the flags are set in any process; stays on the device, so that nobody waits for the answer."""
        if self.world == 1:
            return flags
        numbers = flags.to(torch.int32)
        dist.all_reduce(numbers, op=dist.ReduceOp.MAX)
        return numbers.bool()

    @contextmanager
    def agreeing(self) -> Generator[None]:
        """All processes leave the context together; where one raises, the others raise OtherProcessError.

        For what one process may refuse while the others would wait for it in their next exchange.
        """
        try:
            yield
        except BaseException as problem:
            self._highest(problem.exit_code if isinstance(problem, PixturnError) else PixturnError.exit_code)
            raise
        worst = self._highest(0)
        if worst:
            raise OtherProcessError(worst)

    def _highest(self, number: int) -> int:
        if self.world == 1:
            return number
        numbers = torch.tensor([number])
        dist.all_reduce(numbers, op=dist.ReduceOp.MAX)
        return int(numbers.item())

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.world > 1:
            dist.barrier()

    def gather(self, data: bytes) -> list[bytes]:
        """Every process's bytes, in rank order, at the first process; elsewhere an empty list."""
        if self.world == 1:
            return [data]
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.world)]
        dist.all_gather(sizes, torch.tensor([len(data)]))
        lengths = [int(size) for size in sizes]
        # A gather wants equal sizes: shorter ones are filled up with zeros, and cut again.
        message = torch.frombuffer(bytearray(data.ljust(max(lengths), b"\0")), dtype=torch.uint8)
        parts = [torch.empty_like(message) for _ in lengths] if self.is_first else None
        dist.gather(message, parts)
        return [part.numpy().tobytes()[:length] for part, length in zip(parts or [], lengths, strict=bool(parts))]


@contextmanager
def joined_processes() -> Generator[Processes]:
    """Within, be in the group that torchrun describes in the environment; without one, be alone."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Processes()
        return
    ours = not dist.is_initialized()
    if ours:
        # Both backends: gradients travel by the device's, flags and random states by gloo. Where there is no NCCL (on
        # Windows, say) gloo takes gradients as well.
        has_nccl = torch.cuda.is_available() and dist.is_nccl_available()
        dist.init_process_group("cpu:gloo,cuda:nccl" if has_nccl else "gloo")
    try:
        yield Processes(rank=dist.get_rank(), world=world)
    finally:
        if ours:
            dist.destroy_process_group()
