"""Restoration models through spandrel: the same numbers as spandrel's own call, at any size, or a refusal."""

import numpy as np
import pytest
import torch
from PIL import Image
from restoration_networks import built, drunet, esrgan, span, swin
from safetensors.torch import save_file
from torch import nn

from pipelines.importing import ImportSettings, Origin, import_weights, restoration
from pipelines.importing.restoration import from_spandrel
from pipelines.load import load
from pipelines.tasks import Upscale
from translate.errors import ConfigurationError, ModelError

spandrel = pytest.importorskip("spandrel")


def compact():
    return built("Compact", num_feat=8, num_conv=2, upscale=2)


TINY = {
    "ESRGAN": esrgan,
    "Real-ESRGAN at 2x": lambda: esrgan(in_nc=12, shuffle_factor=2),
    "SRVGGNetCompact": compact,
    "DnCNN": lambda: built("DnCNN", nc=8, nb=4),
    "DRUNet": drunet,
    "SPAN": span,
    "SwinIR": swin,
    "RealPLKSR": lambda: built("PLKSR", "RealPLKSR", dim=16, n_blocks=2, upscaling_factor=2),
}


def descriptor(state):
    return spandrel.ModelLoader(device="cpu").load_from_state_dict(dict(state)).eval()


def apart(deploy, state):
    found = descriptor(state)
    given = torch.rand(2, found.input_channels, 16, 24, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        ours = (deploy.module(given * 2 - 1) + 1) / 2
        theirs = torch.cat([found(each[None].clone()) for each in given])
    assert theirs.std() > 0.02
    assert ours.shape[2] == 16 * found.scale
    return float((ours.clamp(0, 1) - theirs).abs().max())


@pytest.mark.parametrize("name", TINY)
def test_the_same_numbers_as_spandrel(name):
    state = TINY[name]().state_dict()
    found = from_spandrel(state, "f.pth")
    assert apart(found.deploy, state) <= 1e-5
    assert found.deploy.task == ("upscale" if found.scale > 1 else "translate")
    assert "spandrel" in found.about


def test_without_the_change_of_range_the_pictures_are_others():
    state = compact().state_dict()
    found = from_spandrel(state, "f.pth")
    found.deploy.module.forward = found.deploy.module.network.forward
    assert apart(found.deploy, state) > 0.05


def test_an_upscaler_from_its_file_to_a_larger_picture(tmp_path):
    network = compact()
    torch.save({"params": {}, "params_ema": network.state_dict()}, tmp_path / "up.pth")
    how = ImportSettings(source="spandrel", origin=Origin(data="drawings", licence="CC0"))
    (written,) = import_weights([tmp_path / "up.pth"], tmp_path / "up.onnx", how)
    assert (written.card.licence, written.card.task, written.card.scale) == ("CC0", "upscale", 2)
    assert written.card.data.startswith("drawings\n")
    upscale = load(written.path, device="cpu")
    assert isinstance(upscale, Upscale)
    pixels = np.random.default_rng(0).integers(0, 256, (13, 29, 3), dtype=np.uint8)
    made = np.asarray(upscale(Image.fromarray(pixels)))
    given = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    theirs = (descriptor(network.state_dict())(given)[0].permute(1, 2, 0) * 255).round().numpy()
    assert made.shape == (26, 58, 3)
    assert np.abs(made - theirs).max() <= 1


@pytest.mark.slow
def test_safetensors_of_a_denoiser(tmp_path):
    save_file(TINY["DnCNN"]().state_dict(), tmp_path / "clean.safetensors")
    (written,) = import_weights(
        [tmp_path / "clean.safetensors"], tmp_path / "clean.onnx", ImportSettings(source="spandrel")
    )
    assert written.card.task == "translate"
    assert written.card.scale == 1


REFUSED = {
    "unknown": (lambda: nn.Linear(2, 2).state_dict(), "knows no model"),
    "a layer of another size": (
        lambda: {**compact().state_dict(), "body.2.weight": torch.ones(3, 3, 3, 3)},
        "cannot build",
    ),
    "more than three channels": (lambda: built("DnCNN", in_nc=7, out_nc=7, nc=8, nb=4).state_dict(), "7 to 7 channels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    state, reason = REFUSED[case]
    with pytest.raises(ModelError, match=reason):
        from_spandrel(state(), "f.pth")


class Writing(nn.Conv2d):
    """Makes new weights in every call."""

    def forward(self, picture):
        self.weight.data = self.weight.data.clone()
        return super().forward(picture)


def test_new_weights_at_every_call_are_refused(monkeypatch):
    def restless(network, architecture):
        return nn.Sequential(network, Writing(3, 3, 1))

    monkeypatch.setattr(restoration, "adapted", restless)
    with pytest.raises(ModelError, match="makes new weights"):
        from_spandrel(compact().state_dict(), "f.pth")


def test_what_is_adapted_is_held_against_spandrels_own_call(monkeypatch):
    monkeypatch.setattr(restoration, "adapted", lambda network, architecture: nn.Sequential(network, nn.Sigmoid()))
    with pytest.raises(ModelError, match="other pictures"):
        from_spandrel(compact().state_dict(), "f.pth")


class Masked(spandrel.MaskedImageModelDescriptor):
    def __init__(self):
        pass


class Square:
    square = True


def test_masks_and_squares_are_refused(monkeypatch):
    found = descriptor(compact().state_dict())
    masked = Masked()
    masked._architecture = found.architecture
    with pytest.raises(ModelError, match="mask"):
        restoration._usable(masked, "lama.pt")
    found.size_requirements = Square()
    with pytest.raises(ModelError, match="square"):
        restoration._usable(found, "f.pth")


def test_without_spandrel(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "spandrel", None)
    with pytest.raises(ConfigurationError, match="restore"):
        from_spandrel({}, "f.pth")
