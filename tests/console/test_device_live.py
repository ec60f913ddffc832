"""The live view of a device: a real agent on the simulated line, a real server, a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.cli.test_commands import tobo
from tests.conftest import Server
from tests.support.browser import Visitor, limited_user, needs_chromium, visitor
from tests.support.fleets import Fleet, client
from tests.support.live_line import sorting
from tests.support.processes import until
from tests.support.unique import unique

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    served = Server(tmp_path_factory.mktemp("live") / "state", {"TOBO_TLS_PORT": "0"})
    try:
        yield served.start()
    finally:
        served.end()


@pytest.fixture
def fleet(server: Server) -> Fleet:
    return Fleet(server)


def enrolled(fleet: Fleet, folder: Path) -> Path:
    made = tobo("edge", "enroll", fleet.name, "cam-1", "--into", str(folder), "--state", str(fleet.server.state))
    assert made.returncode == 0, made.stderr
    return folder


def number(page: Page) -> int:
    """Of the part that is shown."""
    return int(page.locator("device-view [data-place=part]").inner_text().split()[1].strip(":").replace(",", ""))


def test_a_device_is_seen_live_while_somebody_looks(
    root: Visitor, browser: Browser, fleet: Fleet, tmp_path: Path
) -> None:
    with sorting(enrolled(fleet, tmp_path / "cam-1"), tmp_path) as agent:
        page = root.go(f"devices/{fleet.name}/cam-1")
        view = page.locator("device-view")
        expect(view.locator("[role=status]")).to_contain_text("Live")
        expect(view.locator("img")).to_be_visible()
        assert (
            view.locator("img").evaluate("async image => { await image.decode(); return image.naturalWidth; }") == 224
        )
        expect(view.locator("[data-place=counts]")).to_contain_text("From frame to command")
        expect(view.locator(".score")).to_have_count(2)
        before, first = view.locator("img").get_attribute("src"), number(page)
        expect(view.locator("img")).not_to_have_attribute("src", before or "")
        page.wait_for_function(
            f"Number(document.querySelector('device-view [data-place=part]').innerText.match(/[0-9,]+/)[0]) > {first}"
        )
        assert root.accessibility() == []
        with visitor(browser, fleet.server) as other:  # who looks with another key sees the same
            keys = limited_user(
                fleet.server,
                unique("looks"),
                {"Effect": "Allow", "Action": ["sagemaker:Describe*", "cloudwatch:*"], "Resource": "*"},
            )
            other.sign_in(*keys)
            second = other.go(f"devices/{fleet.name}/cam-1")
            expect(second.locator("device-view [role=status]")).to_contain_text("Live")
            assert number(second) >= first
        root.go()
        until(lambda: not agent.live.wanted)
        assert agent.deeds["live"].runner.trouble is None


def test_a_device_that_is_off_is_said_to_be(root: Visitor, fleet: Fleet) -> None:
    fleet.register("cam-1")
    page = root.go(f"devices/{fleet.name}/cam-1")
    line = page.locator("device-view [role=status]")
    expect(line).to_have_text("Not live It has not sent a heartbeat yet. It shows itself when it is back.")
    fleet.beat("cam-1")
    expect(line).to_contain_text("It answers at its next look")
    live, device = client(fleet.server, "tobo-edge"), {"DeviceName": "cam-1", "DeviceFleetName": fleet.name}
    live.send_live_view(
        **device, Told={"Part": {"Number": 3, "Verdict": "ko", "Fault": "<b>black</b>"}, "Override": "ko"}
    )
    expect(page.locator("device-view [data-place=fault]")).to_have_text("<b>black</b>")
    expect(page.locator("device-view [data-place=counts]")).to_contain_text("Every part is told to be ko.")
    expect(line).to_contain_text("Nothing comes any more", timeout=15_000)
    expect(page.locator("device-view")).to_have_attribute("data-stale", "")
    assert root.accessibility() == []
