"""The page in the browser: models by task, controls from their cards, results to download; and the same as an API.

`serve(PageOptions())` opens it. Nothing heavy is imported before that.
"""

from pipelines.page.serve import PageOptions, serve

__all__ = ["PageOptions", "serve"]
