"""What came out of a file: weights by name, and nothing that claims to be larger than the file was."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from translate.errors import ModelError
from translate.storage.foreign.limits import Limits

_GROUPS = ("params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model", "netG", "generator", "net")
"""Names under which trainers put the weights that are to be used, the averaged ones first."""
_OPTIMISER = {"state", "param_groups"}
"""What every optimiser of torch's saves."""
_TIED_TIMES = 4
"""Tensors that share one storage are in the file once; more often than this, they are there to fill the memory."""


def tensors_of(document: Any, name: str, file_bytes: int, limits: Limits) -> dict[str, Tensor]:  # noqa: ANN401
    """The weights in what was read, detached. Raises ModelError for anything else."""
    tensors = _group(document, name)
    if len(tensors) > limits.max_tensors:
        raise ModelError(f"{name} has more than {limits.max_tensors:,} tensors (--limits.max-tensors)")
    for key, tensor in tensors.items():
        _check_kind(tensor, f"{name}: {key[:120]!r}")
    _check_bytes(tensors, name, file_bytes)
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"{name}: {key[:120]!r} has numbers that are not finite: the training had diverged")
    return {key: tensor.detach() for key, tensor in tensors.items()}


def _group(document: Any, name: str) -> dict[str, Tensor]:  # noqa: ANN401
    """The tensors of the document, or of the group in it that holds the weights."""
    if not isinstance(document, Mapping):
        raise ModelError(f"{name} holds a {type(document).__name__}, not weights by name (a state dict)")
    if set(document) == _OPTIMISER:
        raise ModelError(
            f"{name} holds the state of an optimiser, not a network: give the file of the network's weights"
        )
    tensors = _tensors(document)
    groups = {key: group for key, value in document.items() if (group := _tensors(value))}
    known = [key for key in _GROUPS if key in groups]
    # Beside a known group, a lone tensor is a counter of the trainer's.
    if not known and (tensors or not groups):
        return tensors or _no_weights(name)
    if not known and len(groups) > 1:
        raise ModelError(f"{name} holds several groups of weights, {sorted(map(str, groups))}: save one of them alone")
    return groups[known[0] if known else next(iter(groups))]


def _no_weights(name: str) -> dict[str, Tensor]:
    raise ModelError(f"{name} holds no weights: save them with torch.save(network.state_dict(), PATH)")


def _tensors(value: Any) -> dict[str, Tensor]:  # noqa: ANN401
    if not isinstance(value, Mapping):
        return {}
    return {key: entry for key, entry in value.items() if isinstance(key, str) and isinstance(entry, Tensor)}


def _check_kind(tensor: Tensor, name: str) -> None:
    plain = type(tensor) in {Tensor, nn.Parameter} and tensor.layout == torch.strided and not tensor.is_quantized
    if not plain or tensor.device.type != "cpu" or tensor.is_complex():
        raise ModelError(f"{name} is not a plain tensor of numbers; save the weights again, in float32")


def _check_bytes(tensors: Mapping[str, Tensor], name: str, file_bytes: int) -> None:
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors.values()}
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if sum(storages.values()) > file_bytes or claimed > _TIED_TIMES * file_bytes:
        raise ModelError(f"{name} claims tensors larger than the file is; it is damaged, or made to fill the memory")
