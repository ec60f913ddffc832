"""Browsers for the console's tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.conftest import Server
from tests.support.browser import Visitor, chromium, visitor


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of this process."""
    with chromium() as launched:
        yield launched


@pytest.fixture
def root(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Signed in as the account's root on the shared server; its pages must not complain."""
    with visitor(browser, server) as its:
        its.sign_in()
        yield its
        assert its.troubles == []
