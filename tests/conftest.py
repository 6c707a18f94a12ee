"""Fixtures that many files of tests ask for."""

import os

import pytest

# Threads that wait sleep rather than turn in circles, which beside other work made tests a hundred times slower. Read
# when torch is imported, and by the processes that tests start.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory):
    """Approvals of models go to a folder of this session, not to the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIXTURN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def seeded():
    """torch draws the same numbers in every test."""
    import torch

    torch.manual_seed(0)


@pytest.fixture
def one_thread():
    """torch computes on one thread, as if there were no other core."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
