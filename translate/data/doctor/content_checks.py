"""Checks across files: the same pixels where they should not be. Label maps and pictures of one colour may repeat."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from translate.data.doctor.diagnosis import Problem, Severity
from translate.data.doctor.survey import Seen, Survey

_MANY: Final = 0.1
"""The share of samples with equal A and B from which both folders must be thought the same: an error."""


def check_contents(survey: Survey) -> Iterator[Problem]:
    """Duplicates within a split, leaks between splits, the same picture in A and B."""
    pictures = [seen for seen in survey.seen if survey.is_picture(seen) and seen.content]
    yield from _duplicates(pictures)
    telling = [seen for seen in pictures if seen.content and not seen.content.flat]
    yield from _leaks(survey, telling)
    yield from _same_in_both(telling)


def _by_digest(pictures: Iterable[Seen]) -> Iterator[list[Seen]]:
    """Groups of files with the same pixels, each in the order of the files."""
    groups: dict[str, list[Seen]] = {}
    for seen in pictures:
        if seen.content:
            groups.setdefault(seen.content.digest, []).append(seen)
    return (group for group in groups.values() if len(group) > 1)


def _duplicates(pictures: list[Seen]) -> Iterator[Problem]:
    for part in sorted({(seen.split, seen.domain, seen.port) for seen in pictures}):
        for group in _by_digest(s for s in pictures if (s.split, s.domain, s.port) == part):
            message = f"{len(group)} files of the {part[0]} split are the same picture"
            yield Problem(code="duplicate", severity="warning", paths=_paths(group), message=message)


def _leaks(survey: Survey, pictures: list[Seen]) -> Iterator[Problem]:
    """An error where a whole sample is in two splits; of pairs, one half alone may do (one drawing, two colourings)."""
    samples = _samples(survey)
    for part in sorted({(seen.domain, seen.port) for seen in pictures}):
        for group in _by_digest(s for s in pictures if (s.domain, s.port) == part):
            splits = sorted({seen.split for seen in group}, key=survey.found.splits.index)
            if len(splits) > 1:
                severity: Severity = "error" if _is_whole_sample(group, samples) else "warning"
                message = f"the same picture is in the splits {' and '.join(splits)}"
                yield Problem(code="leak", severity=severity, paths=_paths(group), message=message)


def _samples(survey: Survey) -> dict[tuple[str, str], dict[tuple[str, int], str]]:
    """By split and key, the digests of all pictures of a pair; nothing where there are no pairs."""
    samples: dict[tuple[str, str], dict[tuple[str, int], str]] = {}
    for seen in survey.seen if survey.found.paired else ():
        if seen.content:
            samples.setdefault((seen.split, seen.key), {})[seen.domain, seen.port] = seen.content.digest
    return samples


def _is_whole_sample(group: list[Seen], samples: dict[tuple[str, str], dict[tuple[str, int], str]]) -> bool:
    """Whether two files of the group are in equal samples of different splits."""
    splits: dict[frozenset[tuple[tuple[str, int], str]], set[str]] = {}
    for seen in group:
        sample = samples.get((seen.split, seen.key), {})
        splits.setdefault(frozenset(sample.items()), set()).add(seen.split)
    return any(len(names) > 1 for names in splits.values())


def _same_in_both(pictures: list[Seen]) -> Iterator[Problem]:
    groups = [group for group in _by_digest(pictures) if len({seen.domain for seen in group}) > 1]
    files = {seen.path for group in groups for seen in group}
    many = len(files) > _MANY * len({seen.path for seen in pictures})
    for group in groups:
        message = "the same picture is in A and in B"
        severity: Severity = "error" if many else "warning"
        yield Problem(code="same_in_a_and_b", severity=severity, paths=_paths(group), message=message)


def _paths(group: list[Seen]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(seen.path for seen in group))
