"""The truth that names tell: where unpaired training may be scored by pairs all the same.

Names of unpaired pictures are often mere numbers, so that names in common prove nothing. A split counts as pairs only
where both domains have exactly the same names, and the training names do not speak against it: they too must be exactly
the same (a paired set whose pairing training may not see), or have next to nothing in common (a set whose truth is
hidden in the test split). Unrelated pictures that are numbered alike *and* equally many in training and test alike
cannot be told from pairs: rename them.
"""

from dataclasses import replace

from translate.data.found import UNPAIRED_UP_TO
from translate.data.items import Layout, Split


def with_truth(layout: Layout) -> Layout:
    """The layout, its splits marked as pairs where names say so; no picture is left out or moved.

    Args:
        layout: Found with `paired=False`, before a validation split is held out, which inherits the mark of training.
    """
    names_are_numbers = not _have_equal_names(layout.splits["train"]) and _agreement(layout) > UNPAIRED_UP_TO
    if names_are_numbers:
        return layout
    splits = {name: replace(split, paired=_have_equal_names(split)) for name, split in layout.splits.items()}
    if not any(split.paired for split in splits.values()):
        return layout
    return replace(layout, splits=splits, description=f"{layout.description}; held-out pictures of one name are pairs")


def _have_equal_names(split: Split) -> bool:
    keys = [tuple(item.key for item in items) for items in split.domains.values()]
    return len(keys) == 2 and keys[0] == keys[1]


def _agreement(layout: Layout) -> float:
    """Training names in common / those of the larger domain."""
    keys = [{item.key for item in items} for items in layout.splits["train"].domains.values()]
    return len(set[str].intersection(*keys)) / max(1, *(len(names) for names in keys)) if len(keys) == 2 else 0.0
