"""The command `pixturn`: finds the sub-command, runs it, and turns errors into messages and exit codes.

Imports nothing heavy: `pixturn --help` answers without torch.
"""

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import version
from typing import Protocol, cast

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table

from translate.errors import PixturnError


@dataclass(frozen=True, kw_only=True)
class Command:
    """A sub-command: what it is for, and the module in pipelines.commands with its `main(arguments) -> exit code`."""

    summary: str
    example: str


class _Module(Protocol):
    def main(self, arguments: Sequence[str]) -> int: ...


COMMANDS = {
    "check": Command(summary="Examine a data set and say what would be trained", example="pixturn check DIR"),
    "train": Command(summary="Train a method, or resume a run", example="pixturn train pix2pix --data DIR --name NAME"),
    "run": Command(summary="Translate a picture or a folder", example="pixturn run NAME photo.jpg -o out.png"),
    "list": Command(summary="List runs, methods and recipes", example="pixturn list"),
    "report": Command(summary="Score a run's held-out pictures and write its report", example="pixturn report NAME"),
    "example": Command(summary="Prepare a real data set from a package", example="pixturn example openmoji DIR"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (see translate.errors)."""
    # Threads that wait for one another by spinning make a run ten times slower where another program has a core.
    # It has to be said before torch loads its OpenMP.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in {"-h", "--help", "help"}:
        _print_help()
        return 0
    if given[0] == "--version":
        Console().print(f"pixturn {version('pixturn')}", highlight=False)
        return 0
    return _run(given[0], given[1:])


def _run(name: str, arguments: Sequence[str]) -> int:
    console = Console(stderr=True)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=console)])
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else f": {', '.join(COMMANDS)}"
        console.print(f"[red]There is no command {escape(name)}[/red]{hint}", highlight=False)
        return 2
    try:
        module = cast("_Module", importlib.import_module(f"pipelines.commands.{name}"))
        return module.main(arguments)
    except ModuleNotFoundError as problem:
        console.print(f"[red]{escape(_missing_extra(name, problem))}[/red]", highlight=False)
        return 2
    except PixturnError as problem:
        console.print(f"[red]{escape(str(problem))}[/red]", highlight=False, soft_wrap=True)
        return problem.exit_code
    except BrokenPipeError:  # the reader has seen enough (`pixturn ... | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130


def _missing_extra(name: str, problem: ModuleNotFoundError) -> str:
    if (problem.name or "").partition(".")[0] in {"translate", "pipelines"}:
        raise problem
    return f"`pixturn {name}` needs {problem.name}, which is not installed: pip install 'pixturn[train]'"


def _print_help() -> None:
    table = Table.grid(padding=(0, 3))
    for name, command in COMMANDS.items():
        table.add_row(f"[bold]{name}[/bold]", command.summary, f"[dim]{command.example}[/dim]")
    console = Console(width=None)
    console.print("usage: pixturn COMMAND [OPTIONS]    (pixturn COMMAND --help for its options)\n", highlight=False)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
