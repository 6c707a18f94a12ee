"""The same functions for programs: one named endpoint a task (`gradio_client`), whatever the models take."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import gradio as gr

from pipelines.page.again import Drawn
from pipelines.page.bench import Bench
from pipelines.page.choices import Choice
from pipelines.page.given import GivenMask, GivenPictures
from pipelines.page.models import Offer
from pipelines.page.one_size import Shown, encode_one, reconstruct_one
from pipelines.page.running import QUEUE, at_work, stop
from pipelines.page.sampling import MOST_POINTS, makes_pictures, sample, sample_points
from pipelines.page.tabs.chooser import chosen
from pipelines.page.tabs.options import FORMATS
from pipelines.page.translating import translate_one
from pipelines.page.weights import MOST_FAITHFUL, stepped
from translate.card import Mask
from translate.errors import ConfigurationError

_PROGRESS: Final = gr.Progress()


def picture_endpoint(task: str, offers: Sequence[Offer], bench: Bench) -> None:
    """`/TASK`: `pictures` are files, one for each port in its order (a mask is a file too); files come back."""
    with gr.Row(visible=False):
        pictures = gr.File(file_count="multiple")
        model = gr.Dropdown([offer.name for offer in offers], value=offers[0].name)
        fidelity = gr.Number(MOST_FAITHFUL, minimum=0, maximum=1)
        file_format = gr.Dropdown([name for _, name in FORMATS], value="png")
        files = gr.File(file_count="multiple")
    gr.on(
        fn=_translating(offers, bench),
        inputs=[pictures, model, fidelity, file_format],
        outputs=files,
        triggers=[],
        api_name=task,
        concurrency_id=QUEUE,
        concurrency_limit=1,
    )


def sample_endpoint(offers: Sequence[Offer], bench: Bench) -> None:
    """`/generate`: numbered pictures of a seed, or points in an .npz; `codes` is a mapping from ports to numbers."""
    with gr.Row(visible=False):
        model = gr.Dropdown([offer.name for offer in offers], value=offers[0].name)
        n = gr.Number(1, precision=0, minimum=1, maximum=MOST_POINTS)
        seed = gr.Number(0, precision=0, minimum=0)
        label = gr.Textbox("")
        codes = gr.JSON({})
        spread = gr.Number(1.0)
        files = gr.File(file_count="multiple")
    gr.on(
        fn=_sampling(offers, bench),
        inputs=[model, n, seed, label, codes, spread],
        outputs=files,
        triggers=[],
        api_name="generate",
        concurrency_id=QUEUE,
        concurrency_limit=1,
    )


def encode_endpoint(offers: Sequence[Offer], bench: Bench) -> None:
    """`/encode`: a picture to numbers, a list for each output port."""
    with gr.Row(visible=False):
        picture = gr.File()
        model = gr.Dropdown([offer.name for offer in offers], value=offers[0].name)
        numbers = gr.JSON()
    gr.on(
        fn=_encoding(offers, bench),
        inputs=[picture, model],
        outputs=numbers,
        triggers=[],
        api_name="encode",
        concurrency_id=QUEUE,
        concurrency_limit=1,
    )


def reconstruct_endpoint(offers: Sequence[Offer], bench: Bench) -> None:
    """`/reconstruct`: a picture, and its class by name or number where the model wants one, to a file."""
    with gr.Row(visible=False):
        picture = gr.File()
        model = gr.Dropdown([offer.name for offer in offers], value=offers[0].name)
        label = gr.Textbox("")
        file = gr.File()
    gr.on(
        fn=_reconstructing(offers, bench),
        inputs=[picture, model, label],
        outputs=file,
        triggers=[],
        api_name="reconstruct",
        concurrency_id=QUEUE,
        concurrency_limit=1,
    )


def other_endpoints(offers: Sequence[Offer], bench: Bench) -> None:
    """`/models`: what there is to choose; `/cancel`: ends what this client runs."""
    told = [_described(offer) for offer in offers]
    with gr.Row(visible=False):
        listed = gr.JSON()
    gr.on(fn=lambda: told, inputs=None, outputs=listed, triggers=[], api_name="models", queue=False)
    gr.on(fn=stop(bench), inputs=None, outputs=None, triggers=[], api_name="cancel", queue=False)


def _translating(offers: Sequence[Offer], bench: Bench) -> Callable[..., list[str]]:
    def run(
        request: gr.Request,
        progress: gr.Progress = _PROGRESS,
        pictures: Sequence[str] | None = None,
        model: str = "",
        fidelity: float = MOST_FAITHFUL,
        file_format: Any = "png",  # noqa: ANN401 - one of FORMATS: Gradio has looked
    ) -> list[str]:
        with at_work(bench, request, progress) as job:
            offer = chosen(offers, model)
            choice = Choice(offer=offer, fidelity=stepped(fidelity), file_format=file_format)
            return [str(path) for path in translate_one(choice, _given(offer, pictures or ()), bench, job).files]

    return run


def _given(offer: Offer, pictures: Sequence[str]) -> GivenPictures:
    ports = offer.card.input_pictures
    if len(pictures) != len(ports):
        names = ", ".join(port.name for port in ports)
        raise ConfigurationError(f"{offer.name} takes {len(ports)} pictures ({names}), not {len(pictures)}")
    pairs = [(port, Path(path)) for port, path in zip(ports, pictures, strict=True)]
    return GivenPictures(
        files={port.name: path for port, path in pairs if not isinstance(port, Mask)},
        masks={port.name: GivenMask(file=path) for port, path in pairs if isinstance(port, Mask)},
    )


def _sampling(offers: Sequence[Offer], bench: Bench) -> Callable[..., list[str]]:
    def run(
        request: gr.Request,
        progress: gr.Progress = _PROGRESS,
        model: str = "",
        n: int = 1,
        seed: int = 0,
        label: str = "",
        codes: dict[str, list[float]] | None = None,
        spread: float = 1.0,
    ) -> list[str]:
        with at_work(bench, request, progress) as job:
            drawn = Drawn(n=n, seed=seed, label=label or None, codes=codes or {}, spread=spread)
            offer = chosen(offers, model)
            if makes_pictures(offer):
                return [str(path) for path, _ in sample(offer, drawn, bench, job).pictures]
            return [str(sample_points(offer, drawn, bench, job).file)]

    return run


def _encoding(offers: Sequence[Offer], bench: Bench) -> Callable[..., dict[str, list[float]]]:
    def run(
        request: gr.Request, progress: gr.Progress = _PROGRESS, picture: str | None = None, model: str = ""
    ) -> dict[str, list[float]]:
        with at_work(bench, request, progress) as job:
            made = encode_one(chosen(offers, model), _shown(picture, ""), bench, job)
            return {name: row.tolist() for name, row in made.numbers.items()}

    return run


def _reconstructing(offers: Sequence[Offer], bench: Bench) -> Callable[..., str]:
    def run(
        request: gr.Request,
        progress: gr.Progress = _PROGRESS,
        picture: str | None = None,
        model: str = "",
        label: str = "",
    ) -> str:
        with at_work(bench, request, progress) as job:
            return str(reconstruct_one(chosen(offers, model), _shown(picture, label), bench, job).file)

    return run


def _shown(picture: str | None, label: str) -> Shown:
    return Shown(picture=None if picture is None else Path(picture), label=label or None)


def _described(offer: Offer) -> dict[str, Any]:
    card = offer.card
    return {
        "name": offer.name,
        "task": card.task,
        "scale": card.scale,
        "licence": card.licence,
        "inputs": [{"name": port.name, "kind": port.kind} for port in card.inputs],
        "outputs": [{"name": port.name, "kind": port.kind} for port in card.outputs],
        "has_fidelity": offer.perceptual is not None,
    }
