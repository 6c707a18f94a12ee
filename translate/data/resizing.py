"""Pictures and label maps at another size, by OpenCV."""

import cv2
import numpy as np

from translate.card import LabelMap, PicturePort

Size = tuple[int, int]
"""Height and width, in pixels."""


def size_of(picture: np.ndarray, short_px: int, keep_aspect: bool) -> Size:
    """The size with a short side of `short_px`, or a square of it."""
    height, width = picture.shape[:2]
    if not keep_aspect:
        return short_px, short_px
    factor = short_px / min(height, width)
    return max(short_px, round(height * factor)), max(short_px, round(width * factor))


def resized(picture: np.ndarray, size: Size, port: PicturePort) -> np.ndarray:
    """H x W x C of a picture, H x W of a label map, at that size; classes are never mixed."""
    if picture.shape[:2] == size:
        return picture
    if isinstance(port, LabelMap):
        return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    # A side that shrinks is averaged and one that grows is interpolated, each by itself: OpenCV's bicubic aliases
    # when it shrinks, and its area method becomes bilinear as soon as one side grows.
    height, width = picture.shape[:2]
    smaller = (min(height, size[0]), min(width, size[1]))
    if smaller != (height, width):
        picture = cv2.resize(picture, smaller[::-1], interpolation=cv2.INTER_AREA)
    if smaller != size:
        picture = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_CUBIC)
    return picture.reshape(*size, -1)  # OpenCV drops the axis of a single channel


def centred(picture: np.ndarray, crop_px: int) -> np.ndarray:
    """The square of `crop_px` in the middle."""
    top, left = (picture.shape[0] - crop_px) // 2, (picture.shape[1] - crop_px) // 2
    return picture[top : top + crop_px, left : left + crop_px]
