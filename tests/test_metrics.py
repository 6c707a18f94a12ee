"""Metrics against scikit-image, torchmetrics and closed forms."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.ndimage import gaussian_filter
from skimage import data
from skimage import metrics as reference
from skimage.transform import resize
from torchmetrics.image.kid import poly_mmd

from translate.errors import ConfigurationError, DatasetError
from translate.metrics import baselines
from translate.metrics.backbone import SHORTEST_SIDE_PX, as_backbone_input
from translate.metrics.distribution import EmbeddingCollector, frechet_distance, kernel_distance
from translate.metrics.pairwise import PSNR_CEILING_DB, l1_levels, psnr_db, ssim
from translate.metrics.perceptual import PerceptualDistance, distance_of_features
from translate.networks.efficientnet import EfficientNetLite


def to_tensor(pictures):
    """uint8 N x H x W x C to N x C x H x W in [-1, 1]."""
    return torch.from_numpy(np.asarray(pictures).astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)


def photo(name, side):
    return (resize(getattr(data, name)(), (side, side), anti_aliasing=True) * 255).round().astype(np.uint8)


@pytest.fixture(scope="module")
def photos():
    return np.stack([photo(name, 64) for name in ("astronaut", "chelsea", "coffee", "rocket")])


@pytest.fixture(scope="module")
def backbone():
    return EfficientNetLite(variant="lite1")


@pytest.fixture
def noisy(photos):
    noise = np.random.default_rng(0).normal(0, [[[[4]]], [[[12]]], [[[25]]], [[[60]]]], photos.shape)
    return np.clip(photos + noise, 0, 255).round().astype(np.uint8)


# Pairs


def test_psnr_of_each_picture_is_scikit_images(photos, noisy):
    expected = [reference.peak_signal_noise_ratio(*pair, data_range=255) for pair in zip(photos, noisy, strict=True)]
    assert psnr_db(to_tensor(noisy), to_tensor(photos)).numpy() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_of_each_picture_is_scikit_images(photos, noisy, channels):
    a, b = photos[..., :channels], noisy[..., :channels]
    options = {"data_range": 255, "channel_axis": 2, "gaussian_weights": True, "use_sample_covariance": False}
    expected = [reference.structural_similarity(*pair, **options) for pair in zip(a, b, strict=True)]
    assert ssim(to_tensor(b), to_tensor(a)).numpy() == pytest.approx(expected, abs=1e-4)


def test_l1_is_in_levels_of_255(photos, noisy):
    expected = np.abs(photos.astype(float) - noisy).mean(axis=(1, 2, 3))
    assert l1_levels(to_tensor(noisy), to_tensor(photos)).numpy() == pytest.approx(expected, rel=1e-4)


def test_one_level_everywhere_has_48_db():
    dark = torch.zeros(1, 3, 16, 16)
    assert psnr_db(dark + 1 / 127.5, dark).item() == pytest.approx(20 * np.log10(255), abs=1e-3)


def test_equal_pictures_have_finite_scores(photos):
    same = to_tensor(photos)
    assert psnr_db(same, same).tolist() == [PSNR_CEILING_DB] * 4
    assert ssim(same, same).numpy() == pytest.approx(np.ones(4), abs=1e-5)
    assert l1_levels(same, same).tolist() == [0] * 4


@pytest.mark.parametrize("measure", [psnr_db, ssim, l1_levels])
def test_what_no_file_can_hold_is_clamped(measure):
    white = torch.ones(1, 3, 16, 16)
    assert measure(white * 1.7, white).equal(measure(white, white))


@pytest.mark.parametrize("measure", [psnr_db, ssim, l1_levels])
def test_different_shapes_are_refused(measure):
    with pytest.raises(ConfigurationError, match="one shape"):
        measure(torch.zeros(2, 3, 16, 16), torch.zeros(1, 3, 16, 16))


def test_ssim_names_the_smallest_picture():
    with pytest.raises(ConfigurationError, match="at least 11 px"):
        ssim(torch.zeros(1, 3, 10, 64), torch.zeros(1, 3, 10, 64))


# Perceptual distance


class Colours:
    """A backbone whose features and embedding can be checked by hand."""

    def features(self, pictures):
        return [pictures, pictures.mean(dim=(2, 3), keepdim=True)]

    def embed_narrow(self, pictures):
        return pictures.mean(dim=(2, 3))


def test_distance_of_features_by_hand():
    # Unit vectors at right angles are sqrt(2) apart, opposite ones 2, equal ones 0; lengths do not count.
    a = torch.tensor([[1.0, 0, 0], [3, 0, 0], [2, 0, 0]])[..., None, None]
    b = torch.tensor([[0.0, 5, 0], [-1, 0, 0], [7, 0, 0]])[..., None, None]
    assert distance_of_features([a], [b]).tolist() == pytest.approx([2, 4, 0])
    assert distance_of_features([a, a], [b, a]).tolist() == pytest.approx([1, 2, 0])


def test_spatial_mean_comes_after_the_difference():
    a = torch.tensor([1.0, 0.0])[None, :, None, None].expand(1, 2, 4, 4).clone()
    b = a.clone()
    b[:, :, :2] = torch.tensor([0.0, 1.0])[None, :, None, None]
    assert distance_of_features([a], [b]).item() == pytest.approx(1.0)  # half of the places are 2 apart


@pytest.mark.parametrize("side", [64, 160])
def test_a_stronger_distortion_is_farther(backbone, side):
    distance = PerceptualDistance(backbone, name="EfficientNet-Lite1")
    original = photo("chelsea", side)
    noise = np.random.default_rng(0).normal(0, 1, original.shape)
    blurred = [gaussian_filter(original, (sigma, sigma, 0)) for sigma in (0.5, 1, 2, 4)]
    noised = [np.clip(original + sigma * noise, 0, 255) for sigma in (4, 12, 30, 70)]
    for versions in (blurred, noised):
        measured = distance(to_tensor(versions), to_tensor([original] * 4))
        assert (measured[0] > 0.001) & (measured.diff() > 0).all()
    assert distance(to_tensor([original]), to_tensor([original])).item() == 0
    assert distance.label == "perceptual distance (EfficientNet-Lite1)"


def test_pixels_that_agree_do_not_hide_a_wrong_picture(backbone, photos):
    """A picture moved by a pixel is nearer than its blur, though its L1 is larger."""
    original = photo("rocket", 64)
    moved, blurred = np.roll(original, 1, axis=1), gaussian_filter(original, (2, 2, 0))
    both, truth = to_tensor([moved, blurred]), to_tensor([original] * 2)
    by_pixels, by_features = l1_levels(both, truth), PerceptualDistance(backbone, name="Lite1")(both, truth)
    assert by_features[0] < by_features[1]
    assert by_pixels[0] > 0.5 * by_pixels[1]


def test_small_pictures_are_enlarged_and_large_ones_left_alone():
    assert as_backbone_input(torch.zeros(1, 3, 32, 64)).shape == (1, 3, SHORTEST_SIDE_PX, 2 * SHORTEST_SIDE_PX)
    large = torch.rand(1, 3, 130, 200)
    assert as_backbone_input(large).equal(large)


def test_grey_is_repeated_and_alpha_is_composited_on_white():
    grey = torch.full((1, 1, 128, 128), 0.25)
    assert as_backbone_input(grey).equal(grey.expand(-1, 3, -1, -1))
    black = torch.full((1, 3, 128, 128), -1.0)
    for opacity, expected in ((-1.0, 1.0), (1.0, -1.0), (0.0, 0.0)):
        alpha = torch.full((1, 1, 128, 128), opacity)
        assert as_backbone_input(torch.cat([black, alpha], dim=1)).unique().tolist() == [expected]


def test_label_maps_have_no_perceptual_distance():
    with pytest.raises(ConfigurationError, match="12 channels"):
        as_backbone_input(torch.zeros(1, 12, 64, 64))


# Distances of distributions


def gaussian(mean, covariance, count, seed):
    return np.random.default_rng(seed).multivariate_normal(mean, covariance, count)


def test_frechet_distance_of_two_gaussians_is_the_closed_form():
    draw = np.random.default_rng(0)
    roots = draw.normal(size=(2, 5, 5))
    covariances = roots @ roots.transpose(0, 2, 1)
    means = draw.normal(size=(2, 5))
    expected = np.square(means[0] - means[1]).sum() + np.trace(
        covariances[0] + covariances[1] - 2 * sqrtm(covariances[0] @ covariances[1]).real
    )
    sets = [
        gaussian(*parameters, 200_000, seed) for seed, parameters in enumerate(zip(means, covariances, strict=True))
    ]
    assert frechet_distance(*sets).value == pytest.approx(expected, rel=0.01)


def test_frechet_distance_agrees_with_the_matrix_square_root_on_any_sample():
    a, b = gaussian(np.zeros(8), np.eye(8), 50, 1), gaussian(np.full(8, 0.5), 2 * np.eye(8), 90, 2)
    covariances = np.cov(a.T), np.cov(b.T)
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(
        covariances[0] + covariances[1] - 2 * sqrtm(covariances[0] @ covariances[1]).real
    )
    assert frechet_distance(a, b).value == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_survives_fewer_pictures_than_dimensions_and_says_so():
    few = gaussian(np.zeros(320), np.eye(320), 40, 0)
    same, moved = frechet_distance(few, few), frechet_distance(few, few + 0.5)
    assert same.value == pytest.approx(0, abs=1e-9)
    assert moved.value == pytest.approx(320 * 0.25, rel=1e-6)
    assert not same.reliable
    assert "40 outputs" in str(same)
    assert "biased upwards" in str(same)
    assert frechet_distance(gaussian([0, 0], np.eye(2), 9, 0), gaussian([0, 0], np.eye(2), 9, 1)).reliable


def test_kernel_distance_agrees_with_torchmetrics():
    a, b = gaussian(np.zeros(16), np.eye(16), 60, 0), gaussian(np.full(16, 0.3), np.eye(16), 60, 1)
    expected = poly_mmd(torch.from_numpy(a), torch.from_numpy(b)).item()
    assert kernel_distance(a, b).value == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_is_unbiased_at_any_number_of_pictures():
    """The mean over many small samples of one distribution is 0; with the diagonal it would be far above."""
    draw = np.random.default_rng(0)
    values = [
        kernel_distance(draw.normal(size=(8, 4)), draw.normal(size=(12, 4)), subsets=2).value for _ in range(1500)
    ]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 4 * error
    assert min(values) < 0
    with_diagonal = np.mean([(1 + np.square(x).sum() / 4) ** 3 for x in draw.normal(size=(999, 4))]) / 8
    assert with_diagonal > 50 * error


def test_kernel_distance_grows_with_a_shift_and_knows_its_error():
    a = gaussian(np.zeros(16), np.eye(16), 200, 0)
    found = [kernel_distance(a, gaussian(np.full(16, shift), np.eye(16), 200, 1)) for shift in (0, 0.1, 0.3, 0.6)]
    values = [distance.value for distance in found]
    assert values == sorted(values)
    assert abs(values[0]) < 3 * found[0].standard_error
    assert values[3] > 10 * found[3].standard_error
    assert str(found[0]).endswith("(200 outputs, 200 real pictures)")


def test_the_standard_error_is_the_spread_over_repeated_experiments():
    draw = np.random.default_rng(0)
    repeated = [kernel_distance(draw.normal(size=(80, 8)), 0.5 + draw.normal(size=(80, 8))) for _ in range(60)]
    spread = np.std([distance.value for distance in repeated])
    stated = np.mean([distance.standard_error for distance in repeated])
    assert stated == pytest.approx(spread, rel=0.35)


def test_kernel_distance_takes_at_most_so_many_pictures():
    many = np.random.default_rng(0).normal(size=(50, 3))
    distance = kernel_distance(many, many[:20], at_most=30)
    assert (distance.outputs, distance.reals) == (30, 20)


@pytest.mark.parametrize("measure", [frechet_distance, kernel_distance])
def test_sets_that_cannot_be_compared_are_refused(measure):
    with pytest.raises(ConfigurationError, match="one backbone"):
        measure(np.zeros((9, 3)), np.zeros((9, 4)))
    with pytest.raises(ConfigurationError, match="too few"):
        measure(np.zeros((3, 3)), np.zeros((9, 3)))


def test_embeddings_are_the_same_in_any_batches(photos):
    whole, parts = EmbeddingCollector(Colours()), EmbeddingCollector(Colours())
    whole.add(to_tensor(photos))
    for picture in to_tensor(photos):
        parts.add(picture[None])
    assert np.array_equal(whole.embeddings(), parts.embeddings())
    assert whole.embeddings().shape == (4, 3)
    assert whole.embeddings() == pytest.approx(to_tensor(photos).mean(dim=(2, 3)).numpy(), abs=0.01)


def test_no_pictures_have_no_embeddings():
    with pytest.raises(ConfigurationError, match="no pictures"):
        EmbeddingCollector(Colours()).embeddings()


def test_real_features_tell_blur_and_other_pictures_apart(backbone):
    """Crops of one photo against other crops of it, their blur, and another photo: in this order by both distances."""
    large = photo("astronaut", 256)
    crops = [large[y : y + 64, x : x + 64] for y in range(0, 192, 32) for x in range(0, 192, 32)]
    other = photo("coffee", 256)
    others = [other[y : y + 64, x : x + 64] for y in range(0, 192, 32) for x in range(0, 192, 32)]

    def embed(pictures):
        collector = EmbeddingCollector(backbone)
        collector.add(to_tensor(pictures))
        return collector.embeddings()

    half, rest, blurred = (
        embed(crops[::2]),
        embed(crops[1::2]),
        embed([gaussian_filter(c, (1.5, 1.5, 0)) for c in crops[1::2]]),
    )
    for measure in (frechet_distance, kernel_distance):
        values = [measure(made, half).value for made in (rest, blurred, embed(others[::2]))]
        assert values == sorted(values)


# Baselines


def test_identity_gives_the_input_and_makes_grey_rgb(photos):
    assert np.array_equal(baselines.Identity()(photos[0]), photos[0])
    assert np.array_equal(baselines.Identity()(photos[0][..., 0]), np.stack([photos[0][..., 0]] * 3, axis=2))


def test_colour_transfer_gives_the_targets_mean_and_covariance(photos):
    draw = np.random.default_rng(0)
    mix = np.array([[0.3, 0.1, 0], [0.05, 0.25, 0.1], [0, 0.1, 0.2]])
    inputs = draw.integers(60, 200, (5, 32, 32, 3)).astype(np.uint8)
    targets = np.rint((inputs @ mix) + [60, 70, 20]).astype(np.uint8)[::-1, ::-1]
    transfer = baselines.GlobalColourTransfer.fit(inputs, iter(targets))
    made = np.stack([transfer(picture) for picture in inputs]).reshape(-1, 3).astype(float)
    wanted = targets.reshape(-1, 3).astype(float)
    assert made.mean(axis=0) == pytest.approx(wanted.mean(axis=0), abs=0.5)
    assert np.cov(made.T) == pytest.approx(np.cov(wanted.T), rel=0.05, abs=2)


def test_colour_transfer_undoes_a_contrast_and_does_not_look_at_pairs(photos):
    faded = (photos * 0.5 + 50).astype(np.uint8)
    transfer = baselines.GlobalColourTransfer.fit(faded, photos[::-1])
    assert np.abs(transfer(faded[0]).astype(float) - photos[0]).max() <= 3


def test_colour_transfer_survives_grey_inputs(photos):
    transfer = baselines.GlobalColourTransfer.fit(photos[..., 0], photos)
    made = np.stack([transfer(picture[..., 0]) for picture in photos]).reshape(-1, 3)
    assert made.mean(axis=0) == pytest.approx(photos.reshape(-1, 3).mean(axis=0), abs=8)


def drawing():
    """A square outline of 12 px in 24 px of paper, and a line that encloses nothing."""
    line_art = np.full((24, 24, 3), 255, dtype=np.uint8)
    line_art[4:16, 4:16] = 0
    line_art[6:14, 6:14] = 255
    line_art[20, 2:20] = 0
    target = line_art.copy()
    target[6:14, 6:14] = (200, 100, 0)
    target[6:8, 6:14] = (40, 100, 0)
    return line_art, target


@pytest.mark.parametrize(("statistic", "colour"), [("mean", (160, 100, 0)), ("median", (200, 100, 0))])
def test_the_colour_inside_lines_is_the_targets(statistic, colour):
    line_art, target = drawing()
    fill = baselines.ColourInsideLines.fit([line_art], [target], statistic=statistic)
    expected = line_art.copy()
    expected[6:14, 6:14] = colour
    assert np.array_equal(fill(line_art), expected)
    assert fill.label == f"{statistic} colour inside the lines"


def test_paper_and_smoothed_edges_outside_stay():
    line_art, target = drawing()
    line_art[3, 4:16] = 180  # a smoothed edge, towards the paper
    line_art[6, 6:14] = 180  # and one towards the inside
    made = baselines.ColourInsideLines.fit([line_art], [target])(line_art)
    assert (made[3, 4:16] == 180).all()
    assert (made[0] == 255).all()
    assert made[6, 8].tolist() == [round(channel * 180 / 255) for channel in (160, 100, 0)]


def test_a_line_that_touches_the_border_is_still_a_line():
    line_art, target = drawing()
    line_art[10, :6] = 60
    line_art[6, 6:14] = 60
    made = baselines.ColourInsideLines.fit([line_art], [target])(line_art)
    assert (made[7:14, 6:14] == made[8, 8]).all()
    assert made[8, 8].tolist() != [255, 255, 255]
    assert made[6, 8].tolist() == [round(60 / 255 * channel) for channel in made[8, 8].tolist()]


def test_baselines_refuse_what_they_cannot_use():
    line_art, target = drawing()
    with pytest.raises(DatasetError, match="encloses"):
        baselines.ColourInsideLines.fit([np.full((8, 8, 3), 255, np.uint8)], [target[:8, :8]])
    with pytest.raises(ConfigurationError, match="one size"):
        baselines.ColourInsideLines.fit([line_art], [target[:8]])
    with pytest.raises(DatasetError, match="no training pictures"):
        baselines.GlobalColourTransfer.fit([], [target])
    with pytest.raises(ConfigurationError, match="grey or RGB"):
        baselines.Identity()(np.zeros((8, 8, 4), np.uint8))


def test_histogram_transfer_maps_a_domain_onto_itself_and_equals_scikit_image_on_one_pair():
    exposure = pytest.importorskip("skimage.exposure")
    draw = np.random.default_rng(0)
    source = draw.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    target = (draw.beta(2, 5, (64, 64, 3)) * 255).astype(np.uint8)
    assert (baselines.HistogramTransfer.fit([source], [source])(source) == source).all()
    ours = baselines.HistogramTransfer.fit([source], [target])(source).astype(int)
    theirs = exposure.match_histograms(source, target, channel_axis=2)
    assert np.abs(ours - theirs).mean() < 1.5
    assert abs(ours.mean() - target.mean()) < 2.0


def test_histogram_transfer_refuses_an_empty_domain():
    with pytest.raises(DatasetError, match="no training pictures"):
        baselines.HistogramTransfer.fit([], [])
