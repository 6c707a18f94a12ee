"""What a command is to make, and where it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pipelines.generating.animation import require_mp4
from pipelines.generating.folder import require_free
from pipelines.generating.generate import BATCH, Generate
from pipelines.generating.inputs import Inputs
from pipelines.generating.walk import FRAMES
from translate.data.headers import EXTENSIONS
from translate.errors import ConfigurationError

SheetKind = Literal["grid", "classes", "codes"]
Kind = Literal["folder", "grid", "classes", "codes", "gif", "mp4", "npz", "neighbours"]

_OTHER_ENDINGS: Final[dict[str, Kind]] = {".gif": "gif", ".mp4": "mp4", ".npz": "npz"}


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the options of `pixturn generate` say; None where the default depends on what is made."""

    out: Path
    n: int | None = None
    seed: int = 0
    label: Sequence[str] | None = None
    codes: Mapping[str, Sequence[float]] | None = None
    spread: float = 1.0
    sheet: SheetKind = "grid"
    columns: int | None = None
    dimension: int | None = None
    frames: int = FRAMES
    neighbours: Path | None = None
    held_out: Path | None = None
    batch: int = BATCH

    def count(self, default: int) -> int:
        """How many are asked for."""
        return default if self.n is None else self.n

    def draw(self, generate: Generate, default: int) -> Inputs:
        """The inputs of as many samples as are asked for."""
        return generate.draw(
            self.count(default), seed=self.seed, label=self.label, codes=self.codes, spread=self.spread
        )


def output_kind(order: Order) -> Kind:
    """What an order asks for. Raises ConfigurationError for options that do not go together, or a file in the way."""
    if order.columns is not None and order.columns < 1:
        raise ConfigurationError(f"--columns {order.columns}: give at least 1")
    _refuse(order.held_out is not None and order.neighbours is None, "--held-out goes with --neighbours DIR")
    _refuse(order.dimension is not None and order.sheet != "codes", "--dimension goes with --sheet codes")
    if order.neighbours is not None:
        _refuse(order.sheet != "grid", f"--neighbours makes a sheet of its own: leave out --sheet {order.sheet}")
        require_picture(order, "--neighbours")
        return "neighbours"
    if order.sheet != "grid":
        require_picture(order, f"--sheet {order.sheet}")
    return order.sheet if is_picture(order.out) else _kind_by_ending(order.out)


def require_inversion(order: Order) -> None:
    """Raises ConfigurationError for options that a search for a picture's code has no use for."""
    require_picture(order, "--invert")
    given = {
        "--code": bool(order.codes),
        "--spread": order.spread != 1.0,
        "--sheet": order.sheet != "grid",
        "--dimension": order.dimension is not None,
        "--columns": order.columns is not None,
        "--neighbours": order.neighbours is not None,
        "--held-out": order.held_out is not None,
    }
    useless = [option for option, is_given in given.items() if is_given]
    _refuse(bool(useless), f"--invert looks for the whole code of one picture: leave out {', '.join(useless)}")


def _refuse(is_wrong: bool, message: str) -> None:
    if is_wrong:
        raise ConfigurationError(message)


def require_picture(order: Order, option: str) -> None:
    """Raises ConfigurationError where `-o` is not a picture."""
    if not is_picture(order.out):
        raise ConfigurationError(
            f"{option} makes a picture, and -o {order.out} is not one; give a picture, as -o sheet.png"
        )


def is_picture(path: Path) -> bool:
    """Whether a path names a picture file."""
    return path.suffix.lower() in EXTENSIONS and not path.is_dir()


def _kind_by_ending(out: Path) -> Kind:
    ending = out.suffix.lower()
    if out.is_dir() or not ending:
        require_free(out)
        return "folder"
    if ending not in _OTHER_ENDINGS:
        known = ", ".join([*EXTENSIONS, *_OTHER_ENDINGS])
        raise ConfigurationError(f"-o {out}: cannot write {ending!r}; give a folder, or a file with one of {known}")
    if ending == ".mp4":
        require_mp4()
    return _OTHER_ENDINGS[ending]
