"""Browsers for the console's tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.conftest import Server
from tests.support.browser import Visitor, chromium, visitor


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a file's tests: as long as it is open, Playwright's event loop runs, and no other test could run its own."""
    with chromium() as launched:
        yield launched


@pytest.fixture
def root(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Signed in as the account's root on the shared server; its pages must not complain."""
    with visitor(browser, server) as its:
        its.sign_in()
        yield its
        assert its.troubles == []


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Visitor]:
    """As `root`, once in each colour scheme."""
    with visitor(browser, server, color_scheme=request.param) as its:
        its.sign_in()
        yield its
        assert its.troubles == []
