"""Where results go: the place that the user names, or one beside what went in; never over it."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.batch.results import Format
from translate.data.headers import EXTENSIONS
from translate.errors import ConfigurationError

_USUAL: Format = "png"


def place_for(sources: Sequence[Path], out: str | Path | None, word: str, file_format: Format | None) -> Path:
    """Where the results of a picture or of a folder go.

    Args:
        sources: what is read; the first decides the name.
        out: what the user named; for a picture, one that ends in / is a folder. None: beside the first, a.jpg as
            a.WORD.png and a folder as FOLDER.WORD.
        word: says what was done.
        file_format: what the user wants, if anything.

    Raises:
        ConfigurationError: a place that cannot be, is what is to be read, or is taken already where it was not named.
    """
    if sources[0].is_dir():
        return _folder_beside(sources[0], word) if out is None else _folder_for(Path(out))
    if out is not None:
        return _named(sources, out, file_format)
    beside = sources[0].with_name(f"{sources[0].stem}.{word}.{file_format or _USUAL}")
    if beside.exists():
        raise ConfigurationError(f"{beside} is there already: say with -o where to write (-o {beside} replaces it)")
    return beside


def _folder_for(out: Path) -> Path:
    if out.suffix.lower() in EXTENSIONS and not out.is_dir():
        raise ConfigurationError(f"-o {out}: results of a folder go into a folder: give a name without {out.suffix}")
    return out


def _folder_beside(folder: Path, word: str) -> Path:
    named = folder if folder.name not in ("", "..") else folder.resolve()
    return named.with_name(f"{named.name}.{word}")


def _named(sources: Sequence[Path], out: str | Path, file_format: Format | None) -> Path:
    is_into = str(out).endswith("/") or Path(out).is_dir()
    target = Path(out) / f"{sources[0].stem}.{file_format or _USUAL}" if is_into else Path(out)
    if target.exists() and any(target.samefile(path) for path in sources):
        raise ConfigurationError(f"-o {out}: that is what is to be read; choose another place")
    if is_into and target.exists():
        raise ConfigurationError(f"{target} is there already (-o {target} replaces it)")
    _require_ending(target, file_format)
    return target


def _require_ending(target: Path, file_format: Format | None) -> None:
    ending, known = target.suffix.lower(), ", ".join(EXTENSIONS)
    if not ending:
        raise ConfigurationError(f"-o {target}: end it in .png ({known}), or in / for a folder")
    if ending not in EXTENSIONS:
        raise ConfigurationError(f"{target}: cannot write {target.suffix!r}; use one of {known}")
    if file_format is not None and EXTENSIONS[ending] != EXTENSIONS[f".{file_format}"]:
        raise ConfigurationError(f"--format {file_format} contradicts -o {target}; leave one out")
