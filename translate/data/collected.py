"""From a split of a collection to what the stream reads."""

import numpy as np
import torch

from translate.card import Picture, Vector
from translate.data.array_samples import ArraySamples, TransformedArraySamples
from translate.data.augmentation import Augmentation
from translate.data.collection import ArrayPart, FilePart, Part
from translate.data.collection_finding import SamplePort
from translate.data.dataset import BatchSource
from translate.data.domains import X
from translate.data.fitting import fit, to_channels
from translate.data.items import Split
from translate.data.samples import Samples
from translate.errors import DatasetError


def samples_of(part: Part, port: SamplePort, augmentation: Augmentation, *, seed: int, training: bool) -> BatchSource:
    """A split, ready for `loader`: batches hold the port's tensor and, where there are labels, `label` (int64 N).

    Pictures of files are read one by one, and resized, cut and turned as the augmentation says. Pictures in memory
    are brought to crop_px once, by the rule of `translate.data.fitting`, and a batch is one gather, where the
    augmentation asks for no more than that and `flip`; otherwise they are treated as those of files. Points come as
    they are.

    Args:
        part: The split.
        port: What a sample is, by the name that it is to have in a batch.
        augmentation: What to do with pictures.
        seed: Decides every draw.
        training: Whether anything is drawn, and whether pictures that turn bad may be replaced.

    Raises:
        DatasetError: For a split that is empty or no such port.
    """
    if isinstance(part, FilePart):
        if isinstance(port, Vector):
            raise DatasetError(f"{part.folder}: holds pictures, and points are needed: save them as floats N x D")
        picture = Picture(name=port.name, channels=port.channels)
        split = Split(domains={X: part.items}, paired=False)
        return Samples(split, {X: (picture,)}, augmentation, seed=seed, training=training, labels=part.labels)
    labels = None if part.labels is None else torch.from_numpy(part.labels)
    if isinstance(port, Vector):
        return ArraySamples(port.name, torch.from_numpy(_points(part, port)), labels)
    pictures = to_channels(_pictures(part), port.channels)
    if not _is_gather(augmentation, pictures):
        picture = Picture(name=port.name, channels=port.channels)
        return TransformedArraySamples(picture, pictures, labels, augmentation, seed=seed, training=training)
    fitted = np.ascontiguousarray(fit(pictures, augmentation.crop_px).transpose(0, 3, 1, 2))
    mirror_seed = seed if training and augmentation.flip else None
    return ArraySamples(port.name, torch.from_numpy(fitted), labels, mirror_seed=mirror_seed)


def _points(part: ArrayPart, port: Vector) -> np.ndarray:
    if not part.are_points or part.values.shape[1] != port.size:
        raise DatasetError(f"{part.path}: holds no points of {port.size} numbers: save them as floats N x {port.size}")
    return part.values


def _pictures(part: ArrayPart) -> np.ndarray:
    if part.are_points:
        raise DatasetError(f"{part.path}: holds points, and pictures are needed: save them as uint8 N x H x W x C")
    return part.values


def _is_gather(augmentation: Augmentation, pictures: np.ndarray) -> bool:
    """Whether nothing has to be done to each picture in each epoch but mirroring."""
    cuts = augmentation.keep_aspect and pictures.shape[1] != pictures.shape[2]
    turns = augmentation.rotate_degrees or augmentation.scale_jitter or augmentation.vertical_flip
    recolours = augmentation.colour(X).is_on
    cuts = cuts or not (augmentation.resize or pictures.shape[1:3] == (augmentation.crop_px, augmentation.crop_px))
    return augmentation.load_px == augmentation.crop_px and not (cuts or turns or recolours)
