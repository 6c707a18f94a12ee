"""What a method's deploys make of noise and of held-out samples, and how good that is."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines.generating.generate import Advance, Generate
from pipelines.scoring.judge import LEAST_FOR_SSIM_PX, Score, mean_score
from pipelines.training.generation.held_out import HeldOut
from translate.data.tensors import to_uint8
from translate.method import Deploy
from translate.metrics.pairwise import l1_levels, psnr_db, ssim

CLASSIFY: Final = "classify"
"""The deploy whose first output are scores of the data set's classes."""
RECONSTRUCT: Final = "reconstruct"
"""The deploy that gives a sample back."""

_PAIRS = 32
_COLUMNS = 8


def made_samples(
    generate: Generate, like: HeldOut, seed: int, *, count: int | None = None, advance: Advance | None = None
) -> NDArray[np.float32]:
    """Samples of the classes that are held out, in turn, where the generator knows classes: N x shape.

    Args:
        generate: makes them.
        like: whose classes they have.
        seed: of the noise.
        count: how many; as many as are held out where it is None.
        advance: told of progress.
    """
    labels = like.labels if knows_classes_of(generate, like) else None
    label = None if labels is None else labels.tolist()
    inputs = generate.draw(len(like) if count is None else count, seed=seed, label=label)
    return generate.run(inputs, progress=advance)[generate.card.outputs[0].name]


def knows_classes_of(generate: Generate, data: HeldOut) -> bool:
    """Whether classes can be asked for that are the data's, rather than the generator's own."""
    return generate.inputs.label is not None and data.labels is not None and data.learns_classes


@torch.no_grad()
def classify_score(deploy: Deploy, held_out: HeldOut, device: torch.device) -> Score:
    """The share of held-out samples whose class it says."""
    assert held_out.labels is not None
    given = held_out.given(deploy.inputs, device)
    said = torch.cat([_first(deploy.module(*part)).argmax(dim=1).cpu() for part in given])
    return mean_score((said == held_out.labels).double().numpy())


@torch.no_grad()
def reconstruction_scores(deploy: Deploy, held_out: HeldOut, device: torch.device) -> dict[str, Score]:
    """How near what comes back is to what went in."""
    measures = {"l1": l1_levels, "psnr": psnr_db}
    if min(held_out.stored.shape[-2:]) >= LEAST_FOR_SSIM_PX:
        measures["ssim"] = ssim
    parts = [(_first(deploy.module(*part)), part[0]) for part in held_out.given(deploy.inputs, device)]
    return {
        name: mean_score(np.concatenate([measure(made, true).cpu().numpy() for made, true in parts]))
        for name, measure in measures.items()
    }


@torch.no_grad()
def reconstructions(deploy: Deploy, held_out: HeldOut, device: torch.device) -> NDArray[np.uint8]:
    """Samples and what comes back, below one another, in columns: H x W x 3."""
    given = tuple(part[:_PAIRS] for part in next(held_out.given(deploy.inputs, device)))
    true, made = given[0], _first(deploy.module(*given))
    cells = [np.concatenate(pair) for pair in zip(_pixels(true, held_out), _pixels(made, held_out), strict=True)]
    rows = [np.concatenate(cells[start : start + _COLUMNS], axis=1) for start in range(0, len(cells), _COLUMNS)]
    width = rows[0].shape[1]
    return np.concatenate([row for row in rows if row.shape[1] == width])


def _pixels(pictures: Tensor, held_out: HeldOut) -> NDArray[np.uint8]:
    pixels = to_uint8(pictures, held_out.picture_port)
    return np.repeat(pixels, 3, axis=3) if pixels.shape[3] == 1 else pixels[..., :3]


def _first(outputs: Tensor | tuple[Tensor, ...]) -> Tensor:
    return outputs[0] if isinstance(outputs, tuple) else outputs
