"""What a search for the nearest training pictures found, as a file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.generating.neighbours import Nearness, Neighbours
from translate.storage.atomic import write_atomically


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The neighbours of every sample, the files that they come from, and what follows."""

    nearness: Nearness
    neighbours: Neighbours
    paths: Sequence[Path]


def write_finding(finding: Finding, path: Path) -> None:
    """Write it as JSON, whole or not at all: the sentence, its figures, and each sample's nearest files."""
    pairs = zip(finding.neighbours.places, finding.neighbours.distances, strict=True)
    document = {
        "finding": finding.nearness.sentence,
        "is_suspicious": finding.nearness.is_suspicious,
        "figures": asdict(finding.nearness),
        "samples": [
            {
                "index": index,
                "nearest": [str(finding.paths[place]) for place in places],
                "levels": [round(float(distance), 3) for distance in distances],
            }
            for index, (places, distances) in enumerate(pairs)
        ],
    }
    write_atomically(path, json.dumps(document, indent=2))
