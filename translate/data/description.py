"""What a data set says of itself: `dataset.json` in its folder, which may be missing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

NAME: Final = "dataset.json"


def description_file(root: Path) -> Path:
    """Where the description of a data set lies, of a folder in it, of a file beside it."""
    return (root if root.is_dir() else root.parent) / NAME


def described(root: Path) -> Mapping[str, Any]:
    """All that a data set says of itself, by word; empty where it has no description that can be read."""
    try:
        document = json.loads(description_file(root).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("Mapping[str, Any]", document) if isinstance(document, dict) else {}


def stated(root: Path, word: str) -> str:
    """What a data set says of itself under this word, such as `licence`; empty where it says nothing."""
    value = described(root).get(word)
    return "" if value is None else str(value)
