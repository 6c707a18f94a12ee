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
        ConfigurationError: The file cannot be read, others may write it, a line is no `user:password`, or a user is
            there twice.
    """
    known = _entries(path)

    def matches(user: str, password: str) -> bool:
        right = known.get(user, "")
        # Compared in full even for unknown names, so that the time taken tells nothing.
        return hmac.compare_digest(right.encode(), password.encode()) and user in known

    return matches


def _entries(path: Path) -> dict[str, str]:
    known = dict[str, str]()
    for number, line in _lines(path):
        user, password = _entry(line, number, path)
        if user in known:
            raise ConfigurationError(f"--login {path}, line {number}: {user!r} is there already: one line a user")
        known[user] = password
    return known


def _lines(path: Path) -> list[tuple[int, str]]:
    """Those that are not blank, with their numbers in the file."""
    try:
        text = path.read_text("utf-8")
        writable = path.stat().st_mode & (stat.S_IWOTH)
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(f"--login {path} cannot be read ({problem}): check the path") from problem
    if writable:
        raise ConfigurationError(f"--login {path} can be written by everybody on this machine: chmod 600 {path}")
    numbered = enumerate((line.rstrip("\r\n") for line in text.split("\n")), start=1)
    lines = [(number, line) for number, line in numbered if line.strip()]
    if not lines:
        raise ConfigurationError(f"--login {path} is empty: write one user:password a line")
    return lines


def _entry(line: str, number: int, path: Path) -> tuple[str, str]:
    user, colon, password = line.partition(":")
    user = user.strip()  # as Gradio does with what a visitor writes; a password is taken as it is
    if not colon or not user or len(password) < _FEWEST_CHARACTERS:
        raise ConfigurationError(
            f"--login {path}, line {number}: write user:password, the password with {_FEWEST_CHARACTERS} characters "
            "or more"
        )
    return user, password
