"""The user's folder for what Pixturn keeps to save time: deleting it is safe."""

import os
from pathlib import Path
from typing import Final

CACHE_VARIABLE: Final = "PIXTURN_CACHE"
"""The environment variable that says where to keep such things, rather than in ~/.cache/pixturn."""


def cache_folder() -> Path:
    """$PIXTURN_CACHE, $XDG_CACHE_HOME/pixturn or ~/.cache/pixturn. Raises RuntimeError where there is no home."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own)
    if common := os.environ.get("XDG_CACHE_HOME"):
        return Path(common) / "pixturn"
    return Path.home() / ".cache" / "pixturn"
