"""A small page, served as the real one is, in a process of its own; and the same served in careless ways.

    python serving_app.py kept|page|plain|leaky REPORT [option=value ...]

`kept` goes through `pipelines.page.serving.launch`; `page` is the true page; `plain` is Gradio's own `launch` as most
people call it, decoding with Pillow in the server; `leaky` is `kept` with a job that forgets nothing. The address is
the first line of the output; the process ends when its standard input does. Every address that it looks up or connects
to is a line of REPORT.
"""

import json
import os
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
FORGOTTEN = []


def watch_connections(report: Path) -> None:
    handle = report.open("a", buffering=1)

    def note(event, arguments):
        if event == "socket.getaddrinfo":
            handle.write(f"{arguments[0]}\n")
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            handle.write(f"{arguments[1][0]}:{arguments[1][1]}\n")

    sys.addaudithook(note)


def build(open_picture, save, *, leaky=False, slow_sec=0.0):
    import gradio as gr

    from translate.errors import PictureError

    def invert(path):
        try:
            pixels = open_picture(path)
        except PictureError as problem:
            raise gr.Error(str(problem), print_exception=False) from None
        time.sleep(slow_sec)
        if leaky:
            FORGOTTEN.append(np.ones(200_000, np.uint8))
            FORGOTTEN.append(os.open(os.devnull, os.O_RDONLY))
        return save(255 - pixels)

    def same(value):
        return value

    def size_of_all(editor):
        return json.dumps(sorted(editor)) if editor else ""

    with gr.Blocks() as blocks:
        picture = gr.Image(type="filepath", image_mode=None, sources=["upload"])
        result = gr.Image(type="filepath", format="png")
        gr.Button("Invert", elem_id="invert").click(invert, picture, result, api_name="invert", concurrency_limit=1)
        for name, one, other in (
            ("file", gr.File(), gr.File()),
            ("files", gr.File(file_count="multiple"), gr.File()),
            ("image", gr.Image(type="filepath"), gr.Image(type="filepath")),
            ("gallery", gr.Gallery(type="filepath"), gr.Gallery()),
            ("slider", gr.ImageSlider(type="filepath"), gr.ImageSlider()),
        ):
            gr.Button(name).click(same, one, other, api_name=name)
        gr.Button("editor").click(size_of_all, gr.ImageEditor(type="filepath"), gr.Textbox(), api_name="editor")
        gr.Button("text").click(same, gr.Textbox(), gr.Textbox(), api_name="text")
        gr.Button("broken").click(lambda: 1 / 0, None, gr.Textbox(), api_name="broken")
    return blocks


def plain(port: int, slow_sec: float):
    """As it comes, with the option that people add when something goes wrong."""
    import tempfile

    def opened(path):
        return np.asarray(Image.open(path).convert("RGB"))

    def save(pixels):
        path = Path(tempfile.mkdtemp()) / "result.png"
        Image.fromarray(pixels).save(path)
        return str(path)

    blocks = build(opened, save, slow_sec=slow_sec)
    _, url, _ = blocks.launch(server_port=port, prevent_thread_lock=True, quiet=True, show_error=True)
    return url, blocks.close


def whole(options: dict[str, str]):
    """The true page."""
    from pipelines.page import serve

    served = serve((), runs=ROOT / "checkpoints", device="cpu", settings=settings_of(options))
    return served.url, served.close


def kept(options: dict[str, str], *, leaky: bool):
    from pipelines.page.serving import launch

    def of(intake):
        def save(pixels):
            path = intake.folder.new(".png")
            Image.fromarray(pixels).save(path, compress_level=1)
            return str(path)

        slow_sec = float(options.pop("slow_sec", "0"))
        return build(lambda path: intake.decode(path).pixels, save, leaky=leaky, slow_sec=slow_sec)

    served = launch(of, settings_of(options), block=False)
    return served.url, served.close


def settings_of(options: dict[str, str]):
    from pipelines.page.serving import ServingSettings

    kinds = {field.name: field.type for field in fields(ServingSettings)}
    options = {name: value for name, value in options.items() if name != "slow_sec"}
    kinds |= {"login": Path, "names": lambda text: tuple(text.split(","))}
    return ServingSettings(**{"port": 0, **{name: kinds[name](value) for name, value in options.items()}})


def main() -> None:
    mode, report, *rest = sys.argv[1:]
    watch_connections(Path(report))
    options = dict(item.split("=", 1) for item in rest)
    if mode == "plain":
        url, close = plain(int(options.get("port", "0")) or None, float(options.get("slow_sec", "0")))
    else:
        url, close = whole(options) if mode == "page" else kept(options, leaky=mode == "leaky")
    sys.stdout.write(url + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    close()


if __name__ == "__main__":
    main()
