"""What every making promises, whatever it makes."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from skimage import data as photographs
from tiny import tiny_recipe

from pipelines.methods import method_class
from translate.card import Mask, Picture
from translate.data.domain import channels_of, ports_of
from translate.data.domains import MadePairs
from translate.data.making import Degraded, Grey, Holes, Shrunk
from translate.data.tensors import assemble, to_uint8
from translate.recipe import from_json, to_json

PHOTO = ports_of(("rgb",), "b")
MAKINGS = [Shrunk(scale=2), Shrunk(), Degraded(), Degraded(scale=2), Degraded.mild(), Grey(), Holes()]
every_making = pytest.mark.parametrize("making", MAKINGS, ids=lambda making: f"{type(making).__name__}{making.scale}")


def photos(count=8, side=64):
    cat = photographs.chelsea()
    crops = np.stack([cat[40 + 20 * i :, 100 + 15 * i :][:side, :side] for i in range(count)])
    return torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous()


def tensors(count=8, side=64):
    return assemble(PHOTO, {"b": photos(count, side)}, "cpu")


def draws(count=8, seed=0):
    return [np.random.default_rng([seed, place]) for place in range(count)]


@every_making
def test_what_is_made_has_its_ports_channels_and_the_size_that_the_scale_says(making):
    made = making.make(tensors(), draws())
    assert made.dtype == torch.float32
    assert made.shape == (8, channels_of(making.ports(PHOTO)), 64 // making.scale, 64 // making.scale)


@every_making
def test_what_is_made_goes_through_a_file_without_a_change(making):
    assert through_a_file(making, making.make(tensors(), draws()))
    assert not through_a_file(making, making.make(tensors(), draws()) + 0.001)


def through_a_file(making, made):
    ports = making.ports(PHOTO)
    parts = made.split([port.channels for port in ports], dim=1)
    stored = {
        port.name: torch.from_numpy(to_uint8(part, port)).permute(0, 3, 1, 2)
        for port, part in zip(ports, parts, strict=True)
    }
    return torch.equal(assemble(ports, stored, "cpu"), made)


@dataclass(frozen=True, kw_only=True)
class _Shared(Degraded):
    """A broken making: all photos draw from the first one's numbers."""

    def make(self, photos, draws):
        return super().make(photos, [draws[0]] * len(draws))


def alone_as_together(making):
    together = making.make(tensors(), draws())
    alone = [making.make(tensors()[index : index + 1], [draw]) for index, draw in enumerate(draws())]
    return torch.equal(torch.cat(alone), together)


@every_making
def test_a_photo_alone_becomes_bit_for_bit_what_it_becomes_in_a_batch(making):
    assert alone_as_together(making)


def test_makings_whose_photos_share_draws_would_be_caught():
    assert not alone_as_together(_Shared())


@every_making
def test_the_same_draws_give_the_same_bits_and_others_others(making):
    first = making.make(tensors(), draws())
    assert torch.equal(making.make(tensors(), draws()), first)
    draws_something = not isinstance(making, Shrunk | Grey)
    assert torch.equal(making.make(tensors(), draws(seed=1)), first) != draws_something


@every_making
def test_the_photos_stay_as_they_are(making):
    given = tensors()
    making.make(given, draws())
    assert torch.equal(given, tensors())


@pytest.mark.parametrize("making", [Shrunk(scale=2), Degraded(), Holes()], ids=lambda making: type(making).__name__)
def test_grey_photos_make_grey_inputs(making):
    grey = ports_of(("grey",), "b")
    made = making.make(tensors()[:, :1], draws())
    assert made.shape[1] == channels_of(making.ports(grey))
    assert making.ports(grey)[0] == Picture(name="a", channels=1)


def test_holes_come_with_a_mask():
    assert Holes().ports(PHOTO) == (Picture(name="a"), Mask(name="mask"))


@every_making
def test_a_recipe_with_it_goes_through_json(making):
    recipe = replace(tiny_recipe("pix2pix"), domains=MadePairs(making=making))
    assert from_json(to_json(recipe), lambda name: method_class(name).Config) == recipe
