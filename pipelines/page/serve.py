"""From options to the page that is being served."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipelines.page.serving.settings import ServingSettings
from pipelines.runs import RUNS


@dataclass(frozen=True, kw_only=True)
class PageOptions:
    """What is on the page, and where it is served."""

    models: tuple[Path, ...] = ()
    """Further models: .onnx files, or folders of them."""

    runs: Path = RUNS
    """Folder whose bundles are on the page."""

    device: Literal["auto", "cpu", "cuda", "tensorrt"] = "auto"
    """Where to compute."""

    serving: ServingSettings = field(default_factory=ServingSettings)


def serve(options: PageOptions) -> None:
    """Serve the page until it is stopped (Ctrl-C).

    Raises:
        ConfigurationError: a model that was given is not there, or the address cannot be used.
        ModelError: a model that was given is none of Pixturn's, or there is none at all.
    """
    from pipelines.page.build import page_of
    from pipelines.page.look import look
    from pipelines.page.models import offered
    from pipelines.page.serving import launch

    page = page_of(offered(options.models, options.runs), device=options.device)
    launch(page, options.serving, look=look())
