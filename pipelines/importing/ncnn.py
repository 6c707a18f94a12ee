"""Networks of ncnn (`NAME.param`, `NAME.bin`), which many upscalers for phones and Vulkan are shared as.

The graph is run as it stands in the file, layer by layer; nobody has to know which architecture it was.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipelines.importing.imported import Imported
from pipelines.importing.ncnn_files import Layer, NcnnFiles
from pipelines.importing.restoration import OnUnitRange
from translate.card import Picture, SizeRule
from translate.errors import ModelError
from translate.method import Deploy

_TRIED_PX: Final = (16, 20)
_USUAL_PX: Final = 64
_CODE: Final = "ncnn itself is free (BSD-3-Clause); weights have a licence of their own: see where you got them."
_RANGE: Final = (
    "A file of ncnn does not say in which range its pictures are: RGB in [0, 1] was taken, as Real-ESRGAN has it. "
    "Where colours come out wrong, it was another."
)

Step = Callable[..., Tensor]


class NcnnNetwork(nn.Module):
    """The graph of a file: N x C x H x W to N x C' x sH x sW, both in the range that the file has.

    Raises:
        ModelError: a layer says what is not known here, or the graph has not one input and one output.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self._layers = tuple(layer for layer in layers if layer.kind != "Input")
        given = [layer.outputs[0] for layer in layers if layer.kind == "Input"]
        used = {blob for layer in layers for blob in layer.inputs}
        ends = [blob for layer in layers for blob in layer.outputs if blob not in used]
        if len(given) != 1 or len(ends) != 1:
            raise ModelError(f"the network has {len(given)} inputs and {len(ends)} outputs; only one each is known")
        self._given, self._end = given[0], ends[0]
        steps = [_BUILDERS[layer.kind](layer) for layer in self._layers]
        self._steps = tuple(steps)
        self.weighted = nn.ModuleList(step for step in steps if isinstance(step, nn.Module))

    def forward(self, picture: Tensor) -> Tensor:
        """What the graph's output blob holds."""
        blobs = {self._given: picture}
        for layer, step in zip(self._layers, self._steps, strict=True):
            made = step(*(blobs[name] for name in layer.inputs))
            blobs.update(dict.fromkeys(layer.outputs, made))
        return blobs[self._end]


def from_ncnn(files: NcnnFiles, file: str) -> Imported:
    """A network of ncnn that turns RGB pictures into RGB pictures; `upscale` above scale 1, else `translate`.

    Raises:
        ModelError: it has layers or settings that are not known here, or it is for something else.
    """
    try:
        module = OnUnitRange(NcnnNetwork(files.layers)).eval()
        scale = _scale(module)
    except (ModelError, KeyError, RuntimeError) as problem:  # torch, of weights and blobs that do not fit
        raise ModelError(f"{file}: this network of ncnn cannot be run: {problem}") from problem
    size = SizeRule(at_least_px=_TRIED_PX[0])
    deploy = Deploy(
        module=module,
        networks=(module.network,),
        task="upscale" if scale > 1 else "translate",
        inputs=(Picture(name="a", channels=3, size=size),),
        outputs=(Picture(name="b", channels=3, size=size),),
    )
    return Imported(
        deploy=deploy,
        scale=scale,
        about=f"a network of ncnn with {len(files.layers)} layers, {scale}x",
        notes=(_CODE, _RANGE),
        network="the network in PyTorch",
        code_licence=_CODE,
        usual_px=_USUAL_PX,
        is_ours=False,
    )


@torch.inference_mode()
def _scale(module: nn.Module) -> int:
    height, width = _TRIED_PX
    made = tuple(module(torch.zeros(1, 3, height, width)).shape)
    scale = made[2] // height
    if made != (1, 3, scale * height, scale * width) or scale < 1:
        raise ModelError(
            f"it turns 1 x 3 x {height} x {width} into {' x '.join(map(str, made))}; an RGB picture of the same or a "
            "larger size is needed"
        )
    return scale


