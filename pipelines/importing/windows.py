"""Window attention for every batch and size: what spandrel's transformers say in floats, said in whole numbers.

They put windows together to pictures with `B = int(windows.shape[0] / (H * W / size / size))`. `torch.export` cannot
follow a size through that, and keeps the batch of its example. The batch is what is left over, so nobody need
compute it.
"""

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Final

from torch import Tensor, nn

_PACKAGE: Final = "spandrel."


@contextmanager
def whole_numbers(network: nn.Module) -> Generator[None]:
    """Within, spandrel's functions that put windows together are ours; the numbers that they give are the same."""
    homes = {sys.modules[type(part).__module__] for part in network.modules()}
    with ExitStack() as exchanged:
        for home in homes:
            if home.__name__.startswith(_PACKAGE):
                _exchange(home, exchanged)
        yield


def _exchange(home: ModuleType, exchanged: ExitStack) -> None:
    for name, ours in _OURS.items():
        theirs = getattr(home, name, None)
        if theirs is not None:
            exchanged.callback(setattr, home, name, theirs)
            setattr(home, name, ours)


def _from_squares(windows: Tensor, size: int, height: int, width: int) -> Tensor:
    """Windows x size x size x C to N x height x width x C."""
    return _from_rectangles(windows, size, size, height, width)


def _from_rectangles(windows: Tensor, rows: int, columns: int, height: int, width: int) -> Tensor:
    """Windows x (rows * columns) x C to N x height x width x C."""
    channels = windows.shape[-1]
    apart = windows.reshape(-1, height // rows, width // columns, rows, columns, channels)
    return apart.permute(0, 1, 3, 2, 4, 5).reshape(-1, height, width, channels)


_OURS: Final[Mapping[str, Callable[..., Tensor]]] = {"window_reverse": _from_squares, "windows2img": _from_rectangles}
"""By the names that their functions have in every file of spandrel's that has one."""
