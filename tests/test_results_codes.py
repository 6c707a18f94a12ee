"""The scripts that judge codes, few labels and reconstructions, on cases whose figures are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.results import few_labels, infogan, reconstruction
from benchmarks.results.material import Split
from pipelines.generating import Generate
from pipelines.methods.vae import VAE
from translate.card import Card, FixedPicture, Label, Latent, Vector
from translate.data.domain import SampleSpec
from translate.data.domains import OneDomain
from translate.networks.encoders import EncoderConfig
from translate.networks.latent_generators import LatentGeneratorConfig

SIDE = 16
PICTURE = FixedPicture(name="x", channels=1, height_px=SIDE, width_px=SIDE)


def card(task, inputs, outputs):
    return Card(name="planted", method="planted", task=task, inputs=inputs, outputs=outputs)


class Strokes:
    """An upright stroke; the first code leans it, the second makes it wide; the category moves it."""

    device = "planted"
    card = card(
        "generate",
        (Latent(name="z", size=3), Label(name="category", classes=4), Latent(name="code", size=2)),
        (PICTURE,),
    )

    def __init__(self, *, dials=(1.0, 1.0)):
        self.dials = dials
        self.seen = []

    def run(self, inputs):
        self.seen.append(inputs)
        lean, width = (inputs["code"] * self.dials).T[:, :, None, None]
        rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.5
        centre = inputs["category"][:, None, None] - 1.5
        off = np.abs(columns + 0.4 * lean * rows - centre)
        ink = np.clip(2.5 + width - off, 0, 1)
        return {"x": (2 * ink - 1)[:, None].astype(np.float32)}


def dials_of(strokes):
    traverse = infogan.Traverse(Generate(strokes), 6, seed=0)
    return infogan.dial_figures(traverse, 2, torch.linspace(-1, 1, 7))


def test_dials_are_found_whichever_code_they_are():
    assert min(dials_of(Strokes()).values()) > 0.99


def test_a_dial_that_turns_the_other_way_counts_as_much():
    assert min(dials_of(Strokes(dials=(-1.0, -1.0))).values()) > 0.99


class Contrary(Strokes):
    """In the first category both codes turn the other way round."""

    def run(self, inputs):
        turned = np.where(inputs["category"][:, None] == 0, -inputs["code"], inputs["code"])
        return super().run({**inputs, "code": turned})


def test_a_dial_that_turns_the_other_way_in_one_category_is_told_from_one_that_does_not():
    found = dials_of(Contrary())
    for name in infogan.MEASURES:
        assert found[f"{name}: weakest traversal along its best code"] < -0.99
        assert found[f"{name}: |Spearman| along its best code, mean"] < 0.7
        assert found[f"{name}: weakest traversal along each category's best code"] > 0.99
        assert found[f"{name}: |Spearman| along each category's best code, mean"] > 0.99


class Wavering(Strokes):
    """Within every category a code turns one way in one traversal, the other way in the next."""

    def run(self, inputs):
        turned = np.where(inputs["z"][:, :1] > 0, -inputs["code"], inputs["code"])
        return super().run({**inputs, "code": turned})


def test_control_a_category_of_its_own_does_not_make_a_dial_of_what_wavers():
    found = infogan.dial_figures(infogan.Traverse(Generate(Wavering()), 24, seed=0), 2, torch.linspace(-1, 1, 7))
    for name in infogan.MEASURES:
        assert found[f"{name}: weakest traversal along each category's best code"] < -0.99


def test_codes_that_do_nothing_are_no_dials():
    assert max(map(abs, dials_of(Strokes(dials=(0.0, 0.0))).values())) < 1e-9


def test_a_traversal_changes_one_code_and_nothing_else():
    strokes = Strokes()
    infogan.Traverse(Generate(strokes), 5, seed=0)(1, torch.linspace(-1, 1, 3))
    (inputs,) = strokes.seen
    rows = {name: values.reshape(5, 3, -1) for name, values in inputs.items()}
    np.testing.assert_array_equal(rows["code"][:, :, 1], np.tile([-1, 0, 1], (5, 1)))
    for kept in (rows["z"], rows["category"], rows["code"][:, :, :1]):
        np.testing.assert_array_equal(kept, np.repeat(kept[:, :1], 3, axis=1))
    assert len(np.unique(rows["z"][:, 0], axis=0)) == 5


def test_codes_that_name_classes_otherwise_are_right():
    labels = torch.arange(300) % 10
    codes = (3 * labels + 1) % 10
    assert list(infogan.error_figures(codes, labels, codes, labels, classes=10).values()) == [0, 0]


def test_the_match_is_made_on_training_pictures():
    labels = torch.arange(300) % 10
    held_out, _ = infogan.error_figures(labels, labels, labels.roll(1), labels, classes=10).values()
    assert held_out == 100  # matched on the held-out pictures themselves it would be 0


class Reader:
    """Says the class that the first pixel holds."""

    device = "planted"
    card = card("encode", (PICTURE,), (Vector(name="scores", size=4),))

    def run(self, inputs):
        return {"scores": np.eye(4, dtype=np.float32)[inputs["x"][:, 0, 0, 0].astype(int)]}


def planted(labels):
    pictures = torch.zeros(len(labels), 1, SIDE, SIDE)
    pictures[:, 0, 0, 0] = labels.float()
    return pictures


def test_a_reader_is_scored_by_the_class_that_it_finds_likeliest():
    labels = torch.arange(1200) % 4  # more than go through at once
    said = labels.clone()
    said[:300] = (said[:300] + 1) % 4
    test = Split(samples=planted(said), labels=labels)
    assert few_labels.accuracy_of(Reader(), test) == 0.75
    assert infogan.read_codes(Reader(), test.samples).tolist() == said.tolist()


def clusters(count, seed):
    labels = torch.arange(count) % 3
    noise = torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    return Split(samples=(labels - 1.0)[:, None, None, None] * 0.8 + 0.05 * noise, labels=labels)


def baselines(few, hidden, test):
    return few_labels.baseline_figures(few, hidden, test, seed=0, shift_px=1)


def test_hidden_labels_stay_hidden_from_the_baselines():
    train, test = clusters(120, seed=0), clusters(60, seed=1)
    few = replace(train, labels=torch.where(torch.arange(120) < 6, train.labels, -1))
    hidden = few_labels.hidden_of(train, few)
    assert torch.equal(hidden.samples, train.samples[6:])
    assert torch.equal(hidden.labels, train.labels[6:])
    labels, alone, alone_hidden, spread, spread_hidden = baselines(few, hidden, test).values()
    assert (labels, spread, spread_hidden) == (6, 0, 0)
    assert max(alone, alone_hidden) < 20
    shuffled = replace(few, labels=few.labels.roll(1))
    figures = baselines(shuffled, few_labels.hidden_of(train, shuffled), test)
    assert figures["label propagation (% wrong)"] > 90
    assert figures["label propagation, of hidden labels (% wrong)"] > 90


def test_pictures_that_come_back_changed_are_told_by_how_much():
    true = torch.zeros(3, 1, 16, 16)
    found = reconstruction.likeness(true + 0.1, true)
    assert found["L1 (levels of 255)"] == pytest.approx(12.75, rel=1e-4)
    assert found["PSNR (dB)"] == pytest.approx(20 * np.log10(2 / 0.1), rel=1e-4)


def vae(**change):
    config = VAE.Config(
        encoder=EncoderConfig(kind="mlp", widths=(8,), norm="none"),
        decoder=LatentGeneratorConfig(kind="mlp", widths=(8,), norm="none"),
        latent=3,
        **change,
    )
    spec = SampleSpec(domains=OneDomain(x="grey").ports(), height_px=SIDE, width_px=SIDE, batch_size=4)
    return VAE(config, spec).eval()


def test_the_tighter_bound_is_above_the_elbo():
    torch.manual_seed(0)
    test = Split(samples=torch.rand(40, 1, SIDE, SIDE) * 2 - 1, labels=torch.full((40,), -1))
    elbo, bound, kl, active = reconstruction.bounds(vae(), test, 20).values()
    assert elbo < bound < 0
    assert kl > 0
    assert 0 <= active <= 3
