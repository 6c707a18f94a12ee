"""The independent classifier, and what is measured with it: conditional samples, their diversity, few labels."""

import numpy as np
import pytest
import torch
from real_digits import digits
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as ms_ssim

from translate.errors import ConfigurationError
from translate.metrics.class_diversity import distance_of_classes, similarity_of_classes
from translate.metrics.classifier import ClassifierTraining, fit_classifier
from translate.metrics.conditional import gan_test, gan_train
from translate.metrics.few_labels import (
    LabelPropagation,
    draw_labelled,
    hide_labels,
    nearest_others,
    supervised_only,
)
from translate.unlabelled import UNLABELLED

QUICK = ClassifierTraining(steps=60, batch=64)


def bars(count=300, seed=0, size=12):
    """Three kinds of noisy pictures: a bar that lies, one that stands, a blob."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=draw)
    pictures = torch.full((count, 1, size, size), -1.0)
    for picture, label in zip(pictures, labels.tolist(), strict=True):
        at = int(torch.randint(3, size - 4, (1,), generator=draw))
        rows, columns = [
            (slice(at, at + 2), slice(2, -2)),
            (slice(2, -2), slice(at, at + 2)),
            (slice(at, at + 4),) * 2,
        ][label]
        picture[0, rows, columns] = 1.0
    return pictures + 0.2 * torch.randn(pictures.shape, generator=draw), labels


@pytest.fixture(scope="module")
def fitted():
    return fit_classifier(*bars(), classes=3, training=QUICK)


def test_it_learns_and_a_classifier_of_mixed_labels_does_not(fitted):
    pictures, labels = bars(seed=1)
    assert fitted.accuracy(pictures, labels).share > 0.97
    mixed = fit_classifier(pictures, labels[torch.randperm(300)], classes=3, training=QUICK)
    assert mixed.accuracy(*bars(seed=2)).share < 0.6


def test_the_same_seed_gives_the_same_weights_and_moves_no_global_state():
    state = torch.get_rng_state()
    short = ClassifierTraining(steps=3)
    first, second, other = (fit_classifier(*bars(80), classes=3, training=short, seed=seed) for seed in (4, 4, 5))
    assert torch.equal(torch.get_rng_state(), state)
    weights = [one.network.state_dict() for one in (first, second, other)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not torch.equal(weights[0]["head.weight"], weights[2]["head.weight"])


def test_progress_is_told_step_by_step_and_fewer_pictures_than_a_batch_are_well():
    seen = []
    fit_classifier(
        *bars(9),
        classes=3,
        training=ClassifierTraining(steps=4),
        on_progress=lambda done, of: seen.append((done, of)),
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_accuracy_is_counted_class_by_class_with_its_binomial_error(fitted):
    pictures, _ = bars(200, seed=3)
    predicted = fitted.predict(pictures)
    wrong = (predicted + 1) % 3
    half = torch.where(torch.arange(200) < 50, predicted, wrong)
    found = fitted.accuracy(pictures, half)
    assert found.share == 0.25
    assert found.standard_error == pytest.approx(0.0306, abs=1e-4)
    for label in range(3):
        asked = half == label
        assert found.by_class[label] == pytest.approx(float((predicted == half)[asked].float().mean()))


def test_predictions_do_not_depend_on_the_company(fitted):
    pictures, _ = bars(1100, seed=4)
    torch.testing.assert_close(fitted.embed(pictures)[1050], fitted.embed(pictures[1050:1051])[0])


@pytest.mark.parametrize(
    ("labels", "says"),
    [(torch.tensor([0, 3]), "0 to 3"), (torch.tensor([-1, 0]), "-1 to 0"), (torch.zeros(3), "shape")],
)
def test_labels_that_do_not_fit_are_refused(labels, says):
    with pytest.raises(ConfigurationError, match=says):
        fit_classifier(torch.zeros(2, 1, 8, 8), labels, classes=3)


def test_gan_test_sees_wrong_classes_and_gan_train_missing_variety(fitted):
    samples, asked = bars(300, seed=5)
    real, labels = bars(300, seed=6)
    assert gan_test(fitted, samples, asked).share > 0.97
    assert gan_test(fitted, samples, asked.roll(1)).share < 0.5
    assert gan_train(samples, asked, real, labels, classes=3, training=QUICK).share > 0.95
    first = torch.stack([samples[asked == label][0] for label in range(3)])
    collapsed = first[asked]
    assert gan_test(fitted, collapsed, asked).share > 0.97  # one picture a class passes this ...
    assert gan_train(collapsed, asked, real, labels, classes=3, training=QUICK).share < 0.92  # ... and not that


def test_diversity_within_classes_is_one_for_real_pictures_and_finds_the_poor_class(fitted):
    samples, asked = bars(600, seed=7)
    real, labels = bars(600, seed=8)
    for measure in (
        lambda made: similarity_of_classes(made, asked, real, labels),
        lambda made: distance_of_classes(made, asked, real, labels, network=fitted, name="classifier"),
    ):
        healthy = measure(samples)
        assert [one.label for one in healthy.classes] == [0, 1, 2]
        assert all(one.share == pytest.approx(1, abs=0.25) for one in healthy.classes)
        poor = samples.clone()
        poor[asked == 1] = samples[asked == 1][0]
        found = measure(poor)
        assert found.classes[1].share < 0.05
        assert found.mean_share < healthy.mean_share - 0.2
        assert "least in class 1" in str(found)


def test_similarity_is_the_mean_of_the_librarys_own():
    pair = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    real, labels = bars(40, size=16)
    found = similarity_of_classes(pair, torch.zeros(2).long(), real, labels, pairs=4)
    first, second = (((one + 1) / 2)[0].double().numpy() for one in pair)
    truth = structural_similarity(
        first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1
    )
    assert found.measure == "SSIM"
    assert found.classes[0].made == pytest.approx(truth, abs=1e-4)


def test_large_pictures_are_compared_by_ms_ssim():
    pictures = torch.rand(2, 3, 176, 176, generator=torch.Generator().manual_seed(0)) * 2 - 1
    labels = torch.zeros(2).long()
    found = similarity_of_classes(pictures, labels, pictures.flip(3), labels, pairs=1)
    truth = ms_ssim((pictures[:1] + 1) / 2, (pictures[1:] + 1) / 2, data_range=1.0)
    assert found.measure == "MS-SSIM"
    assert found.classes[0].made == pytest.approx(float(truth), abs=1e-4)


def dense_propagation(vectors, labels, classes, neighbours, alpha):
    """The paper's closed form with full matrices."""
    points = vectors.double().numpy()
    distance = np.sqrt(np.square(points[:, None] - points[None]).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1)[:, :neighbours]
    scale = np.median(np.sort(distance, axis=1)[:, :neighbours])
    graph = np.zeros_like(distance)
    rows = np.arange(len(points))[:, None]
    graph[rows, nearest] = np.exp(-np.square(distance[rows, nearest] / scale) / 2)
    graph = np.maximum(graph, graph.T)
    root = np.diag(graph.sum(axis=1) ** -0.5)
    wanted = np.eye(classes + 1)[labels.numpy()][:, :classes]
    return np.linalg.solve(np.eye(len(points)) - alpha * root @ graph @ root, wanted).argmax(axis=1)


