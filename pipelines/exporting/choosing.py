"""Which material a deploy is proven on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from rich.console import Console

from pipelines.exporting.material import Material, OnPictures, OnRows
from pipelines.exporting.pictures import held_out_pictures, pictures_in
from pipelines.trained import Trained
from pipelines.training.generation.data import open_data
from translate.card import Card, FixedPicture
from translate.errors import ConfigurationError, DatasetError
from translate.method import Deploy
from translate.runtime.rows import Row, Rows, drawn

_ROWS: Final = 32
_SEED: Final = 0
_CPU: Final = torch.device("cpu")


def material_for(trained: Trained, deploy: Deploy, card: Card, pictures: Path | None, console: Console) -> Material:
    """Real pictures for what takes them, of the folder that is named or those held out; noise and classes are drawn.

    Raises ConfigurationError where there are no pictures, or where they are given to what takes none.
    """
    if not card.takes_pictures:
        if pictures is not None:
            raise ConfigurationError(
                f"--pictures: {card.name} takes no pictures of any size (those of one size come from the run's data); "
                "leave it out"
            )
        return OnRows(deploy=deploy, rows=_rows(trained, card))
    ports = card.input_pictures
    return OnPictures(
        deploy=deploy,
        card=card,
        samples=pictures_in(pictures, ports) if pictures else held_out_pictures(trained, ports),
        usual_px=trained.recipe.augmentation.crop_px,
        console=console,
    )


def _rows(trained: Trained, card: Card) -> list[Rows]:
    """Draws, always the same; where pictures of one size go in, those that the run held out."""
    rows = drawn(card.inputs, _ROWS, seed=_SEED)
    names = [port.name for port in card.inputs if isinstance(port, FixedPicture)]
    if not names:
        return rows
    try:
        _, data = open_data(trained.recipe)
        real = data.samples("validation", most=_ROWS).tensor(0, _ROWS, _CPU).numpy()
    except DatasetError as problem:
        raise ConfigurationError(
            f"The proof needs real pictures, and those that the run held out cannot be read ({problem})"
        ) from problem
    return [_with_picture(row, names, real[index % len(real)]) for index, row in enumerate(rows)]


def _with_picture(row: Rows, names: Sequence[str], picture: Row) -> Rows:
    return {name: picture if name in names else value for name, value in row.items()}
