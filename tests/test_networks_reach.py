"""How far the networks see, measured by gradients, and whether a tile equals its part of the whole."""

import pytest
import torch
from reaching import make_positive, seen_rows
from small_networks import RESAMPLINGS

from translate.networks.initialise import initialise
from translate.networks.patch import PatchDiscriminator, PixelDiscriminator
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet

pytestmark = pytest.mark.usefixtures("seeded")


def seen_px(network, size, row):
    first, last = seen_rows(network, size, row)
    return last - first + 1


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_patchgan_receptive_field(layers, field):
    network = make_positive(PatchDiscriminator(inputs=1, width=1, layers=layers, norm="none"))
    size = 3 * field
    assert seen_px(network, size, row=network(torch.zeros(1, 1, size, size).double()).shape[-1] // 2) == field
    assert network.receptive_field_px == field


def test_pixel_discriminator_sees_one_pixel():
    network = make_positive(PixelDiscriminator(inputs=1, width=2, norm="none"))
    assert seen_px(network, 9, row=4) == network.receptive_field_px == 1


def test_blurred_patchgan_receptive_field():
    network = make_positive(PatchDiscriminator(inputs=1, width=1, layers=2, norm="none", resampling="blur"))
    assert seen_px(network, 128, row=15) == network.receptive_field_px


@pytest.mark.parametrize("resampling", RESAMPLINGS)
@pytest.mark.parametrize("blocks", [1, 3])
def test_resnet_receptive_field(resampling, blocks):
    network = make_positive(ResNet(inputs=1, outputs=1, width=1, blocks=blocks, norm="none", resampling=resampling))
    rows = range(80, 84)  # every phase of the two halvings
    seen = [seen_rows(network, 160, row) for row in rows]
    assert max(last - first + 1 for first, last in seen) == network.receptive_field_px
    reach = [max(row - first, last - row) for row, (first, last) in zip(rows, seen, strict=True)]
    assert max(reach) == network.context_px


def test_the_papers_resnet_sees_169_px():
    # 7 x 7, two halvings, 18 convolutions at a quarter of the size, two doublings, 7 x 7.
    assert 7 + 2 * 1 + 2 * 2 + 18 * 2 * 4 + 4 + 2 + 6 == ResNet(width=1).receptive_field_px == 169


def test_unet_sees_everything():
    network = make_positive(UNet(inputs=1, outputs=1, width=1, depth=4, norm="none"))
    assert seen_px(network, 48, row=24) == 48
    assert network.tiling == "forbidden"


@pytest.mark.parametrize(("norm", "exact"), [("none", True), ("batch", True), ("instance", False)])
@pytest.mark.parametrize("resampling", RESAMPLINGS)
def test_resnet_gives_tiles_as_it_gives_the_whole_where_its_tiling_says_exact(norm, exact, resampling):
    network = ResNet(width=2, blocks=1, norm=norm, resampling=resampling).eval()
    initialise(network, std=0.2)
    picture = torch.randn(1, 3, 96, 96)
    margin = 4 * -(-network.context_px // 4)  # up to a multiple of 4
    whole = network(picture)[..., margin:-margin, 40:56]
    tile = network(picture[..., 40 - margin : 56 + margin])[..., margin:-margin, margin:-margin]
    assert (network.tiling == "exact") is exact
    assert torch.allclose(whole, tile, atol=1e-5) is exact
