"""A folder of photos, from which inputs are made."""

from dataclasses import replace
from pathlib import Path

from translate.data.items import Layout, Split
from translate.data.layouts import find_layout
from translate.errors import DatasetError


def find_photos(root: Path) -> Layout:
    """The photos below `root`, as domain b; in train, validation and test folders or not.

    Raises DatasetError for a folder of two domains, or of none.
    """
    found = find_layout(root, paired=False)
    if any(set(split.domains) != {"a"} for split in found.splits.values()):
        raise DatasetError(
            f"{root}: this method makes its inputs from photos itself and wants one folder of them (in it train, "
            f"validation and test, if you like); found: {found.description}. Point --data at the folder of the photos"
        )
    splits = {name: Split(domains={"b": split.domains["a"]}, paired=True) for name, split in found.splits.items()}
    return replace(found, splits=splits)
