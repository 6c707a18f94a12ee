"""One server with known models and one visitor for a file of browser tests."""

import browser
import browser_site
import pytest


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    browser_site.write_models(folder / "checkpoints")
    with browser_site.site(folder) as served:
        yield served


@pytest.fixture(scope="module")
def one_browser():
    with browser.browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def somebody(one_browser, site):
    with browser.visitor(one_browser, site.url) as visitor:
        yield visitor


@pytest.fixture
def visitor(somebody):
    somebody.again()
    somebody.problems.clear()
    return somebody
