"""A CUDA card that is played: fake tensors for its memory, and a look at every place where the host would wait for it.

Fake tensors know shapes, types of numbers and devices, and hold none. Operations that mix devices raise as on a card.
"""

import sys
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensorMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

CUDA = torch.device("cuda", 0)
_HOUSE = tuple(str(Path(__file__).parents[1] / part) for part in ("translate", "pipelines", "tests/test_"))
_aten = torch.ops.aten

_READ = (_aten._local_scalar_dense.default, _aten.is_nonzero.default, _aten.equal.default)
"""A number of the card is read."""
_LOOKED_AT = (
    _aten.multinomial.default,
    _aten.normal.Tensor_Tensor,
    _aten.normal.float_Tensor,
    _aten.binomial.default,
    _aten._linalg_check_errors.default,
)
"""On a card these look whether their numbers can be, which fake tensors do not show."""
_SIZED_BY_NUMBERS = ("nonzero", "masked_select", "unique", "_unique", "_unique2", "unique_dim", "bincount")
"""How large their result is is only known when it is there."""
_COPIES = (_aten._to_copy.default, _aten.copy_.default)
_PINNED = (_aten._pin_memory.default, _aten.pin_memory.default)


class Waits(TorchDispatchMode):
    """Notes where the host waits for the card, as `file:function`; everything read is 0, everything chosen is all."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        on_card = any(_is_on_card(each) for each in pytree.tree_leaves((args, kwargs)))
        if func in _READ and on_card:
            return self._wait(0)
        if on_card and (func in _LOOKED_AT or func._schema.name.removeprefix("aten::") in _SIZED_BY_NUMBERS):
            self._wait()
        if func in _COPIES:
            self._copy(func, args, kwargs)
        if func in _PINNED:
            return args[0].clone()
        if func in _FAKES:
            return _FAKES[func](*args, **kwargs)
        if func is _aten.index.Tensor and on_card:
            return self._chosen(func, *args)
        return func(*args, **kwargs)

    def _wait(self, answer=None):
        self.places.append(_place())
        return answer

    def _copy(self, func, args, kwargs) -> None:
        """Between host and card only what does not block goes on; towards the host that would be read too early."""
        if func is _aten.copy_.default:
            to, given, blocks = args[0].device, args[1], not (args[2] if len(args) > 2 else kwargs.get("non_blocking"))
        else:
            to, given, blocks = kwargs.get("device") or args[0].device, args[0], not kwargs.get("non_blocking")
        if {given.device.type, to.type} == {"cpu", "cuda"} and (blocks or to.type == "cpu"):
            self._wait()

    def _chosen(self, func, given, indices):
        """A mask chooses: how many is read first. Indices that lie on the host are copied first."""
        for index in indices:
            if index is not None and (index.dtype == torch.bool or index.device.type == "cpu"):
                self._wait()
        if any(index is not None and index.dtype == torch.bool for index in indices):
            (mask,) = indices
            return given.flatten(0, mask.dim() - 1) if mask.dim() > 1 else given.clone()
        return func(given, indices)


def _is_on_card(value: object) -> bool:
    return isinstance(value, Tensor) and value.device.type == "cuda"


def _fused_sgd(*given, **settings) -> None:
    devices = {each.device for each in pytree.tree_leaves((given, settings)) if isinstance(each, Tensor)}
    assert len(devices) == 1, f"one step on {devices}"


def _grid_sampler(pictures: Tensor, grid: Tensor) -> Tensor:
    assert pictures.device == grid.device
    return pictures.new_empty(*pictures.shape[:2], *grid.shape[1:3])


def _grid_sampler_backward(pictures: Tensor, grid: Tensor, _gradient: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(pictures), torch.empty_like(grid)


_FAKES = {
    _aten._fused_sgd_.default: _fused_sgd,
    _aten.cudnn_grid_sampler.default: _grid_sampler,
    _aten.cudnn_grid_sampler_backward.default: _grid_sampler_backward,
}
"""Of what torch has no fakes."""


def _place() -> str:
    """The innermost line of the house."""
    frame = sys._getframe(2)
    while frame and not frame.f_code.co_filename.startswith(_HOUSE):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_name}" if frame else "elsewhere"


@contextmanager
def played_card() -> Generator[Waits]:
    """Within, `device="cuda"` is a card of fake tensors, whose torch says that it multiplies bf16."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.cuda.amp.common.amp_definitely_not_available", lambda: False)
        patch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation=True: True)
        patch.setattr("torch.autograd._engine_run_backward", run_backward)
        # Modules swap fake weights for those of another order, which torch refuses where somebody watches them.
        patch.setattr("torch.utils.weakref", SimpleNamespace(getweakrefs=lambda _tensor: []))
        with mode, FakeCopyMode(mode), Waits() as waits:
            yield waits


