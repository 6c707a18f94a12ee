"""Checks of what is in the pixels: size, depth, colour, transparency, labels."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from translate.data.doctor.diagnosis import Code, Problem
from translate.data.doctor.survey import Seen, Survey


def _is_deep(seen: Seen) -> bool:
    return seen.facts.probe is not None and seen.facts.probe.bits > 8


def _is_grey(seen: Seen) -> bool:
    return seen.facts.probe is not None and seen.facts.probe.is_grey


def _is_transparent(seen: Seen) -> bool:
    return seen.content is not None and seen.content.transparent


class _Mixture(NamedTuple):
    """A property that all pictures of a domain should share; `odd` and `usual` say it in words."""

    code: Code
    has: Callable[[Seen], bool]
    odd: str
    usual: str


_MIXTURES: Final = (
    _Mixture("mixed_depth", _is_deep, "16-bit", "8-bit"),
    _Mixture("mixed_grey", _is_grey, "grey", "in colour"),
    _Mixture("mixed_alpha", _is_transparent, "transparent", "opaque"),
)


def check_pixels(survey: Survey) -> Iterator[Problem]:
    """Too small for the crop; mixtures of depth, colour and transparency; CMYK; labels out of range."""
    for seen in survey.seen:
        yield from _too_small(seen, survey.crop_px)
        yield from _bad_labels(seen, survey.classes[seen.domain, seen.port])
    yield from _cmyk(survey)
    for domain, port in survey.classes:
        pictures = [s for s in survey.seen if (s.domain, s.port) == (domain, port) and s.content]
        if survey.classes[domain, port] is None:
            for mixture in _MIXTURES:
                yield from _mixed(pictures, mixture)


def _too_small(seen: Seen, crop_px: int) -> Iterator[Problem]:
    if seen.content and min(seen.content.width_px, seen.content.height_px) < crop_px:
        message = f"{seen.content.width_px} x {seen.content.height_px} px, and the crop has {crop_px} px"
        yield Problem(code="too_small", severity="warning", paths=(seen.path,), message=message)


def _bad_labels(seen: Seen, classes: int | None) -> Iterator[Problem]:
    if classes is not None and seen.content and seen.content.top_label >= classes:
        message = f"has the label {seen.content.top_label}; {classes} classes are 0 to {classes - 1}"
        yield Problem(code="label_out_of_range", severity="error", paths=(seen.path,), message=message)


def _cmyk(survey: Survey) -> Iterator[Problem]:
    for path, facts in survey.facts.items():
        if facts.probe and facts.probe.mode == "CMYK":
            how = "its ICC profile" if facts.probe.has_profile else "a plain formula, for want of an ICC profile"
            message = f"converted to RGB by {how}"
            yield Problem(code="cmyk", severity="warning", paths=(path,), message=message)


def _mixed(pictures: list[Seen], mixture: _Mixture) -> Iterator[Problem]:
    """The fewer are at fault; of equally many, those that have the property."""
    having = [seen for seen in pictures if mixture.has(seen)]
    lacking = [seen for seen in pictures if not mixture.has(seen)]
    if not having or not lacking:
        return
    odd, word = (having, mixture.odd) if len(having) <= len(lacking) else (lacking, mixture.usual)
    for seen in odd:
        message = f"is {word}; {len(pictures) - len(odd)} of {len(pictures)} of its domain are not"
        yield Problem(code=mixture.code, severity="warning", paths=(seen.path,), message=message)
