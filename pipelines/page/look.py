"""How the page looks: one calm theme in light and dark, fonts of the visitor's own system, and its style sheet."""

from pathlib import Path
from typing import Final

from gradio.themes import Base
from gradio.themes.utils import colors, sizes

from pipelines.page.serving import Look

_ASSETS: Final = Path(__file__).parent / "assets"
_FONTS: Final = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
_MONO: Final = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

_PINE: Final = colors.Color(
    name="pine",
    c50="#eef6f3",
    c100="#d7eae3",
    c200="#b0d5c8",
    c300="#82bba8",
    c400="#549d86",
    c500="#34806a",
    c600="#266a57",
    c700="#205547",
    c800="#1c453a",
    c900="#173830",
    c950="#0c211c",
)
_STONE: Final = colors.Color(
    name="stone",
    c50="#faf9f7",
    c100="#f2f0ec",
    c200="#e4e1db",
    c300="#cfcbc3",
    c400="#9d9890",
    c500="#75716a",
    c600="#57544e",
    c700="#3d3b37",
    c800="#282724",
    c900="#1c1b19",
    c950="#131312",
)


def look() -> Look:
    """The page's theme, style sheet and the script of its light switch."""
    style = (_ASSETS / "page.css").read_text(encoding="utf-8")
    script = (_ASSETS / "page.js").read_text(encoding="utf-8").strip()
    return Look(theme=_theme(), css=style, js=script, favicon=_ASSETS / "favicon.svg")


def _theme() -> Base:
    return _with_inputs(_with_buttons(_with_blocks(_with_page(_bare()))))


def _bare() -> Base:
    return Base(
        primary_hue=_PINE,
        secondary_hue=_PINE,
        neutral_hue=_STONE,
        text_size=sizes.text_md,
        spacing_size=sizes.spacing_md,
        radius_size=sizes.radius_lg,
        font=_FONTS,
        font_mono=_MONO,
    )


def _with_page(theme: Base) -> Base:
    """Grounds, texts and edges."""
    return theme.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_800",
        body_text_color_dark="*neutral_200",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_50",
        background_fill_secondary_dark="*neutral_950",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_800",
    )


def _with_blocks(theme: Base) -> Base:
    """Frames around components, and their labels."""
    return theme.set(
        block_border_width="1px",
        block_shadow="none",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_400",
        block_title_text_weight="500",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_300",
    )


def _with_buttons(theme: Base) -> Base:
    """Start, the quiet ones, and stop."""
    return theme.set(
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover_dark="*primary_400",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        button_primary_shadow="none",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_cancel_background_fill="#b3402f",
        button_cancel_background_fill_hover="#963424",
        button_cancel_background_fill_dark="#b3402f",
        button_cancel_background_fill_hover_dark="#c65443",
        button_cancel_text_color="white",
        button_cancel_text_color_dark="white",
    )


def _with_inputs(theme: Base) -> Base:
    """Sliders, choices and fields."""
    return theme.set(
        slider_color="*primary_500",
        loader_color="*primary_500",
        checkbox_label_background_fill="white",
        checkbox_label_background_fill_dark="*neutral_900",
        checkbox_label_background_fill_selected="*primary_50",
        checkbox_label_background_fill_selected_dark="*primary_900",
        checkbox_label_border_color_selected="*primary_500",
        checkbox_label_border_color_selected_dark="*primary_400",
        checkbox_background_color_selected="*primary_600",
        checkbox_border_color_selected="*primary_600",
        input_border_color_focus="*primary_500",
        input_border_color_focus_dark="*primary_400",
    )
