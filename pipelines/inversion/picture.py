"""The code of a picture in a trained run, written beside what the run makes of it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.generating import sheets
from pipelines.generating.generate import Generate, image_of
from pipelines.generating.order import Order, require_inversion
from pipelines.generating.outputs import write_numbers, write_sheet
from pipelines.generating.references import read_fitting
from pipelines.inversion.search import Inversion, invert, perceptual_error
from pipelines.runs import RUNS, find_run
from pipelines.trained import Trained
from translate.card import FixedPicture
from translate.devices import DeviceName, pick_device
from translate.runtime.pixels import from_network, to_network


def invert_picture(
    name: str | Path,
    picture: Path,
    order: Order,
    *,
    device: DeviceName = "auto",
    perceptual: float = 0.0,
    runs: Path = RUNS,
) -> str:
    """Write the picture and what the run makes from its code, side by side (`order.out`), and the code (an .npz).

    Returns:
        Where it lies and how near it came, in words.

    Raises:
        ConfigurationError: the run is no generator of pictures, or -o names no picture.
        ModelError: there is no such run.
        PictureError: the picture is refused.
    """
    require_inversion(order)
    trained, place = Trained.for_use(find_run(name, runs)), pick_device(device)
    generate = Generate(trained.runtime(None, place))
    pixels = read_fitting(picture, generate.picture)
    found = invert(
        next(iter(trained.method.deploys().values())).module,
        to_network(pixels, generate.picture)[0],
        generate.card,
        label=order.label,
        starts=order.n,
        seed=order.seed,
        extra=perceptual_error(perceptual) if perceptual else None,
        device=place,
    )
    return f"{_written(found, pixels, generate.picture, order.out)} ({place})"


def _written(found: Inversion, pixels: NDArray[np.uint8], port: FixedPicture, out: Path) -> str:
    """Writes the sheet and the code; says where they lie, and how near the picture came."""
    made = from_network(found.reconstruction[np.newaxis], port)
    write_sheet(sheets.grid([image_of(pixels), image_of(made)], columns=2), out)
    code = out.with_suffix(".npz")
    write_numbers(found.inputs, code)
    return f"{out}: root mean square error {127.5 * found.error**0.5:.2f} levels; its code is in {code}"
