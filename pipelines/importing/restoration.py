"""Restoration and super-resolution models through spandrel, which knows some forty architectures by their weights.

spandrel gets the weights that the safe reader has read; its own file readers are not used.
"""

from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pipelines.importing.adapting import NOISE_LEVEL, adapted
from pipelines.importing.imported import Imported
from pipelines.importing.recognising import Tensors
from pipelines.importing.windows import whole_numbers
from translate.card import Picture, SizeRule
from translate.errors import ConfigurationError, ModelError
from translate.method import Deploy
from translate.runtime.padding import padded_size

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

_COLOURS = {1, 3, 4}
_USUAL_PX = 64
"""What most of them are trained with."""
_CODE = "spandrel's code is free (MIT); weights have a licence of their own: see where you downloaded them."
_SAME = 1e-5
_TRIED_PX = 16


class OnUnitRange(nn.Module):
    """A network of pictures in [0, 1] as one of pictures in [-1, 1]: N x C x H x W to N x C x scale H x scale W.

    What leaves the range is clipped when it becomes pixels.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        """The restored picture, about [-1, 1]."""
        if not torch.compiler.is_exporting():
            return self._restored(picture)
        with whole_numbers(self.network):
            return self._restored(picture)

    def _restored(self, picture: Tensor) -> Tensor:
        return self.network((picture + 1.0) / 2.0) * 2.0 - 1.0


def from_spandrel(tensors: Tensors, file: str) -> Imported:
    """A model whose architecture spandrel tells by the weights; `upscale` above scale 1, else `translate`.

    Raises:
        ConfigurationError: spandrel is not installed.
        ModelError: it does not know the weights, or the model needs what a card cannot say (a mask, square pictures).
    """
    found = _recognised(tensors, file)
    rule = found.size_requirements
    size = SizeRule(multiple_of_px=rule.multiple_of, at_least_px=max(rule.minimum, rule.multiple_of))
    module = _same(found, size, file)
    deploy = Deploy(
        module=module,
        networks=(found.model,),
        task="upscale" if found.scale > 1 else "translate",
        inputs=(Picture(name="a", channels=found.input_channels, size=size),),
        outputs=(Picture(name="b", channels=found.output_channels, size=size),),
    )
    return Imported(
        deploy=deploy,
        scale=found.scale,
        about=_about(found),
        notes=tuple(_notes(found)),
        network="the network in PyTorch",
        code_licence=_CODE,
        usual_px=_USUAL_PX,
        is_ours=False,
        packages=("spandrel",),
    )


def _recognised(tensors: Tensors, file: str) -> "ImageModelDescriptor[nn.Module]":
    try:
        import spandrel
    except ModuleNotFoundError as problem:
        raise ConfigurationError("--from spandrel needs spandrel: pip install 'pixturn[train,restore]'") from problem
    try:
        found = spandrel.ModelLoader(device="cpu").load_from_state_dict(dict(tensors))
    except spandrel.UnsupportedModelError as problem:
        raise ModelError(
            f"{file}: spandrel {version('spandrel')} knows no model with these weights. A generator of "
            "pytorch-CycleGAN-and-pix2pix is imported with --from cyclegan-pix2pix"
        ) from problem
    except Exception as problem:  # building a network of weights that do not fit raises whatever it meets
        raise ModelError(f"{file}: spandrel cannot build its network: {problem}") from problem
    return _usable(found, file)


def _usable(found: Any, file: str) -> "ImageModelDescriptor[nn.Module]":  # noqa: ANN401 - one of two descriptors
    import spandrel

    name = found.architecture.name
    if not isinstance(found, spandrel.ImageModelDescriptor):
        raise ModelError(
            f"{file} is {name}, which fills in what a mask marks; models with masks cannot be imported yet"
        )
    if found.size_requirements.square:
        raise ModelError(f"{file} is {name}, which takes square pictures alone; that cannot be imported yet")
    if not {found.input_channels, found.output_channels} <= _COLOURS:
        raise ModelError(
            f"{file} is {name} from {found.input_channels} to {found.output_channels} channels; only grey (1), RGB (3) "
            "and RGBA (4) pictures can be read and written"
        )
    return found.float().eval()


def _about(found: "ImageModelDescriptor[nn.Module]") -> str:
    tags = f" ({', '.join(found.tags)})" if found.tags else ""
    return f"{found.architecture.name}{tags} through spandrel {version('spandrel')}, {found.purpose}, {found.scale}x"


def _notes(found: "ImageModelDescriptor[nn.Module]") -> Iterator[str]:
    yield _CODE
    if found.architecture.id == "DRUNet":
        level = round(NOISE_LEVEL * 255)
        yield f"The strength of the noise is an input of DRUNet; here it is {level} of 255, as in spandrel."


def _same(found: "ImageModelDescriptor[nn.Module]", size: SizeRule, file: str) -> OnUnitRange:
    """What can be exported and does what spandrel does with the network: some need more around them."""
    name, side = found.architecture.name, padded_size(_TRIED_PX, 1, size)[0]
    picture = torch.rand(1, found.input_channels, side, side, generator=torch.Generator().manual_seed(0))
    try:
        with torch.inference_mode():
            theirs = found(picture.clone())  # some write into what they are given
        module = OnUnitRange(adapted(found.model, found.architecture.id)).eval()
        places = _places(module)
        with torch.inference_mode():
            apart = float(((module(picture * 2.0 - 1.0) + 1.0) / 2.0).clamp(0.0, 1.0).sub(theirs).abs().max())
    except Exception as problem:  # models with other outputs than one picture fail in ways of their own
        raise ModelError(f"{file}: {name} cannot be run by itself: {problem}") from problem
    if places != _places(module):
        # torch.export crashes on such a network, and with it the whole process.
        raise ModelError(f"{file}: {name} makes new weights whenever it runs: it cannot be imported yet")
    if not apart <= _SAME:
        raise ModelError(
            f"{file}: {name} by itself gives other pictures than through spandrel (by {apart:.3g} of [0, 1]): it "
            "cannot be imported yet"
        )
    return module


def _places(module: nn.Module) -> list[int]:
    return [parameter.data_ptr() for parameter in module.parameters()]
