"""Generators of pytorch-CycleGAN-and-pix2pix and CUT: from a file's weights to a deploy."""

from typing import Literal

from pipelines.importing.choices import TheirOptions
from pipelines.importing.generators import BatchStatistics, generator
from pipelines.importing.imported import Imported
from pipelines.importing.recognising import Tensors, plain, recognise
from pipelines.importing.reference import Architecture
from translate.card import Picture
from translate.deploy import translation

Way = Literal["AtoB", "BtoA"]

_USUAL_PX = 256
"""Their --crop_size."""
_CODE = (
    "The code that made them is free (BSD, https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix); none of it is in "
    "this file."
)


def from_cyclegan_pix2pix(
    tensors: Tensors, file: str, theirs: TheirOptions, statistics: BatchStatistics, way: Way
) -> Imported:
    """A generator in evaluation mode, with ports named after the domains.

    Raises:
        ModelError: the weights are no such generator.
        ConfigurationError: they are another one than the options say.
    """
    weights = plain(tensors)
    found = recognise(weights, file)
    theirs.require(found, file)
    network = generator(found, weights, statistics, file)
    first, second = ("a", "b") if way == "AtoB" else ("b", "a")
    deploy = translation(
        network, (Picture(name=first, channels=found.inputs),), (Picture(name=second, channels=found.outputs),)
    )
    deploy.module.eval()
    return Imported(
        deploy=deploy,
        about=_about(found, statistics),
        notes=tuple(_notes(found, statistics)),
        network="their network (rebuilt in PyTorch)",
        code_licence=_CODE,
        usual_px=_USUAL_PX,
        is_ours=True,
    )


def _about(found: Architecture, statistics: BatchStatistics) -> str:
    filters = {(False, False): "", (True, True): ", anti-aliased", (True, False): ", anti-aliased when it halves"}
    blur = filters.get((found.blurs_down, found.blurs_up), ", anti-aliased when it doubles")
    norm = f"{found.norm} norm" + (f" with {_STATISTICS[statistics]}" if found.norm == "batch" else "")
    dropout = " (dropout off)" if found.dropout else ""
    return (
        f"{found.name} of pytorch-CycleGAN-and-pix2pix, {found.inputs} to {found.outputs} channels, width "
        f"{found.width}, {norm}{blur}{dropout}"
    )


_STATISTICS = {"picture": "each picture's own statistics", "running": "the statistics of training"}


def _notes(found: Architecture, statistics: BatchStatistics) -> list[str]:
    notes = ["Their test script scales pictures to 256 x 256 px first; this model takes them as they are."]
    if found.norm == "batch" and statistics == "picture":
        notes.append(
            "Batch norm takes each picture's own statistics, as their test script does without --eval. If you tested "
            "with --eval, or trained with a large --batch_size, try --batch-statistics running too, and compare."
        )
    return notes
