"""From pixels to the numbers of a port, and back, with numpy alone.

`translate.data.tensors` does the same for batches on a device; a test holds the two equal to the last bit.
"""

import numpy as np

from translate.card import FixedPicture, LabelMap, PicturePort


def to_network(pixels: np.ndarray, port: PicturePort | FixedPicture) -> np.ndarray:
    """One picture as the input of a network.

    Args:
        pixels: H x W x C uint8 for a picture; H x W or H x W x 1 integers for a label map.
        port: says whether this is a picture or a label map.

    Returns:
        1 x C x H x W float32 in [-1, 1]; a label map one-hot, 1 where the class is and -1 elsewhere.
    """
    if isinstance(port, LabelMap):
        labels = pixels.reshape(1, 1, *pixels.shape[:2])
        classes = np.arange(port.classes).reshape(1, -1, 1, 1)
        return (labels == classes).astype(np.float32) * np.float32(2.0) - np.float32(1.0)
    numbers = pixels.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    return np.ascontiguousarray(numbers / np.float32(127.5) - np.float32(1.0))


def from_network(numbers: np.ndarray, port: PicturePort | FixedPicture) -> np.ndarray:
    """One output of a network as pixels, rounded to the nearest level (halves to even) and clamped.

    Args:
        numbers: 1 x C x H x W; values outside [-1, 1] become the nearest of the two.
        port: says whether this is a picture or scores of classes.

    Returns:
        H x W x C uint8 for a picture; H x W x 1 for a label map, the first of the largest classes, as uint8 or,
        above 256 classes, uint16.
    """
    if isinstance(port, LabelMap):
        labels = numbers[0].argmax(axis=0)[..., np.newaxis]
        return labels.astype(np.uint8 if port.classes <= 256 else np.uint16)
    scaled = (numbers[0].astype(np.float32) + np.float32(1.0)) * np.float32(127.5)
    levels = np.clip(np.rint(scaled), 0.0, 255.0).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))
