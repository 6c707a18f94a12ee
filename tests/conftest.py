import pytest


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory):
    """Approvals of models go to a folder of this session, not to the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIXTURN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
