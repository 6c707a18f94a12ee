"""A folder of photos, from which inputs are made."""

from dataclasses import replace
from pathlib import Path

from translate.data.items import Layout
from translate.data.layouts import layout_of
from translate.data.photos import scan_photos


def find_photos(root: Path) -> Layout:
    """The photos below `root`, as domain b; in train, validation and test folders or not, in albums or not.

    Raises DatasetError for a folder of two domains, or of none.
    """
    found = layout_of(scan_photos(root))
    splits = {name: replace(split, paired=True) for name, split in found.splits.items()}
    return replace(found, splits=splits)
