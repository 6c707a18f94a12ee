"""One pass over a data set: find, read, check, and say it all at once."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from translate.data.doctor.content_checks import check_contents
from translate.data.doctor.diagnosis import REMEDIES, Diagnosis, Problem
from translate.data.doctor.file_checks import check_files
from translate.data.doctor.memory import Memory, default_cache
from translate.data.doctor.pair_checks import check_pairs
from translate.data.doctor.pixel_checks import check_pixels
from translate.data.doctor.survey import Progress, Survey, survey
from translate.data.found import Direction, Found
from translate.data.items import Layout
from translate.data.layouts import layout_of, scan
from translate.data.photos import DOMAIN, scan_photos
from translate.data.pictures import DEFAULT_LIMITS, Limits
from translate.errors import DatasetError

CHECKS: Final[tuple[Callable[[Survey], Iterator[Problem]], ...]] = (
    check_pairs,
    check_files,
    check_contents,
    check_pixels,
)


def examine(
    root: Path,
    *,
    direction: Direction = "AtoB",
    paired: bool | None = None,
    a_kinds: tuple[str, ...] = ("rgb",),
    b_kinds: tuple[str, ...] = ("rgb",),
    crop_px: int,
    limits: Limits = DEFAULT_LIMITS,
    cache: Path | None = None,
    on_progress: Progress | None = None,
) -> Diagnosis:
    """Look at every picture of a data set, and list all problems.

    Args:
        root: The data set's folder.
        direction: BtoA swaps the domains, as in `find_layout`.
        paired: As in `find_layout`.
        a_kinds: What the pictures of one sample of "a" (after `direction`) are: `rgb`, `grey`, `rgba`, `labels:N`.
        b_kinds: The same of "b".
        crop_px: The side of training crops; a shorter picture is enlarged, which is worth a warning.
        limits: What a picture may have at most.
        cache: Where to remember what was seen (by path, size and time of change); None: the user's cache folder.
        on_progress: Called with the number of files looked at, and of all.

    Returns:
        Problems in the order of `REMEDIES`; never raises for what is wrong with the data.

    Raises:
        ConfigurationError: For kinds that do not exist.
    """
    try:
        found = scan(root, direction=direction, a_ports=len(a_kinds), b_ports=len(b_kinds), paired=paired)
    except DatasetError as problem:
        return Diagnosis(root=root, problems=(_unusable(root, problem),), layout=None, pictures=0)
    return _examine(found, {"a": a_kinds, "b": b_kinds}, crop_px, limits, cache, on_progress)


def examine_photos(
    root: Path,
    *,
    kinds: tuple[str, ...] = ("rgb",),
    crop_px: int,
    limits: Limits = DEFAULT_LIMITS,
    cache: Path | None = None,
    on_progress: Progress | None = None,
) -> Diagnosis:
    """As `examine`, for a folder of photos from which inputs are made: albums are fine, two domains are an error."""
    try:
        found = scan_photos(root)
    except DatasetError as problem:
        return Diagnosis(root=root, problems=(_unusable(root, problem),), layout=None, pictures=0)
    return _examine(found, {DOMAIN: kinds}, crop_px, limits, cache, on_progress)


def _examine(
    found: Found,
    kinds: Mapping[str, tuple[str, ...]],
    crop_px: int,
    limits: Limits,
    cache: Path | None,
    on_progress: Progress | None,
) -> Diagnosis:
    memory = Memory(cache or default_cache(found.root))
    seen = survey(found, kinds, crop_px, limits, memory, on_progress or _silent)
    memory.save()
    problems = [problem for check in CHECKS for problem in check(seen)]
    layout = _layout(found, problems)
    order = list(REMEDIES)
    problems.sort(key=lambda problem: (order.index(problem.code), problem.paths))
    return Diagnosis(root=found.root, problems=tuple(problems), layout=layout, pictures=len(seen.facts))


def _silent(done: int, of: int) -> None:
    """Progress that is not shown."""
    del done, of


def _layout(found: Found, problems: list[Problem]) -> Layout | None:
    """The layout, or one more problem: unless an empty folder has been named already, which is the usual reason."""
    try:
        return layout_of(found)
    except DatasetError as problem:
        if not any(other.code == "empty_folder" for other in problems):
            problems.append(_unusable(found.root, problem))
        return None


def _unusable(root: Path, problem: DatasetError) -> Problem:
    empty = root.is_dir() and not any(path.is_file() for path in root.rglob("*"))
    code = "empty_folder" if empty else "layout"
    return Problem(code=code, severity="error", paths=(root,), message=str(problem).removeprefix(f"{root}: "))