def test_label_propagation_is_the_closed_form():
    vectors = torch.randn(150, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.full((150,), UNLABELLED)
    labels[:9] = torch.arange(9) % 3
    truth = dense_propagation(vectors, labels, 3, 7, 0.9)
    ours = LabelPropagation(neighbours=7, alpha=0.9).spread(vectors, labels, classes=3)
    assert (ours.numpy() == truth).mean() == 1.0


def test_label_propagation_follows_two_moons_where_the_nearest_label_does_not():
    angle = torch.linspace(0, torch.pi, 200)
    moons = torch.cat(
        [torch.stack([angle.cos(), angle.sin()], 1), torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)]
    )
    truth = torch.arange(400) // 200
    labels = hide_labels(truth, torch.tensor([0, 399]))
    assert (labels != UNLABELLED).sum() == 2
    spread = LabelPropagation().spread(moons, labels, classes=2)
    nearest = torch.cdist(moons, moons[[0, 399]]).argmin(dim=1)
    assert (spread == truth).float().mean() == 1.0
    assert (nearest == truth).float().mean() < 0.9


def test_nearest_others_leaves_out_oneself_even_among_copies():
    lengths, numbers = nearest_others(torch.tensor([[0.0], [0.0], [1.0], [3.0]]), 2)
    assert numbers.tolist()[0][0] == 1
    assert numbers.tolist()[3] == [2, 0] or numbers.tolist()[3] == [2, 1]
    assert lengths[3].tolist() == [2.0, 3.0]


def test_labelled_pictures_are_drawn_evenly():
    labels = torch.arange(100) % 4
    kept = draw_labelled(labels, a_class=5, classes=4, seed=1)
    assert torch.bincount(labels[kept]).tolist() == [5, 5, 5, 5]
    assert not torch.equal(kept, draw_labelled(labels, a_class=5, classes=4, seed=2))
    with pytest.raises(ConfigurationError, match="fewer than 26"):
        draw_labelled(labels, a_class=26, classes=4, seed=1)


def test_supervised_only_never_looks_at_pictures_without_a_label():
    pictures, labels = bars(300)
    kept = draw_labelled(labels, a_class=5, classes=3, seed=0)
    spoilt = torch.full_like(pictures, torch.nan)
    spoilt[kept] = pictures[kept]
    hidden = hide_labels(labels, kept)
    found, same = (supervised_only(p, hidden, *bars(seed=9), classes=3, training=QUICK) for p in (pictures, spoilt))
    assert found.share == same.share > 0.5


@pytest.mark.slow
def test_five_hundred_steps_read_digits_and_few_labels_read_fewer():
    pictures, labels = digits()
    test, truth = pictures[4000:], labels[4000:]
    enough = ClassifierTraining(steps=500)
    full = fit_classifier(pictures[:4000], labels[:4000], classes=10, training=enough).accuracy(test, truth)
    assert full.share >= 0.97
    hidden = hide_labels(labels, draw_labelled(labels[:4000], a_class=10, classes=10, seed=0))
    few = supervised_only(pictures, hidden, test, truth, classes=10, training=ClassifierTraining(steps=300))
    spread = LabelPropagation().spread(pictures.flatten(1), hidden, classes=10)[4000:]
    assert 0.6 < few.share < 0.95
    assert 0.8 < float((spread == truth).float().mean()) < 0.97
