"""Settings and the instance catalogue in a real browser: secrets hidden, the server's set-up for the root alone."""

from playwright.sync_api import Browser
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.unique import unique

pytestmark = needs_chromium


def test_the_root_sees_what_is_in_effect(root: Visitor, server: Server) -> None:
    page = root.go("settings")
    assert server.keys[1] not in page.content()
    for text in ("TOBO_QUEUE_LENGTH", str(server.state), "tobo.db", "this one"):
        assert text in page.content()
    assert root.accessibility() == []


def test_others_do_not_and_sign_out_everywhere(browser: Browser, server: Server) -> None:
    key, secret = limited_user(server, unique("reader"), READ_ONLY)
    with visitor(browser, server) as one, visitor(browser, server) as other:
        one.sign_in(key, secret)
        other.sign_in(key, secret)
        page = one.go("settings")
        assert "TOBO_QUEUE_LENGTH" not in page.content()
        assert page.locator("text=another one").count() == 1
        page.click("button:has-text('Sign out everywhere')")
        page.click("#ask button[value=yes]")
        page.wait_for_url("**/enter*")
        assert "/enter" in other.go("settings").url


def test_instances(root: Visitor) -> None:
    page = root.go("instances?name=m5.x")
    assert page.locator("tbody td.name").all_inner_texts() == ["ml.m5.xlarge"]
    assert root.accessibility() == []
