"""Gradio's components for pictures, without Gradio's own decoding: what a visitor sends goes on as a file, unopened."""

from abc import ABCMeta
from pathlib import Path
from typing import Any, Final

import gradio as gr
from gradio.component_meta import ComponentMeta

from translate.card import Port

BRUSH: Final = "rgba(226, 78, 63, 0.6)"
_SOURCES: Final = ("upload", "clipboard", "webcam")


class _Unstubbed(ComponentMeta):
    """Gradio's own metaclass writes a stub file beside the source of every class; this one leaves the folder alone."""

    def __new__(mcs, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> type:
        return ABCMeta.__new__(mcs, name, bases, attributes)


class PictureUpload(gr.Image, metaclass=_Unstubbed):
    """A place to drop, paste or take a picture; its value is the path of the very file that was uploaded."""

    is_template = True  # for the browser, it is its parent

    def preprocess(self, payload: Any) -> str | None:  # noqa: ANN401 - Gradio's ImageData
        """The path; Gradio has made sure that it lies among the uploads."""
        return payload.path if payload is not None and payload.path else None


class MaskEditor(gr.ImageEditor, metaclass=_Unstubbed):
    """Brush and eraser over a preview; its value is the painted layer, as a file's bytes or as a path."""

    is_template = True

    def preprocess(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        payload: Any,  # noqa: ANN401 - Gradio's EditorData
    ) -> bytes | Path | None:
        """The first layer: of the request itself, or of what the browser sent ahead of it."""
        if payload is None:
            return None
        ahead = self.blob_storage.pop(payload.id, None) if payload.id is not None else None
        layers = payload.layers if ahead is None else ahead.layers
        first = layers[0] if layers else None
        return first if first is None or isinstance(first, bytes) else Path(first.path)


def picture_upload(label: str, *, is_photo: bool = True, height_px: int = 340) -> PictureUpload:
    """An upload; photos may also be pasted, or taken by a webcam."""
    return PictureUpload(
        label=label,
        type="filepath",
        image_mode=None,
        sources=list(_SOURCES) if is_photo else ["upload"],
        webcam_options=gr.WebcamOptions(mirror=False),  # or the model would get the picture mirrored too
        buttons=["fullscreen"],
        height=height_px,
        elem_classes="upload",
    )


def mask_editor(label: str) -> MaskEditor:
    """An editor with nothing to paint on yet."""
    return MaskEditor(
        label=label,
        type="filepath",
        sources=(),
        transforms=(),
        layers=False,
        brush=gr.Brush(default_size=36, colors=[BRUSH], default_color=BRUSH, color_mode="fixed"),
        eraser=gr.Eraser(default_size=36),
        buttons=["fullscreen"],
        height=460,
        visible=False,
        elem_classes="mask-editor",
    )


def described(port: Port) -> str:
    """A port in words, for a label."""
    return port.name.replace("_", " ").capitalize()
