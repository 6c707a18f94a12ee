"""Small data sets in folders."""

import hashlib
from pathlib import Path

from PIL import Image

from translate.data.items import Layout

PAIRS = ("one", "two", "ten", "cat/deep")


def put(folder: Path, *names: str, size: tuple[int, int] = (8, 8)) -> None:
    """Pictures of one colour that is made from the name."""
    for name in names:
        path = folder / (name if "." in name else f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, tuple(hashlib.sha256(name.encode()).digest()[:3])).save(path)


def paths(layout: Layout, split: str, domain: str) -> list[str]:
    items = layout.splits[split].domains[domain]
    return [source.path.relative_to(layout.root).as_posix() for item in items for source in item.sources]


def keys(layout: Layout, split: str, domain: str) -> list[str]:
    return [item.key for item in layout.splits[split].domains[domain]]
