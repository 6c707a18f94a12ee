"""What a machine with GPUs has and lacks, as fakes: a GPU for each process, NCCL, full memory, random numbers."""

import numpy as np
import pytest
import torch

from pipelines.training.generation.gaussian import FittedGaussian
from pipelines.training.memory import memory_told
from translate.devices import pick_device
from translate.errors import DeviceError, StorageError
from translate.metrics.classifier import ClassifierTraining, fit_classifier
from translate.metrics.two_sample_classifiers import NeuralClassifier
from translate.processes import joined_processes


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)


@pytest.mark.parametrize("rank", ["0", "1"])
@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_every_process_has_its_own_gpu(two_gpus, monkeypatch, name, rank):
    monkeypatch.setenv("LOCAL_RANK", rank)
    assert pick_device(name) == torch.device("cuda", int(rank))


def test_more_processes_than_gpus_are_refused(two_gpus, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(DeviceError, match=r"process 3 .* torch finds 2: .*--nproc-per-node 2"):
        pick_device("cuda")


@pytest.mark.parametrize(("has_nccl", "backend"), [(True, "cpu:gloo,cuda:nccl"), (False, "gloo")])
def test_gradients_travel_by_what_torch_was_built_with(two_gpus, monkeypatch, has_nccl, backend):
    asked = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr("torch.distributed.is_nccl_available", lambda: has_nccl)
    monkeypatch.setattr("torch.distributed.init_process_group", asked.append)
    monkeypatch.setattr("torch.distributed.get_rank", lambda: 0)
    monkeypatch.setattr("torch.distributed.destroy_process_group", lambda: None)
    with joined_processes() as processes:
        assert processes.world == 2
    assert asked == [backend]


@pytest.mark.parametrize(
    "says",
    [
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "Unable to find a valid cuDNN algorithm to run convolution",
        "FIND was unable to find an engine to execute this computation",
    ],
)
def test_a_card_without_memory_is_told_as_that(says):
    with pytest.raises(StorageError, match="--batch-size"), memory_told():
        raise RuntimeError(says)


def fitted_classifier():
    labels = torch.tensor([0, 1])
    fit_classifier(torch.zeros(2, 1, 8, 8), labels, classes=2, training=ClassifierTraining(steps=2))


def fitted_neural_classifier():
    NeuralClassifier(steps=1).fit(np.zeros((4, 2)), np.ones((4, 2)), seed=0)


DRAWING = {
    "classifier": fitted_classifier,
    "two-sample classifier": fitted_neural_classifier,
    "fitted Gaussian": lambda: FittedGaussian(torch.eye(9)),
}


@pytest.mark.parametrize("name", [*DRAWING, "control"])
def test_measures_leave_the_numbers_of_gpus_alone(name, monkeypatch):
    """A run's noise goes on as if nothing had been measured; torch.manual_seed, the control, reseeds GPUs as well."""
    reseeded = []
    monkeypatch.setattr("torch.cuda.manual_seed_all", reseeded.append)
    before = torch.get_rng_state()
    DRAWING.get(name, lambda: torch.manual_seed(0))()
    assert reseeded == ([0] if name == "control" else [])
    after = torch.get_rng_state()
    torch.set_rng_state(before)
    assert torch.equal(after, before) == (name != "control")
