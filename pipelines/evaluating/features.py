"""Through which eyes two sets are compared: a named network, or the pixels themselves."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipelines.evaluating.sets import PictureSet, Progress
from translate.data.pictures import Pixels
from translate.errors import ConfigurationError
from translate.metrics.backbone import SHORTEST_SIDE_PX, as_backbone_input
from translate.metrics.distribution import Embeddings
from translate.networks.efficientnet import EfficientNetLite

FeaturesName = Literal["effnet-lite1", "inception", "pixels"]

USUAL: Final[FeaturesName] = "effnet-lite1"
"""The ones that are on every machine."""

PIXELS_SIDE_PX: Final = 32
_INCEPTION_SIDE_PX: Final = 299
_BATCH: Final = 32
_INCEPTION_WEIGHTS: Final = "weights-inception-2015-12-05-6726825d.pth"


@dataclass(frozen=True, kw_only=True)
class Features:
    """A way to turn pictures into vectors, the name it has, and the name of a Frechet distance by it."""

    label: str
    frechet: str
    network: nn.Module
    """In evaluation mode; N x 3 x S x S uint8 to N x D."""
    largest_side_px: int
    """Larger pictures are shrunk to this before they are looked at."""

    @torch.inference_mode()
    def of(self, pictures: PictureSet, device: torch.device, progress: Progress) -> Embeddings:
        """The vectors of a set, N x D."""
        network = self.network.to(device)
        rows: list[Tensor] = []
        for start in range(0, len(pictures), _BATCH):
            batch = _as_tensor(pictures.pixels[start : start + _BATCH]).to(device)
            rows.append(network(batch).double().cpu())
            progress(f"Looking at {pictures.where}", min(start + _BATCH, len(pictures)), len(pictures))
        return torch.cat(rows).numpy()


def features_named(name: FeaturesName) -> Features:
    """The features of that name. Raises ConfigurationError where their weights are not on this machine."""
    return _BUILDERS[name]()


def _as_tensor(pixels: Pixels) -> Tensor:
    """N x S x S x 3 to N x 3 x S x S, still uint8."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))


class _Narrow(nn.Module):
    """The judge's embedding, on pictures enlarged as the judge has them."""

    def __init__(self) -> None:
        super().__init__()
        self.judge = EfficientNetLite(variant="lite1")

    def forward(self, pictures: Tensor) -> Tensor:
        return self.judge.embed_narrow(as_backbone_input(pictures.float() / 127.5 - 1))


class _Shrunk(nn.Module):
    """The pixels themselves, averaged on a coarse grid."""

    def forward(self, pictures: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(pictures.float() / 127.5 - 1, PIXELS_SIDE_PX).flatten(1)


def _effnet_lite1() -> Features:
    return Features(
        label="EfficientNet-Lite1", frechet="FD-EffNetLite1", network=_Narrow(), largest_side_px=SHORTEST_SIDE_PX
    )


def _pixels() -> Features:
    return Features(
        label=f"pixels at {PIXELS_SIDE_PX} px",
        frechet=f"FD-pixels{PIXELS_SIDE_PX}",
        network=_Shrunk(),
        largest_side_px=SHORTEST_SIDE_PX,
    )


def _inception() -> Features:
    """FID's own network and its own resizing, as torchmetrics has them; nothing is downloaded."""
    weights = Path(torch.hub.get_dir()) / "checkpoints" / _INCEPTION_WEIGHTS
    if find_spec("torch_fidelity") is None or not weights.is_file():
        raise ConfigurationError(
            f"--features inception needs torch-fidelity (pip install torch-fidelity) and FID's weights in {weights}: "
            "get them there yourself, or take --features effnet-lite1, whose distance is called FD-EffNetLite1"
        )
    from torchmetrics.image.fid import FrechetInceptionDistance

    network = FrechetInceptionDistance(feature=2048, feature_extractor_weights_path=os.fspath(weights)).inception
    return Features(label="InceptionV3 (FID's)", frechet="FID", network=network, largest_side_px=_INCEPTION_SIDE_PX)


_BUILDERS: Final[Mapping[FeaturesName, Callable[[], Features]]] = {
    "effnet-lite1": _effnet_lite1,
    "inception": _inception,
    "pixels": _pixels,
}
