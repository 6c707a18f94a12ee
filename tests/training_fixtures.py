"""What a file of tests of training begins with: pictures, a setting, threads put back, and lives of their own."""

import pytest
import torch
from lives import Run, Server, write_pairs

from pipelines.training import Setting


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def threads_put_back():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def setting(tmp_path):
    return Setting(device="cpu", workers=0, runs=tmp_path / "runs", check=False, report=False)


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def make_run(server, folder, tmp_path):
    def make(method, name="crashed", **options):
        return Run(server=server, data=folder, runs=tmp_path / name, method=method, **options)

    return make
