"""How much memory tensors take at once, counted as they are made and let go of; fake tensors count as true ones."""

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

_BLOCK_BYTES = 512
"""torch's allocator on a GPU hands out multiples of this."""


class LiveStorages(TorchDispatchMode):
    """Counts what operations take and make until nobody holds it: `now_bytes`, and the most at once, `peak_bytes`.

    What operations need besides (workspaces of convolutions, say) and what allocators waste is not seen. Questions
    that fake tensors cannot answer ("is something not finite?", "how full is the pool?") are answered by no, which is
    0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now_bytes = 0
        self.peak_bytes = 0
        self._counted: set[int] = set()

    def count(self, tensors: Iterable[Tensor]) -> None:
        """Count these, too; views of one storage count once."""
        for tensor in tensors:
            self._count(tensor.untyped_storage())

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata  # pyright: ignore[reportPrivateUsage] - a fake storage has no other address
        if key in self._counted:
            return
        blocks_bytes = -(-storage.nbytes() // _BLOCK_BYTES) * _BLOCK_BYTES
        self._counted.add(key)
        self.now_bytes += blocks_bytes
        self.peak_bytes = max(self.peak_bytes, self.now_bytes)
        weakref.finalize(storage, self._let_go, key, blocks_bytes)

    def _let_go(self, key: int, blocks_bytes: int) -> None:
        self._counted.discard(key)
        self.now_bytes -= blocks_bytes

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operation gives
        """Do what was asked, and count what comes."""
        if func is torch.ops.aten._local_scalar_dense.default and isinstance(args[0], FakeTensor):
            return False
        made = func(*args, **(kwargs or {}))
        self.count(each for each in pytree.tree_leaves((args, kwargs, made)) if isinstance(each, Tensor))
        return made
