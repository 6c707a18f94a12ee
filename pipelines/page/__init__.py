"""The page in the browser: models by task, controls from their cards, results to download; and the same as an API.

`serve().wait()` opens it. Gradio is imported when it is opened.
"""

from pipelines.page.serve import Device, serve

__all__ = ["Device", "serve"]
