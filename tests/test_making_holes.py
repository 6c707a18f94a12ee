"""Masks: how much they cover, what shapes they have, and the pictures that are torn by them."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial import cKDTree
from test_making_all import draws, tensors

from translate.data.making import Holes, mask_shapes
from translate.data.making.holes import HOLE_LEVEL, draw_mask, torn
from translate.errors import ConfigurationError

SHAPES = {
    "strokes": mask_shapes.strokes,
    "boxes": mask_shapes.boxes,
    "segments": mask_shapes.segments,
    "outpainting": mask_shapes.bands,
}
WITHIN = {"strokes": 0.02, "boxes": 0.005, "segments": 1 / 128**2, "outpainting": 0.005}
"""Half a side of a box of 128 px, or half a rim of a thin stroke."""


def only(shape, **fields):
    return Holes(**{name: float(name == shape) for name in SHAPES}, **fields)


def masks(shape, count=12, side=96):
    return [draw_mask(side, side, np.random.default_rng(seed), only(shape)) for seed in range(count)]


# How much


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.02, 0.1, 0.4, 0.9])
def test_the_share_that_is_asked_for_is_met(shape, share):
    holes = only(shape, least_share=share, most_share=share)
    covered = [draw_mask(128, 128, np.random.default_rng(seed), holes).mean() for seed in range(15)]
    assert np.abs(np.array(covered) - share).max() <= WITHIN[shape]


def test_a_brush_of_one_thickness_would_miss_the_share():
    field = mask_shapes.strokes(128, 128, np.random.default_rng(0))
    assert abs((field < 6).mean() - 0.4) > WITHIN["strokes"]


@pytest.mark.parametrize(("least", "most"), [(0.1, 0.4), (0.3, 0.35)])
def test_shares_are_drawn_evenly(least, most):
    holes = only("segments", least_share=least, most_share=most)
    covered = [draw_mask(64, 64, draw, holes).mean() for draw in draws(300)]
    assert stats.kstest(covered, stats.uniform(least, most - least).cdf).pvalue > 0.01
    assert stats.kstest(np.square(covered), stats.uniform(least, most - least).cdf).pvalue < 1e-6


def test_the_lowest_pixels_are_those_that_sorting_finds():
    field = np.random.default_rng(0).permutation(600).reshape(20, 30).astype(np.float32)
    for share in (0.1, 0.5, 0.77):
        assert set(field[mask_shapes.lowest(field, share)]) == set(range(round(share * 600)))


def test_equal_pixels_stay_together_on_the_nearer_side():
    field = np.repeat(np.arange(4.0, dtype=np.float32), 10)[None]
    assert [mask_shapes.lowest(field, share).sum() for share in (0.3, 0.45, 0.7, 0.99, 0.01)] == [10, 20, 30, 30, 10]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [(1, 2), (2, 1), (5, 3), (3, 200), (33, 47)])
def test_pictures_of_every_size_have_something_to_fill_and_something_known(shape, size):
    for seed in range(5):
        mask = draw_mask(*size, np.random.default_rng(seed), only(shape))
        assert (mask.shape, mask.dtype) == (size, np.bool_)
        assert 0 < mask.sum() < mask.size


# Shapes


def of_boxes(mask):
    """Up to four boxes have up to eight edges, and so up to nine kinds of rows."""
    return len(np.unique(mask, axis=0)) <= 9 and len(np.unique(mask, axis=1).T) <= 9


def of_bands(mask):
    """What is known is one rectangle, and what is not touches the picture's sides alone."""
    known = ~mask
    rows, columns = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    return bool(known[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all())


def irregular(mask):
    return not of_boxes(mask) and not of_bands(mask)


@pytest.mark.parametrize(
    ("shape", "fits", "misfits"),
    [
        ("boxes", of_boxes, ["strokes", "segments"]),
        ("outpainting", of_bands, ["strokes", "segments"]),
        ("segments", irregular, ["boxes", "outpainting"]),
        ("strokes", irregular, ["boxes", "outpainting"]),
    ],
)
def test_holes_have_the_shape_of_their_kind_and_others_have_not(shape, fits, misfits):
    assert all(fits(mask) for mask in masks(shape))
    for other in misfits:
        assert not any(fits(mask) for mask in masks(other))


def as_far_as_a_brush_reaches(field):
    """Every stroke's thickness is 0.6 to 1.4 of the drawn one: so is the distance to a line, by a search tree."""
    tree = cKDTree(np.argwhere(field == 0))
    distance = tree.query(np.argwhere(field >= 0))[0].reshape(field.shape)
    return bool(((distance >= 0.599 * field) & (distance <= 1.401 * field)).all())


def test_strokes_are_what_a_round_brush_covers():
    fields = [mask_shapes.strokes(96, 80, np.random.default_rng(seed)) for seed in range(10)]
    assert all(as_far_as_a_brush_reaches(field) for field in fields)
    assert not any(as_far_as_a_brush_reaches(field**2) for field in fields)
    assert all(0 < (field == 0).mean() < 0.1 for field in fields)


def same_wherever_it_lies(shape):
    """Whether a field is the same to the bit in whatever part of the memory it comes to lie."""
    taken, fields = [], []
    for turn in range(96):
        taken.append(np.empty(1 + 1111 * turn, np.uint8))
        fields.append(shape(96, 80, np.random.default_rng(7)))
    return all(np.array_equal(field, fields[0]) for field in fields)


def test_a_seed_gives_the_same_hole_to_the_bit():
    """OpenCV's distance transform does not: runs of one seed drifted apart by a pixel in some hundred masks."""
    assert all(same_wherever_it_lies(shape) for shape in SHAPES.values())

    def by_address(height, width, draw):
        field = mask_shapes.boxes(height, width, draw)
        return np.nextafter(field, np.float32(np.inf)) if field.ctypes.data % 64 else field

    assert not same_wherever_it_lies(by_address)


def test_shapes_come_as_often_as_the_mixture_says():
    holes = Holes(strokes=1, boxes=2, segments=0, outpainting=1)
    drawn = [holes.shape(draw) for draw in draws(400)]
    counts = [drawn.count(shape) for shape in SHAPES.values()]
    assert counts[2] == 0
    assert stats.chisquare([counts[0], counts[1], counts[3]], [100, 200, 100]).pvalue > 0.01
    assert stats.chisquare([counts[0], counts[1], counts[3]], [400 / 3] * 3).pvalue < 0.01


# Pictures


def is_torn(made, photos, masks):
    """The mask says where; there it is grey, and elsewhere the photo to the bit."""
    where = torch.from_numpy(masks)[:, None].expand(-1, 3, -1, -1)
    grey = torch.tensor(HOLE_LEVEL / 127.5 - 1.0)
    return bool(
        torch.equal(made[:, 3:] == 1.0, where[:, :1])
        and torch.equal(made[:, 3:] == -1.0, ~where[:, :1])
        and torch.allclose(made[:, :3][where], grey, atol=1e-7)
        and torch.equal(made[:, :3][~where], photos[~where])
    )


def test_photos_are_grey_in_the_hole_and_themselves_elsewhere():
    photos = tensors()
    there = np.stack([draw_mask(64, 64, draw, Holes()) for draw in draws()])
    made = Holes().make(photos, draws())
    assert is_torn(made, photos, there)
    assert not is_torn(made, photos, np.roll(there, 1, axis=2))
    assert not is_torn(made, photos.flip(0), there)


def test_what_a_photo_has_in_its_hole_is_gone():
    photos = tensors()
    mask = torch.from_numpy(draw_mask(64, 64, np.random.default_rng(0), Holes())).expand(8, 1, -1, -1)
    assert torch.equal(torn(photos, mask), torn(torch.where(mask, -photos, photos), mask))
    assert not torch.equal(torn(photos, mask), torn(torch.where(mask, photos, -photos), mask))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"least_share": 0.0}, "least-share"),
        ({"most_share": 1.0}, "most-share"),
        ({"least_share": 0.5}, "most-share"),
        ({"boxes": -0.1}, "boxes"),
        ({"strokes": 0, "boxes": 0, "segments": 0, "outpainting": 0}, "weight 0"),
    ],
)
def test_holes_that_cannot_be_are_refused(fields, named):
    with pytest.raises(ConfigurationError, match=named):
        Holes(**fields)


def test_one_pixel_cannot_be_torn():
    with pytest.raises(ConfigurationError, match="two pixels"):
        draw_mask(1, 1, np.random.default_rng(0), Holes())
