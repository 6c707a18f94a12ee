"""Which generator a file holds, read from the names and shapes of its weights; then held to all of them."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from pipelines.importing.reference import Architecture, Norm
from translate.errors import ModelError

Tensors = Mapping[str, Tensor]

_PARALLEL = "module."
"""What torch's DataParallel puts before every name."""
_IDLE = re.compile(r".*\.(filt|running_mean|running_var|num_batches_tracked)")
"""Fixed filters, and statistics (instance norms of before torch 0.4 carry some that nothing reads)."""
_FILTER = ".filt"
_FILTERS = ((1.0, 2.0, 1.0), (1.0, 3.0, 3.0, 1.0))
_BLOCK = re.compile(r"model\.(\d+)\.conv_block\.")
_UNET_LEVEL = re.compile(r"model\.model\.1(\.model\.3)*\.model\.1\.weight")
_COLOURS = {1, 3, 4}
_LARGEST = 64
"""Residual blocks or halvings; nobody has trained more."""


def plain(tensors: Tensors) -> dict[str, Tensor]:
    """The weights without the prefix that training on several GPUs leaves."""
    parallel = all(name.startswith(_PARALLEL) for name in tensors)
    return {name.removeprefix(_PARALLEL) if parallel else name: tensor for name, tensor in tensors.items()}


def recognise(tensors: Tensors, file: str) -> Architecture:
    """The generator that these plain weights belong to.

    Raises ModelError, which says what the file looks like and where it stops to fit, for anything else.
    """
    found = _from_blocks(tensors) or _from_levels(tensors)
    if found is None or found.size > _LARGEST:
        raise ModelError(f"{file} holds no generator of pytorch-CycleGAN-and-pix2pix: {_instead(tensors)}")
    _require_names(tensors, found, file)
    _require_filters(tensors, file)
    strange = {found.inputs, found.outputs} - _COLOURS
    if strange:
        raise ModelError(
            f"{file} takes pictures of {found.inputs} channels and gives {found.outputs}; only grey (1), RGB (3) and "
            "RGBA (4) pictures can be read and written (their colorization model works in Lab, outside the network)"
        )
    return found


def _from_blocks(tensors: Tensors) -> Architecture | None:
    places = sorted({int(match[1]) for name in tensors if (match := _BLOCK.match(name))})
    head = tensors.get("model.1.weight")
    if not places or head is None or head.ndim != 4:
        return None
    end = places[-1] + 1
    tails = [tensors.get(f"model.{end + steps}.weight") for steps in (7, 9)]
    blurs_up = f"model.{end}.weight" not in tensors
    tail = tails[blurs_up]
    return Architecture(
        kind="resnet",
        size=len(places),
        norm=_norm("model.1", "model.2", tensors),
        inputs=head.shape[1],
        outputs=tail.shape[0] if tail is not None and tail.ndim == 4 else 0,
        width=head.shape[0],
        dropout=f"model.{places[0]}.conv_block.5.weight" not in tensors,
        blurs_down="model.7.weight" not in tensors,
        blurs_up=blurs_up,
    )


def _from_levels(tensors: Tensors) -> Architecture | None:
    head, tail = tensors.get("model.model.0.weight"), tensors.get("model.model.3.weight")
    levels = [name for name in tensors if _UNET_LEVEL.fullmatch(name)]
    if head is None or tail is None or head.ndim != 4 or tail.ndim != 4 or not levels:
        return None
    return Architecture(
        kind="unet",
        size=1 + len(levels),
        norm=_norm("model.model.0", "model.model.1.model.2", tensors),
        inputs=head.shape[1],
        outputs=tail.shape[1],
        width=head.shape[0],
    )


def _norm(convolution: str, norm: str, tensors: Tensors) -> Norm:
    if f"{norm}.weight" in tensors:
        return "batch"
    return "instance" if f"{convolution}.bias" in tensors else "none"


def expected_names(architecture: Architecture) -> set[str]:
    """The names of every weight that is to be there; statistics may be there too."""
    biases, scales = architecture.norm == "instance", architecture.norm == "batch"
    names = set[str]()
    for layer in architecture.layers():
        names.add(f"{layer.convolution}.weight")
        if biases:
            names.add(f"{layer.convolution}.bias")
        if scales and layer.norm:
            names |= {f"{layer.norm}.weight", f"{layer.norm}.bias"}
    # The last convolution has no norm after it, so it has a bias whatever the norm.
    return names | {f"{architecture.layers()[-1].convolution}.bias"}


def _require_names(tensors: Tensors, found: Architecture, file: str) -> None:
    expected = expected_names(found)
    missing = sorted(expected - set(tensors))
    added = sorted(name for name in set(tensors) - expected if not _IDLE.fullmatch(name))
    wrong = [f"lacks {name[:80]!r}" for name in missing[:1]] + [f"has {name[:80]!r} besides" for name in added[:1]]
    if wrong:
        raise ModelError(
            f"{file} comes nearest to {found.name} with norm {found.norm}, but {' and '.join(wrong)}: it was made by "
            "a changed version of that code, and would give other pictures here"
        )


def _require_filters(tensors: Tensors, file: str) -> None:
    """CUT's filters are weights that never change, so they lie in the file: they must be those that we compute."""
    for name, tensor in tensors.items():
        if name.endswith(_FILTER) and not any(_is_filter(tensor, line) for line in _FILTERS):
            raise ModelError(f"{file}: {name!r} is another filter than CUT's, and would give other pictures here")


def _is_filter(tensor: Tensor, line: tuple[float, ...]) -> bool:
    square = torch.outer(torch.tensor(line), torch.tensor(line))
    expected = (square / square.sum()).expand(len(tensor), 1, -1, -1)
    return tensor.shape == expected.shape and torch.allclose(tensor / tensor[0].sum(), expected)


def _instead(tensors: Tensors) -> str:
    names = list(tensors)
    if any(name.startswith("mlp_") for name in names):
        return "it is CUT's feature network (net_F); give the generator, latest_net_G.pth"
    if "model.0.weight" in names and tensors["model.0.weight"].ndim == 4:
        return "it looks like a discriminator (net_D); give the generator (latest_net_G.pth, or net_G_A and net_G_B)"
    return f"its weights begin with {names[0][:80]!r}. For restoration models use --from spandrel"
