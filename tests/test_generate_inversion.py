"""Inversion: the code of a picture that a generator made is found again."""

import io
import re
from contextlib import redirect_stdout

import numpy as np
import pytest
import torch
from linear_generators import Decoder, card
from PIL import Image
from torch import nn

from pipelines.commands.generate import main
from pipelines.generating import Generate
from pipelines.inversion import invert, perceptual_error, picture
from translate.card import FixedPicture, Label, Latent, Vector
from translate.data.pictures import write_picture
from translate.errors import ConfigurationError, PictureError
from translate.method import Deploy
from translate.runtime.torch import TorchRuntime

Z = Latent(name="z", size=4)
CLASS = Label(name="class", classes=3)
PICTURE = FixedPicture(name="picture", channels=3, height_px=8, width_px=8)
TRUE = np.array([[0.7, -1.1, 0.3, 1.6]], dtype=np.float32)


def target_of(decoder, *inputs):
    with torch.no_grad():
        return decoder(*(torch.from_numpy(value) for value in inputs))[0].numpy()


def test_the_code_of_a_made_picture_is_found():
    decoder = Decoder()
    before = [parameter.clone() for parameter in decoder.parameters()]
    found = invert(decoder, target_of(decoder, TRUE), card((Z,), (PICTURE,)), starts=4, steps=300)
    np.testing.assert_allclose(found.inputs["z"], TRUE, atol=2e-3)
    assert found.error < 1e-6
    assert found.error == min(found.errors)
    np.testing.assert_allclose(found.reconstruction, target_of(decoder, found.inputs["z"]), atol=1e-6)
    assert all(torch.equal(one, other) for one, other in zip(before, decoder.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in decoder.parameters())


def test_control_without_steps_the_code_is_not_found():
    decoder = Decoder()
    found = invert(decoder, target_of(decoder, TRUE), card((Z,), (PICTURE,)), starts=4, steps=0)
    assert found.error > 1e-3
    assert np.abs(found.inputs["z"] - TRUE).max() > 0.1


def test_the_class_is_found_with_the_code():
    decoder = Decoder(classes=3)
    target = target_of(decoder, TRUE, np.array([2]))
    found = invert(decoder, target, card((Z, CLASS), (PICTURE,)), steps=300)
    assert found.inputs["class"].tolist() == [2]
    np.testing.assert_allclose(found.inputs["z"], TRUE, atol=5e-3)
    wrong = invert(decoder, target, card((Z, CLASS), (PICTURE,)), starts=3, steps=300, label=0)
    assert wrong.inputs["class"].tolist() == [0]
    assert wrong.error > 100 * found.error
    with pytest.raises(ConfigurationError, match="no class 5"):
        invert(decoder, target, card((Z, CLASS), (PICTURE,)), label=5)


def test_every_class_has_a_start():
    decoder = Decoder(classes=11)
    many = Label(name="class", classes=11)
    target = target_of(decoder, TRUE, np.array([10]))
    found = invert(decoder, target, card((Z, many), (PICTURE,)), steps=200)
    assert len(found.errors) == 11
    assert found.inputs["class"].tolist() == [10]


def test_a_start_is_not_moved_by_the_others():
    """Adam is elementwise: what a start becomes alone, it becomes in company."""
    decoder = Decoder()
    target = target_of(decoder, TRUE)
    one, many = (invert(decoder, target, card((Z,), (PICTURE,)), starts=n, steps=20).errors for n in (1, 5))
    assert one[0] == pytest.approx(many[0], rel=1e-3)
    assert len(set(many)) == 5


def test_uniform_codes_stay_in_their_range():
    code = Latent(name="z", size=4, distribution="uniform")
    decoder = Decoder()
    found = invert(decoder, target_of(decoder, 3 * TRUE), card((code,), (PICTURE,)), starts=2, steps=100)
    assert np.abs(found.inputs["z"]).max() == 1.0
    assert found.error > 1e-4


def test_points_have_codes_too():
    linear = nn.Linear(2, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[1.0, 0.5], [-0.5, 2.0]]))
    target = np.array([0.4, -3.0], dtype=np.float32)
    ports = card((Latent(name="z", size=2),), (Vector(name="point", size=2),))
    found = invert(linear, target, ports, starts=1, steps=800)
    np.testing.assert_allclose(found.reconstruction, target, atol=1e-2)


