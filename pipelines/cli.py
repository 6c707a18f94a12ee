"""The command `pixturn`: finds the sub-command, runs it, and turns errors into messages and exit codes.

Imports nothing heavy: `pixturn --help` answers without torch.
"""

import importlib
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import version
from keyword import iskeyword
from typing import Final, Protocol, cast

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table

from translate.errors import ConfigurationError, PixturnError


class _Module(Protocol):
    def main(self, arguments: Sequence[str]) -> int: ...


_GROUPS: Final = {
    "Use models": {
        "upscale": "Make a picture or a folder of them larger",
        "inpaint": "Fill what a mask marks in a picture, or extend it beyond its edges",
        "run": "Translate a picture or a folder with a trained run",
        "generate": "Make pictures with a trained generator, or sheets that show what it has learnt",
        "app": "Open the page in the browser: models by task, and your own",
        "list": "List the models that ship, the trained runs and the methods",
    },
    "Train": {
        "example": "Prepare a real data set to try things on",
        "check": "Examine a data set: what is wrong with it, and what would be trained",
        "train": "Train by a recipe on a data set, or go on with a run",
        "report": "Score a run on pictures that it never saw, and write its report",
    },
    "Ship and bring in": {
        "export": "Write a trained run as one .onnx file that is proven to compute the same",
        "import": "Turn weights of other code bases into one .onnx file that is proven to compute the same",
        "bench": "Measure which settings train, and which engines run a model, fastest on this machine",
    },
    "Measure": {
        "evaluate": "Hold a folder of made pictures against real ones: how good are they as a set?",
        "drift": "Test whether production pictures have left what a model was trained on",
    },
}
COMMANDS: Final = {name: summary for commands in _GROUPS.values() for name, summary in commands.items()}
"""The sub-commands; each is the module of that name in pipelines.commands, with its `main(arguments) -> exit code`.

That of `import`, a word of Python's, is `import_`.
"""

_MODEL_FIRST = "the picture stands after the model, as in: pixturn upscale x2 photo.jpg"
_DEVICE = "say --device cpu or --device cuda (CUDA_VISIBLE_DEVICES picks one of several)"
_ON_PICTURES: Final[Mapping[str, str]] = {
    "-i": _MODEL_FIRST,
    "--input": _MODEL_FIRST,
    "-n": "the model's name stands first, without an option",
    "--model": "the model's name stands first, without an option",
    "--model_name": "the model's name stands first, without an option",
    "-s": "the model says how much larger: x2 or x4",
    "--scale": "the model says how much larger: x2 or x4",
    "--outscale": "the model says how much larger: x2 or x4",
    "--output": "say -o",
    "--tile": "say --tile-px",
    "--gpu_ids": _DEVICE,
    "--gpu-id": _DEVICE,
    "-g": _DEVICE,
}
_HABITS: Final[Mapping[str, Mapping[str, str]]] = {
    "train": {
        "--dataroot": "say --data DIR",
        "--gpu_ids": _DEVICE,
        "--lr": "each network has its own, as --optimisers.generator.learning-rate (`--help` lists them)",
        "--model": "the recipe stands first, as in: pixturn train pix2pix --data DIR",
        "--n_epochs": "say --epochs",
        "--load_size": "say --augmentation.load-px",
        "--crop_size": "say --augmentation.crop-px",
        "--checkpoints_dir": "say --runs DIR",
        "--continue_train": "say pixturn train --resume NAME",
    },
    "run": _ON_PICTURES,
    "upscale": _ON_PICTURES,
    "inpaint": _ON_PICTURES,
}
"""What pytorch-CycleGAN-and-pix2pix, Real-ESRGAN and others call it, and what we do."""

_FIRST_STEPS = """
    pixturn upscale x2 photo.jpg
    pixturn app
    pixturn example openmoji data/openmoji
    pixturn check data/openmoji --crop-px 64
    pixturn train pix2pix-small --data data/openmoji --name first --minutes 10
    pixturn run first data/openmoji/testA/hands_handshake_1F91D.png -o coloured.png"""


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
        Console(file=sys.stdout).print(f"pixturn {version('pixturn')}", highlight=False)
        return 0
    return _run(given[0], given[1:])


def _run(name: str, arguments: Sequence[str]) -> int:
    console = Console(stderr=True)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[_handler(console)])
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else f": {', '.join(COMMANDS)}"
        console.print(f"[red]There is no command {escape(name)}[/red]{hint}", highlight=False)
        return 2
    try:
        _refuse_habits(name, arguments)
        module = cast("_Module", importlib.import_module(f"pipelines.commands.{_module_name(name)}"))
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


def _handler(console: Console) -> RichHandler:
    """Warnings are for people: neither the time nor the line of code is."""
    return RichHandler(console=console, show_time=False, show_path=False)


def _refuse_habits(name: str, arguments: Sequence[str]) -> None:
    """Raise ConfigurationError for an empty argument, and for an option that another program has for ours."""
    if "" in arguments:
        before = [name, *arguments][arguments.index("")]
        raise ConfigurationError(f"What follows {before} is empty: is a variable of the shell not set?")
    habits = _HABITS.get(name, {})
    for word in arguments:
        option = word.partition("=")[0]
        if option in habits:
            raise ConfigurationError(f"pixturn {name} has no {option}: {habits[option]}")


def _module_name(command: str) -> str:
    return f"{command}_" if iskeyword(command) else command


_EXTRAS = {"example": "examples", "app": "app"}
"""What a command's packages are installed with, where that is not `train`."""


def _missing_extra(name: str, problem: ModuleNotFoundError) -> str:
    if (problem.name or "").partition(".")[0] in {"translate", "pipelines"}:
        raise problem
    extra = _EXTRAS.get(name, "train")
    return f"`pixturn {name}` needs {problem.name}, which is not installed: pip install 'pixturn[{extra}]'"


def _print_help() -> None:
    table = Table.grid(padding=(0, 3))
    for title, commands in _GROUPS.items():
        table.add_row(f"{title}:")
        for name, summary in commands.items():
            table.add_row(f"  [bold]{name}[/bold]", summary)
    console = Console(file=sys.stdout)
    console.print("usage: pixturn COMMAND [OPTIONS]\n", highlight=False)
    console.print(table)
    console.print(f"\nFirst steps:{_FIRST_STEPS}", highlight=False, soft_wrap=True)
    console.print("\n`pixturn COMMAND --help` lists the options of a command, `pixturn --version` the version.")


if __name__ == "__main__":
    sys.exit(main())
