"""Every picture of a data set, decoded and described: what the checks look at."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from translate.card import LabelMap
from translate.data.doctor.facts import Content, Facts, View, gather
from translate.data.doctor.memory import Memory
from translate.data.domain import port_of
from translate.data.found import DomainFolder, Found
from translate.data.pictures import Limits

Progress = Callable[[int, int], None]

_MAX_THREADS: Final = 4  # a picture at the limit of 40 MP takes up to a gigabyte while it is decoded


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One file as one domain sees it. `content` is None where the file could not be read as what it should be."""

    folder: DomainFolder
    domain: str
    port: int
    key: str
    path: Path
    facts: Facts
    content: Content | None

    @property
    def split(self) -> str:
        """Train, validation or test."""
        return self.folder.split


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What the checks look at. `classes` is, by domain and port, the number of labels; None for pictures."""

    found: Found
    facts: Mapping[Path, Facts]
    seen: tuple[Seen, ...]
    classes: Mapping[tuple[str, int], int | None]
    crop_px: int

    def is_picture(self, seen: Seen) -> bool:
        """Whether a file is one of colours, not of labels."""
        return self.classes[seen.domain, seen.port] is None


def survey(
    found: Found, kinds: Mapping[str, tuple[str, ...]], crop_px: int, limits: Limits, memory: Memory, progress: Progress
) -> Survey:
    """Read all that was found. `kinds` are those of the ports, by domain: `rgb`, `grey`, `rgba`, `labels:N`."""
    ports = {(domain, i): port_of(kind, domain) for domain, names in kinds.items() for i, kind in enumerate(names)}
    classes = {place: port.classes if isinstance(port, LabelMap) else None for place, port in ports.items()}
    views = {folder.listing.folder: _views(found, folder, classes) for folder in found.folders}
    work = [(path, views[folder.listing.folder]) for folder in found.folders for path in folder.listing.files]
    facts = _read_all(work, limits, memory, progress)
    seen = [one for folder in found.folders for one in _seen(folder, facts)]
    return Survey(
        found=found,
        facts=facts,
        seen=tuple(seen),
        classes=classes,
        crop_px=crop_px,
    )


def _views(found: Found, folder: DomainFolder, classes: Mapping[tuple[str, int], int | None]) -> tuple[View, ...]:
    if folder.domain != "both":
        return (View(labels=classes[folder.domain, folder.port] is not None),)
    return tuple(View(half=found.half_of(domain), labels=classes[domain, 0] is not None) for domain in ("a", "b"))


def _read_all(
    work: list[tuple[Path, tuple[View, ...]]], limits: Limits, memory: Memory, progress: Progress
) -> dict[Path, Facts]:
    """Decoding leaves the interpreter's lock, so threads are enough."""

    def read(task: tuple[Path, tuple[View, ...]]) -> Facts:
        path, views = task
        facts = memory.recall(path, views)
        if facts is None:
            facts = gather(path, views, limits)
            memory.keep(path, views, facts)
        return facts

    facts: dict[Path, Facts] = {}
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS)) as pool:
        results = pool.map(read, work)
        for (path, _), fact in zip(work, results, strict=True):
            facts[path] = fact
            progress(len(facts), len(work))
    return facts


def _seen(folder: DomainFolder, facts: Mapping[Path, Facts]) -> list[Seen]:
    domains = ("a", "b") if folder.domain == "both" else (folder.domain,)
    return [
        Seen(
            folder=folder,
            domain=domain,
            port=folder.port,
            key=key,
            path=path,
            facts=facts[path],
            content=facts[path].contents[index] if facts[path].contents else None,
        )
        for key, paths in folder.listing.pictures.items()
        for path in paths
        for index, domain in enumerate(domains)
    ]
