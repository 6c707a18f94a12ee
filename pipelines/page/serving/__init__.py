"""The page as it stands in the open: how it is launched, what is let in, and how uploads are decoded.

    def build(intake: Intake) -> gr.Blocks:      # intake.decode(path), intake.read(card, paths), intake.folder
        ...

    launch(build, ServingSettings())

`build` is called once the page's own folder is in place: Gradio's components note where files go as they are made.
"""

from pipelines.page.serving.intake import Intake, Opened
from pipelines.page.serving.launching import Look, Served, launch
from pipelines.page.serving.settings import ServingSettings

__all__ = ["Intake", "Look", "Opened", "Served", "ServingSettings", "launch"]
