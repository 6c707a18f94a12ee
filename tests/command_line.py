"""The command in this process, and what it leaves: for tests that use it as people do."""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from pipelines.cli import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


def pixturn(*arguments) -> Outcome:
    """The command in this process; tyro ends with SystemExit."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
    return Outcome(code, out.getvalue(), err.getvalue())


def done(*arguments) -> Outcome:
    outcome = pixturn(*arguments)
    assert outcome.code == 0, outcome.err
    return outcome
