"""Who may come in: a text file of `user:password` lines."""

import hmac
import stat
from collections.abc import Callable
from pathlib import Path

from translate.errors import ConfigurationError

_FEWEST_CHARACTERS = 8


def login_from(path: Path) -> Callable[[str, str], bool]:
    """What says whether a name and a password belong together.

    Raises:
        ConfigurationError: The file cannot be read, others may write it, or a line is no `user:password`.
    """
    known = dict(_entry(line, number, path) for number, line in enumerate(_lines(path), start=1))

    def matches(user: str, password: str) -> bool:
        right = known.get(user, "")
        # Compared in full even for unknown names, so that the time taken tells nothing.
        return hmac.compare_digest(right.encode(), password.encode()) and user in known

    return matches


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8")
        writable = path.stat().st_mode & (stat.S_IWOTH)
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(f"--login {path} cannot be read ({problem}): check the path") from problem
    if writable:
        raise ConfigurationError(f"--login {path} can be written by everybody on this machine: chmod 600 {path}")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ConfigurationError(f"--login {path} is empty: write one user:password a line")
    return lines


def _entry(line: str, number: int, path: Path) -> tuple[str, str]:
    user, colon, password = line.strip().partition(":")
    if not colon or not user or len(password) < _FEWEST_CHARACTERS:
        raise ConfigurationError(
            f"--login {path}, line {number}: write user:password, the password with {_FEWEST_CHARACTERS} characters "
            "or more"
        )
    return user, password