# The way back: torch's own has a thread and streams for each card, which are not there.


def run_backward(outputs, gradients, keep_graph, create_graph, inputs, allow_unreachable=False, accumulate_grad=False):
    """What torch's engine does, node by node, on this thread: casts and sums to what each node was given."""
    wanted = [torch.autograd.graph.get_gradient_edge(tensor) for tensor in inputs]
    waiting = _dependencies([output.grad_fn for output in outputs])
    given: dict[object, dict[int, Tensor]] = defaultdict(dict)
    found: dict[tuple[object, int], Tensor] = {}
    for output, gradient in zip(outputs, gradients, strict=True):
        _add(given[output.grad_fn], output.output_nr, torch.ones_like(output) if gradient is None else gradient)
    ready = [node for node in given if not waiting[node]]
    with torch.set_grad_enabled(create_graph):
        while ready:
            node = ready.pop()
            came = given.pop(node, {})
            found |= {(node, number): gradient for number, gradient in came.items()}
            gradients = _passed(node, came, accumulate_grad)
            for (follower, number), gradient in zip(node.next_functions, gradients, strict=False):
                if follower is None:
                    continue
                if gradient is not None:
                    _add(given[follower], number, _fitting(gradient, follower._input_metadata[number]))
                waiting[follower] -= 1
                if not waiting[follower]:
                    ready.append(follower)
    return tuple(found.get((edge.node, edge.output_nr)) for edge in wanted)


def _dependencies(roots) -> dict[object, int]:
    counts: dict[object, int] = defaultdict(int)
    left, seen = list(roots), set(roots)
    while left:
        for follower, _ in left.pop().next_functions:
            if follower is not None:
                counts[follower] += 1
                if follower not in seen:
                    seen.add(follower)
                    left.append(follower)
    return counts


def _passed(node, came: dict[int, Tensor], accumulates: bool):
    if hasattr(node, "variable"):
        if accumulates and came:
            _accumulate(node.variable, came[0])
        return ()
    if not came:
        return (None,) * len(node.next_functions)
    row = [came.get(number) for number in range(len(node._input_metadata))]
    is_python = isinstance(node, torch.autograd.function.BackwardCFunction)
    gradients = node.apply(*row) if is_python else node(*row)
    return gradients if isinstance(gradients, tuple) else (gradients,)


def _accumulate(leaf: Tensor, gradient: Tensor) -> None:
    """In the leaf's order in memory, which fused steps rely on."""
    gradient = torch.empty_like(leaf).copy_(gradient.detach())
    leaf.grad = gradient if leaf.grad is None else leaf.grad + gradient


def _add(row: dict[int, Tensor], number: int, gradient: Tensor) -> None:
    row[number] = row[number] + gradient if number in row else gradient


def _fitting(gradient: Tensor, wanted) -> Tensor:
    """torch's engine refuses a gradient on another device."""
    assert gradient.device == wanted.device, f"a gradient on {gradient.device} for a tensor on {wanted.device}"
    gradient = gradient if gradient.shape == wanted.shape else gradient.sum_to_size(wanted.shape)
    return gradient if gradient.dtype == wanted.dtype else gradient.to(wanted.dtype)
