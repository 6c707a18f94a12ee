"""The page in the browser: `python app.py [MODEL ...]`, the same as `pixturn app`."""

import sys

from pipelines.cli import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))