def _known(layer: Layer, *keys: int) -> None:
    other = sorted(key for key, value in layer.values.items() if key not in keys and value != 0)
    if other:
        raise ModelError(f"layer {layer.name} ({layer.kind}) has the parameters {other}, which are not known here")


def _numbers(layer: Layer, key: int, default: tuple[float, ...]) -> tuple[float, ...]:
    value = layer.values.get(key, default)
    return value if isinstance(value, tuple) else (value,)


def _convolution(layer: Layer) -> nn.Module:
    _known(layer, 0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 14)
    weight = layer.tensors["weight"]
    convolution = nn.Conv2d(
        weight.shape[1],
        weight.shape[0],
        (weight.shape[2], weight.shape[3]),
        stride=layer.whole(3, 1),
        padding=(layer.whole(14, layer.whole(4)), layer.whole(4)),
        dilation=layer.whole(2, 1),
        bias="bias" in layer.tensors,
    )
    convolution.load_state_dict(dict(layer.tensors))
    return nn.Sequential(convolution, _activation(layer))


def _activation(layer: Layer) -> nn.Module:
    kinds: Mapping[int, Callable[[], nn.Module]] = {
        0: nn.Identity,
        1: nn.ReLU,
        2: lambda: nn.LeakyReLU(_numbers(layer, 10, (0.0,))[0]),
    }
    if layer.whole(9) not in kinds:
        raise ModelError(f"layer {layer.name} has the activation {layer.whole(9)}, which is not known here")
    return kinds[layer.whole(9)]()


def _prelu(layer: Layer) -> nn.Module:
    _known(layer, 0)
    module = nn.PReLU(layer.whole(0))
    module.load_state_dict(dict(layer.tensors))
    return module


def _interp(layer: Layer) -> Step:
    """Its filters are torch's: nearest by the floor, the others with half-pixel centres; bicubic has a = -0.75."""
    _known(layer, 0, 1, 2)
    modes = {1: "nearest", 2: "bilinear", 3: "bicubic"}
    scale = (layer.number(1, 1), layer.number(2, 1))
    if layer.whole(0) not in modes:
        raise ModelError(f"layer {layer.name} resizes by the method {layer.whole(0)}, which is not known here")
    return partial(functional.interpolate, scale_factor=scale, mode=modes[layer.whole(0)])


def _binary(layer: Layer) -> Step:
    _known(layer, 0)
    if layer.whole(0) != 0 or len(layer.inputs) != 2:
        raise ModelError(f"layer {layer.name} is another BinaryOp than the sum of two, which alone is known here")
    return torch.add


def _eltwise(layer: Layer) -> Step:
    _known(layer, 0, 1)
    if layer.whole(0) != 1:
        raise ModelError(f"layer {layer.name} is another Eltwise than a sum, which alone is known here")
    factors = _numbers(layer, 1, (1.0,) * len(layer.inputs))
    if len(factors) != len(layer.inputs):
        raise ModelError(f"layer {layer.name} has {len(layer.inputs)} inputs and {len(factors)} factors")
    return partial(_weighted_sum, factors)


def _weighted_sum(factors: Sequence[float], *parts: Tensor) -> Tensor:
    total = parts[0] * factors[0]
    for part, factor in zip(parts[1:], factors[1:], strict=True):
        total = total + part * factor
    return total


def _concat(layer: Layer) -> Step:
    _known(layer)
    return _along_channels


def _along_channels(*parts: Tensor) -> Tensor:
    return torch.cat(parts, dim=1)


def _shuffle(layer: Layer) -> Step:
    _known(layer, 0)
    return partial(functional.pixel_shuffle, upscale_factor=layer.whole(0, 1))


def _split(layer: Layer) -> Step:
    _known(layer)
    return _same


def _same(blob: Tensor) -> Tensor:
    return blob


_BUILDERS: Final[Mapping[str, Callable[[Layer], Step | nn.Module]]] = {
    "BinaryOp": _binary,
    "Concat": _concat,
    "Convolution": _convolution,
    "Eltwise": _eltwise,
    "Interp": _interp,
    "PReLU": _prelu,
    "PixelShuffle": _shuffle,
    "Split": _split,
}
