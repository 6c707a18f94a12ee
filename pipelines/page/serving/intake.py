"""How uploaded pictures come into the page: out of its own folder, decoded in a child process."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from pipelines.batch.reading import Sample
from pipelines.page.serving.decoders import Answer, Decoders
from pipelines.page.serving.folder import Folder
from pipelines.page.serving.settings import ServingSettings
from translate.card import Card, Picture
from translate.data.carried import Alpha, Carried
from translate.data.colour import Pixels
from translate.data.headers import Limits
from translate.errors import PictureError

FORMATS: Final = ("PNG", "JPEG", "WEBP")
_BYTES_OF_PIXEL: Final = 4
_MOST_PORTS: Final = 4
_PIXELS_OF: Final = "pixels "


@dataclass(frozen=True, kw_only=True, eq=False)
class Opened:
    """One decoded upload: `pixels` upright, uint8, H x W x channels; `carried` what its results keep of it."""

    pixels: Pixels
    carried: Carried


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Decodes uploads, by the rules of `translate.data.pictures`, as the command line does.

    The page gets one from `launch`. All of it may be called from several threads.
    """

    folder: Folder
    """Where uploads and results lie. `folder.new(".png")` is a fresh place for a result."""

    decoders: Decoders
    limits: Limits

    @classmethod
    def of(cls, settings: ServingSettings) -> "Intake":
        """One that keeps to these settings; nothing runs yet, but the folder is there."""
        folder = Folder(
            ceiling_bytes=settings.cache_bytes,
            scratch_bytes=settings.scratch_bytes,
            keep_sec=60 * settings.keep_minutes,
        )
        limits = Limits(
            max_pixels=settings.max_pixels,
            max_side_px=settings.max_side_px,
            max_bytes=settings.max_upload_bytes,
            formats=FORMATS,
        )
        decoders = Decoders(
            count=settings.decoders,
            seconds=settings.decode_seconds,
            memory_mb=settings.decode_memory_mb,
            most_bytes=_MOST_PORTS * _BYTES_OF_PIXEL * settings.max_pixels,
        )
        return cls(folder=folder, decoders=decoders, limits=limits)

    def decode(self, path: str | Path, *, channels: int = 3, alpha: Alpha = "keep", inside: bool = True) -> Opened:
        """One picture, decoded in a child.

        Args:
            path: The file, PNG, JPEG or WebP by its content.
            channels: 1 (grey), 3 (RGB) or 4 (RGBA).
            alpha: Whether its transparency goes along in `carried`.
            inside: Refuse files outside the page's own folder. False only for paths that no visitor can choose
                (the examples that ship).

        Raises:
            PictureError: Whatever is wrong with the file, in words for the visitor, without the server's paths; also
                where the child died of it (`damaged`) or took too long (`too_slow`).
            StorageError: Too many pictures are being opened at once.
        """
        port = Picture(name="picture", channels=channels)
        card = Card(task="translate", method="none", name="picture", inputs=(port,), outputs=(port,))
        sample = self.read(card, [path], alpha=alpha, inside=inside)
        return Opened(pixels=sample.pixels[port.name].astype(np.uint8, copy=False), carried=sample.carried)

    def read(self, card: Card, paths: Sequence[str | Path], *, alpha: Alpha = "keep", inside: bool = True) -> Sample:
        """What a model takes, one file a picture port of its card, exactly as `pipelines.batch.reading.Reader` reads.

        Raises:
            PictureError: As `decode`; or the sizes differ.
            StorageError: As `decode`.
        """
        name = ", ".join(Path(path).name for path in paths)
        if inside and not all(self.folder.holds(path) for path in paths):
            raise PictureError("unreadable", f"{name}: is no file that was uploaded here: upload it again")
        request = {
            "card": card.to_json(),
            "paths": [str(Path(path).absolute()) for path in paths],
            "limits": asdict(self.limits),
            "alpha": alpha,
        }
        return _sample(self.decoders.ask(request, name))

    def close(self) -> None:
        """End the children and delete the folder."""
        self.decoders.close()
        self.folder.close()


def _sample(answer: Answer) -> Sample:
    pixels = {
        name.removeprefix(_PIXELS_OF): array for name, array in answer.arrays.items() if name.startswith(_PIXELS_OF)
    }
    alpha = answer.arrays.get("alpha")
    carried = Carried(profile=answer.profile, alpha=None if alpha is None else alpha.astype(np.uint8, copy=False))
    return Sample(pixels=pixels, carried=carried)
