"""From models to the page that is being served."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipelines.page.serving.settings import ServingSettings, is_loopback
from pipelines.runs import RUNS

if TYPE_CHECKING:
    from pipelines.page.serving import Served

Device = Literal["auto", "cpu", "cuda", "tensorrt"]


def serve(
    models: Sequence[Path] = (),
    *,
    runs: Path = RUNS,
    device: Device = "auto",
    settings: ServingSettings | None = None,
) -> "Served":
    """Serve the page, and return at once; `served.wait()` waits until it ends, `served.close()` ends it.

    Args:
        models: .onnx files, or folders of them, that are on the page beside the bundles.
        runs: the folder of the bundles.
        device: where to compute.
        settings: where it is served, and what visitors may take up.

    Raises:
        ConfigurationError: a model that was given is not there, or the address cannot be used.
        ModelError: a model that was given is none of Pixturn's, or there is none at all.
    """
    from pipelines.page.models import offered, without_folders

    settings = settings or ServingSettings()
    offers = offered(models, runs)  # what was given wrong is told before Gradio is imported
    if not is_loopback(settings.host) or settings.names:
        offers = without_folders(offers)
    from pipelines.page.build import page_of
    from pipelines.page.look import look
    from pipelines.page.serving import launch

    return launch(page_of(offers, device=device), settings, look=look(), block=False)
