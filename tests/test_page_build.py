"""The page itself, built from cards: tabs by task, controls by port, endpoints by name; and called as an API."""

from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import page_models
import pytest
from PIL import Image

import pipelines
import pipelines.page
from pipelines.page.build import build, page_of
from pipelines.page.controls import controls_for, given_by, has_controls
from pipelines.page.given import GivenMask
from pipelines.page.models import Offer
from pipelines.page.tabs.generate import drawn_by
from translate.card import Card, FixedPicture, Label, LabelMap, Latent, Mask, Picture, Port, Vector
from translate.errors import ModelError

RGB = Picture(name="a")
OUT = (Picture(name="b"),)
NOISE = Latent(name="z", size=64)
CLASSES = Label(name="label", classes=3, names=("cat", "dog", "owl"))


def offer(path, name, task, inputs, outputs=OUT, **changes):
    card = Card(task=task, method=f"method-{name}", name=name, inputs=inputs, outputs=outputs, **changes)
    return Offer(name=name, path=path / f"{name}.onnx", card=card, spoken=name)


def offers_of_all_tasks(path):
    samples = (FixedPicture(name="x", channels=3, height_px=8, width_px=8),)
    return [
        offer(path, "x2", "upscale", (RGB,), scale=2),
        offer(path, "x4", "upscale", (RGB,), scale=4),
        offer(path, "inpaint", "inpaint", (RGB, Mask(name="mask"))),
        offer(path, "own", "translate", (RGB,)),
        offer(path, "walls", "translate", (RGB, LabelMap(name="labels", classes=5))),
        offer(path, "digits", "generate", (NOISE, Latent(name="code", size=2), CLASSES), samples),
        offer(path, "points", "generate", (NOISE, Vector(name="where", size=2)), samples),
    ]


@pytest.fixture
def bench(tmp_path):
    return page_models.bench_in(tmp_path / "page")


def labels_of(blocks, kind):
    return [block.label for block in blocks.blocks.values() if isinstance(block, kind)]


def test_there_is_a_tab_for_every_task_that_has_models_and_no_other(tmp_path, bench):
    offers = offers_of_all_tasks(tmp_path)
    inner = ["One picture", "Many pictures"]
    tabs = labels_of(build(offers, bench), gr.Tab)
    assert [tab for tab in tabs if tab not in inner] == ["Upscale", "Inpaint", "Translate", "Generate"]
    assert [tab for tab in labels_of(build(offers[3:4], bench), gr.Tab) if tab not in inner] == ["Translate"]


def test_endpoints_are_named_after_the_tasks_and_the_rest_is_private(tmp_path, bench):
    told = build(offers_of_all_tasks(tmp_path), bench).get_api_info()["named_endpoints"]
    public = {name for name in told if not name.startswith("/load_example")}
    assert public == {"/upscale", "/inpaint", "/translate", "/generate", "/models", "/cancel"}


def test_models_with_the_same_ports_share_their_controls(tmp_path, bench):
    offers = offers_of_all_tasks(tmp_path)
    one, two = build(offers[:1], bench), build(offers[:2], bench)
    assert labels_of(one, gr.Image) == labels_of(two, gr.Image)
    assert (
        len(labels_of(build(offers[3:5], bench), gr.Image)) == len(labels_of(build(offers[3:4], bench), gr.Image)) + 2
    )


def test_a_slider_for_fidelity_is_there_where_the_second_file_is(tmp_path, bench):
    offers = offers_of_all_tasks(tmp_path)[:1]
    assert "Fidelity" not in labels_of(build(offers, bench), gr.Slider)
    (tmp_path / "x2-perceptual.onnx").touch()
    assert "Fidelity" in labels_of(build(offers, bench), gr.Slider)


def test_every_kind_of_port_that_a_generator_or_a_translator_takes_has_a_control():
    ports = [RGB, X, LabelMap(name="l", classes=2), Mask(name="m"), NOISE, CLASSES, Vector(name="v", size=2)]
    assert has_controls(ports)
    assert {type(port) for port in ports} == set(Port.__args__)
    assert not has_controls([object()])


def test_what_controls_give_is_what_the_model_is_asked_for(bench):
    ports = (NOISE, Latent(name="code", size=2), CLASSES, Vector(name="where", size=2))
    with gr.Blocks():
        controls = controls_for(ports, bench)
        drawn = given_by(controls, [7, False, 0.5, -1.0, "dog", True, 2.0, 0.0])
        chosen = given_by(controls, [7, True, 0.5, -1.0, "all, in turn", True, 2.0, 0.0])
    wanted = drawn_by(ports, drawn, n=4, spread=0.8)
    assert (wanted.seed, wanted.label, dict(wanted.codes)) == (7, "dog", {"where": [2.0, 0.0]})
    wanted = drawn_by(ports, chosen, n=4, spread=0.8)
    assert (wanted.label, dict(wanted.codes)) == (None, {"code": [0.5, -1.0], "where": [2.0, 0.0]})


