"""What the doctor says: problems, each with its code, severity, files, and what to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from translate.data.items import Layout

Severity = Literal["error", "warning"]
Code = Literal[
    "missing_partner",
    "partner_case",
    "two_extensions",
    "pair_sizes",
    "pair_rotation",
    "zero_bytes",
    "truncated",
    "not_a_picture",
    "other_format",
    "damaged",
    "too_many_pixels",
    "out_of_memory",
    "several_frames",
    "unreadable",
    "link",
    "unread_extension",
    "too_small",
    "duplicate",
    "leak",
    "same_in_a_and_b",
    "small_class",
    "two_classes",
    "mixed_depth",
    "mixed_grey",
    "mixed_alpha",
    "cmyk",
    "label_out_of_range",
    "lossy_label_map",
    "empty_folder",
    "unsupported_mode",
    "odd_width",
    "pairing_unclear",
    "layout",
]


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """What a kind of problem is called in a headline, and what to do about it."""

    title: str
    fix: str


REMEDIES: Final[dict[Code, Remedy]] = {
    "missing_partner": Remedy(
        title="no partner of the same name",
        fix="add the partner under the same name (its extension may differ), or remove the picture",
    ),
    "partner_case": Remedy(
        title="partner whose name differs in upper and lower case",
        fix="rename one of the two to the name of the other",
    ),
    "two_extensions": Remedy(
        title="one name, several files", fix="keep one of the files; only the first in alphabetical order would be used"
    ),
    "pair_sizes": Remedy(title="sizes differ within a pair", fix="crop or resize both to the same view and size"),
    "pair_rotation": Remedy(
        title="one half of a pair is EXIF-rotated",
        fix="save both pictures upright without the EXIF orientation, and look whether they still fit together",
    ),
    "zero_bytes": Remedy(title="zero bytes", fix="copy the file again from where it came, or remove it"),
    "truncated": Remedy(title="cut short", fix="copy the file again from where it came, or remove it"),
    "not_a_picture": Remedy(title="not a picture", fix="remove the file, or save it as PNG, JPEG, WebP, TIFF or BMP"),
    "other_format": Remedy(
        title="another format than its name says",
        fix="give it the extension of its format; it is read anyway",
    ),
    "damaged": Remedy(title="damaged data", fix="copy the file again from where it came, or remove it"),
    "too_many_pixels": Remedy(title="over the size limit", fix="shrink the picture, or cut it up"),
    "out_of_memory": Remedy(
        title="does not fit into memory", fix="shrink the picture, cut it up, or end other programs and check again"
    ),
    "several_frames": Remedy(title="animated, or many pages", fix="save the frame or page that is meant on its own"),
    "unreadable": Remedy(title="cannot be read", fix="check the permissions (chmod u+r), or remove it"),
    "link": Remedy(
        title="link that dangles or leaves the data set", fix="replace the link by a copy of the file, or remove it"
    ),
    "unread_extension": Remedy(
        title="file type that is not read",
        fix="save pictures as PNG, JPEG, WebP, TIFF or BMP; move the rest away",
    ),
    "too_small": Remedy(
        title="smaller than the training crop",
        fix="use larger pictures or a smaller crop: these are enlarged",
    ),
    "duplicate": Remedy(title="the same picture several times in a split", fix="keep one of them"),
    "leak": Remedy(
        title="the same picture in two splits",
        fix="remove it from one split: scores on pictures seen in training are misleading",
    ),
    "same_in_a_and_b": Remedy(
        title="the same picture in A and in B",
        fix="check that both folders hold what they should",
    ),
    "small_class": Remedy(
        title="class with few pictures", fix="add pictures to the class, or leave it out: it would be memorised"
    ),
    "two_classes": Remedy(
        title="the same picture in two classes", fix="leave it in the class that it belongs to, and remove the other"
    ),
    "mixed_depth": Remedy(
        title="16-bit among 8-bit pictures", fix="check that both look equally bright; save all in one depth"
    ),
    "mixed_grey": Remedy(title="grey among colour pictures", fix="remove the odd ones, or save all as grey"),
    "mixed_alpha": Remedy(
        title="transparency in some pictures", fix="flatten them on the background they should have (white otherwise)"
    ),
    "cmyk": Remedy(title="CMYK, made for print", fix="convert to sRGB with a colour-managed program"),
    "label_out_of_range": Remedy(
        title="labels out of range", fix="map the labels to 0, 1, 2, ..., or give the right number of classes"
    ),
    "lossy_label_map": Remedy(
        title="label maps stored lossily",
        fix="make them again and save them as PNG: their labels have changed",
    ),
    "empty_folder": Remedy(title="empty folder", fix="put pictures into the folder, or remove it"),
    "unsupported_mode": Remedy(
        title="kind of pixels that is not read", fix="save it as 8-bit RGB or grey (labels: PNG)"
    ),
    "odd_width": Remedy(title="cannot be cut in two halves", fix="crop it to an even width, A left and B right"),
    "pairing_unclear": Remedy(
        title="pairs, or not?", fix="say that the set is paired, or that it is not; equal names make a pair"
    ),
    "layout": Remedy(title="the layout cannot be used", fix="arrange the folders as the message says"),
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong. `paths` are the files at fault, below the data set's root where they lie there."""

    code: Code
    severity: Severity
    paths: tuple[Path, ...]
    message: str

    @property
    def title(self) -> str:
        """The headline of its kind."""
        return REMEDIES[self.code].title

    @property
    def fix(self) -> str:
        """What to do about it."""
        return REMEDIES[self.code].fix


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """All that was found. `layout` is None where the folder cannot be used at all; `pictures` were decoded."""

    root: Path
    problems: tuple[Problem, ...]
    layout: Layout | None
    pictures: int

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Problems that keep the set from training, or would silently spoil training or its scores."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Problems that are worth a look."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")
