"""Which material a deploy is proven on."""

from pathlib import Path
from typing import Final

from rich.console import Console

from pipelines.exporting.material import Material, OnPictures, OnRows
from pipelines.exporting.pictures import held_out_pictures, pictures_in
from pipelines.trained import Trained
from translate.card import Card
from translate.errors import ConfigurationError
from translate.method import Deploy
from translate.runtime.rows import drawn

_ROWS: Final = 32
_SEED: Final = 0


def material_for(trained: Trained, deploy: Deploy, card: Card, pictures: Path | None, console: Console) -> Material:
    """Real pictures for what takes them, of the folder that is named or those held out; else draws, always the same.

    Raises ConfigurationError where there are no pictures, or where they are given to what takes none.
    """
    if not card.takes_pictures:
        if pictures is not None:
            raise ConfigurationError(f"--pictures: {card.name} takes no pictures; leave it out")
        return OnRows(deploy=deploy, rows=drawn(card.inputs, _ROWS, seed=_SEED))
    ports = card.input_pictures
    return OnPictures(
        deploy=deploy,
        card=card,
        samples=pictures_in(pictures, ports) if pictures else held_out_pictures(trained, ports),
        usual_px=trained.recipe.augmentation.crop_px,
        console=console,
    )