def test_an_editors_layer_is_kept_among_the_uploads(bench):
    with gr.Blocks():
        controls = controls_for((RGB, Mask(name="mask")), bench)
        given = given_by(controls, ["a.png", b"layer", 1, 0, 0, 8, None])["mask"]
    assert isinstance(given, GivenMask)
    assert given.painted.read_bytes() == b"layer"
    assert given.painted.is_relative_to(bench.intake.folder.path)
    assert (given.margins.left, given.margins.bottom) == (1, 8)


X = FixedPicture(name="x", channels=1, height_px=8, width_px=8)
SCORES = Vector(name="scores", size=10)


@pytest.mark.parametrize(
    ("task", "inputs", "outputs", "title", "endpoint"),
    [
        ("encode", (X,), (SCORES, Vector(name="code", size=2)), "Encode", "/encode"),
        ("reconstruct", (X,), (X,), "Reconstruct", "/reconstruct"),
        ("reconstruct", (X, CLASSES), (X,), "Reconstruct", "/reconstruct"),
        ("generate", (NOISE,), (Vector(name="p", size=2),), "Generate", "/generate"),
    ],
)
def test_other_tasks_have_a_tab_and_an_endpoint_too(task, inputs, outputs, title, endpoint, tmp_path, bench):
    blocks = page_of([offer(tmp_path, "own", task, inputs, outputs)])(bench.intake)
    assert labels_of(blocks, gr.Tab) == [title]
    assert endpoint in blocks.get_api_info()["named_endpoints"]


@pytest.mark.parametrize(
    ("task", "inputs", "outputs"),
    [
        ("encode", (Vector(name="x", size=2),), (SCORES,)),
        ("encode", (replace(X, channels=7),), (SCORES,)),
        ("reconstruct", (Vector(name="x", size=2),), (Vector(name="y", size=2),)),
        ("reconstruct", (X,), (SCORES,)),
        ("generate", (NOISE,), (replace(X, channels=7),)),
        ("fly", (RGB,), OUT),
    ],
)
def test_models_without_a_place_are_left_out_and_none_at_all_is_an_error(task, inputs, outputs, tmp_path):
    with pytest.raises(ModelError, match="None of these models"):
        page_of([offer(tmp_path, "own", task, inputs, outputs)])


def test_a_picture_has_one_class_and_samples_may_have_all(bench):
    with gr.Blocks():
        of_picture = controls_for((X, CLASSES), bench)[1].components[0]
        of_samples = controls_for((NOISE, CLASSES), bench)[1].components[0]
    assert [name for name, _ in of_picture.choices] == ["cat", "dog", "owl"]
    assert [name for name, _ in of_samples.choices] == ["all, in turn", "cat", "dog", "owl"]


def test_no_stub_is_written_beside_the_components():
    assert not [*Path(pipelines.page.__file__).parent.rglob("*.pyi")]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return page_models.write_others(page_models.write_all(tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def page(own):
    from pipelines.page import serve
    from pipelines.page.serving import ServingSettings
    from pipelines.runs import RUNS

    served = serve([own], runs=RUNS, device="cpu", settings=ServingSettings(port=0, requests_per_second=100))
    yield served
    served.close()


@pytest.mark.slow
def test_the_page_answers_as_an_api(page, own, tmp_path):
    from gradio_client import Client, handle_file

    served = page
    client = Client(served.url, verbose=False, download_files=str(tmp_path / "downloads"))
    assert {"x2", "fashion", "inpaint"} <= {model["name"] for model in client.predict(api_name="/models")}
    upload = page_models.picture(tmp_path / "a.png")
    (result,) = client.predict([handle_file(upload)], "x2", 1, "png", api_name="/upscale")
    assert Image.open(result).size == (46, 34)
    samples = client.predict("fashion", 3, 7, "sneaker", {}, 1.0, api_name="/generate")
    expected = pipelines.load("fashion")(3, seed=7, label="sneaker")
    assert [Image.open(path).tobytes() for path in samples] == [picture.tobytes() for picture in expected]
    with pytest.raises(Exception, match="takes 2 pictures"):
        client.predict([handle_file(upload)], "inpaint", 1, "png", api_name="/inpaint")
    shown = handle_file(page_models.picture(tmp_path / "small.png", size=(6, 8)))
    numbers = pipelines.load(own / "reader").outputs([tmp_path / "small.png"])
    assert client.predict(shown, "reader", api_name="/encode") == {
        name: row[0].tolist() for name, row in numbers.items()
    }
    given_back = Image.open(client.predict(shown, "classes", "dark", api_name="/reconstruct"))
    assert given_back.tobytes() == pipelines.load(own / "classes")(tmp_path / "small.png", label=1).tobytes()
    (points,) = client.predict("points", 3, 7, "", {}, 1.0, api_name="/generate")
    assert (np.load(points)["p"] == pipelines.load(own / "points").arrays(3, seed=7)["p"]).all()