def test_the_module_is_run_in_evaluation_mode_and_may_give_a_tuple():
    decoder = nn.Sequential(Decoder(), nn.Dropout(0.9)).train()
    target = target_of(decoder.eval(), TRUE)

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.decoder = decoder.train()

        def forward(self, z):
            return self.decoder(z), z

    assert invert(Two(), target, card((Z,), (PICTURE,)), starts=2, steps=300).error < 1e-4


def test_a_target_of_another_size_is_refused():
    with pytest.raises(PictureError, match=r"target is \(3, 9, 9\); the generator makes \(3, 8, 8\)"):
        invert(Decoder(), np.zeros((3, 9, 9), np.float32), card((Z,), (PICTURE,)))


def test_a_further_error_is_added():
    """One that wants another picture, nine times as much, pulls the code there."""
    decoder, ports = Decoder(), card((Z,), (PICTURE,))
    target, other = target_of(decoder, TRUE), target_of(decoder, -TRUE)

    def wants_the_other(made, goal):
        assert torch.equal(goal, torch.from_numpy(target).expand_as(made))
        return 9 * (made - torch.from_numpy(other)).square().flatten(1).mean(1)

    pulled = invert(decoder, target, ports, starts=2, steps=100, extra=wants_the_other)
    assert np.square(pulled.reconstruction - other).mean() < 0.1 * np.square(pulled.reconstruction - target).mean()
    assert pulled.error == pytest.approx(np.square(pulled.reconstruction - target).mean(), rel=1e-4)


def test_the_perceptual_error_is_0_for_equal_pictures_alone():
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    other = torch.stack([pictures[0], -pictures[1]])
    errors = perceptual_error(1.0)(pictures, other)
    assert errors.shape == (2,)
    assert errors[0] == 0
    assert errors[1] > 0.01
    torch.testing.assert_close(perceptual_error(3.0)(pictures, other), 3 * errors)


# A run's picture, as the command has it


class OfARun:
    """What is used of a trained run."""

    def __init__(self, decoder, card):
        self.method, self.card = self, card
        self.decoder = decoder

    def deploys(self):
        return {
            "generate": Deploy(
                module=self.decoder, networks=(self.decoder,), task="generate", inputs=(Z,), outputs=(PICTURE,)
            )
        }

    def runtime(self, deploy, device):
        return TorchRuntime(self.deploys()["generate"], self.card, device)


def test_a_picture_and_its_reconstruction_side_by_side(tmp_path, monkeypatch):
    run = OfARun(Decoder(), card((Z,), (PICTURE,)))
    monkeypatch.setattr(picture, "find_run", lambda name, runs: name)
    monkeypatch.setattr(picture.Trained, "for_use", lambda folder: run)
    pixels = np.asarray(Generate(run.runtime(None, torch.device("cpu")))(1, latent=TRUE[0])[0])
    write_picture(pixels, tmp_path / "given.png")
    arguments = ["run", "-o", tmp_path / "sheet.png", "--invert", tmp_path / "given.png", "--n", "3", "--device", "cpu"]
    with redirect_stdout(io.StringIO()) as told:
        assert main([str(argument) for argument in arguments]) == 0
    error = float(re.search(r"error ([\d.]+) levels", told.getvalue())[1])
    sheet = np.asarray(Image.open(tmp_path / "sheet.png")).astype(int)
    assert sheet.shape == (8, 18, 3)
    assert np.array_equal(sheet[:, :8], pixels)
    assert np.abs(sheet[:, 10:] - sheet[:, :8]).max() <= 3
    assert error < 1
    np.testing.assert_allclose(np.load(tmp_path / "sheet.npz")["z"], TRUE, atol=0.05)


def test_inversion_is_written_as_a_picture(tmp_path):
    with pytest.raises(ConfigurationError, match="--invert makes a picture"):
        main(["run", "-o", str(tmp_path / "out"), "--invert", "given.png"])


@pytest.mark.parametrize("given", [("--code", "z=1,2,3,4"), ("--spread", "0.5"), ("--sheet", "classes")], ids=str)
def test_options_that_an_inversion_has_no_use_for_are_refused(tmp_path, given):
    with pytest.raises(ConfigurationError, match=f"leave out {given[0]}"):
        main(["run", "-o", str(tmp_path / "out.png"), "--invert", "given.png", *given])
