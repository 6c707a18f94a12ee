"""What to keep in mind when reading the figures of two sets: said beside them, since it changes what they mean."""

from pipelines.evaluating.sets import PictureSet
from translate.metrics.two_sample import FEWEST_FOR_POWER

_SIZES_DIFFER = 1.5
_SHARES_DIFFER = 0.5


def notes(first: PictureSet, second: PictureSet) -> list[str]:
    """Sentences about counts, sizes, formats, and pictures that were left out."""
    both = (first, second)
    return [*_few(first, second), *_sizes(first, second), *_formats(first, second), *map(_left_out, filter(_bad, both))]


def _few(first: PictureSet, second: PictureSet) -> list[str]:
    fewest = min(len(first), len(second))
    if fewest >= FEWEST_FOR_POWER:
        return []
    return [f"{fewest} pictures are too few: below {FEWEST_FOR_POWER} a side the two-sample test has no power."]


def _sizes(first: PictureSet, second: PictureSet) -> list[str]:
    smaller, larger = sorted((first, second), key=lambda pictures: pictures.original_side_px)
    if larger.original_side_px < _SIZES_DIFFER * smaller.original_side_px:
        return []
    return [
        f"The pictures in {larger.where} are larger (shorter side {larger.original_side_px} px, in {smaller.where} "
        f"{smaller.original_side_px} px): all were compared at {smaller.pixels.shape[1]} px, and a difference in "
        "sharpness may come of that."
    ]


def _formats(first: PictureSet, second: PictureSet) -> list[str]:
    shares = [pictures.lossy / len(pictures) for pictures in (first, second)]
    if abs(shares[0] - shares[1]) < _SHARES_DIFFER:
        return []
    return [
        f"{shares[0]:.0%} of the pictures in {first.where} and {shares[1]:.0%} of those in {second.where} were "
        "compressed with loss (JPEG): that alone moves the figures. Save both alike, as PNG."
    ]


def _bad(pictures: PictureSet) -> bool:
    return bool(pictures.left_out)


def _left_out(pictures: PictureSet) -> str:
    return f"{len(pictures.left_out)} files in {pictures.where} could not be read and were left out."
