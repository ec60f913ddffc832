"""The device's page: what it shows, what it lets nobody do, and how it works in a browser."""

import http.client
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.edge_agent import standalone
from tests.support.scripted_line import grey

from tobo.edge.agent import Agent
from tobo.edge.decision import Reason
from tobo.edge.loop import Keeping
from tobo.edge.page.server import Page
from tobo.edge.ports import CameraFault
from tobo.edge.settings import PageSettings
from tobo.line import marbles


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[tuple[Agent, Page]]:
    """An agent that has sorted five parts, and its page."""
    script: list[np.ndarray | Exception] = [photo.pixels for photo in marbles.photos(5, seed=8, size=96)]
    script.append(CameraFault("The camera 'x' has stopped; plug it in again."))
    agent, _ = standalone(
        tmp_path, script, keep=Keeping(margin=1.0), page=PageSettings(names=("line-1.factory.example",))
    )
    for _ in range(5):
        agent.loop.step(1.0)
    agent.keeper.step()
    page = Page(agent, port=0)
    yield agent, page
    page.close()


def ask(
    page: Page, method: str, path: str, body: bytes | None = None, **headers: str | None
) -> tuple[int, dict[str, str], bytes]:
    host, _, port = page.url.removeprefix("http://").rstrip("/").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    sent = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def state(page: Page) -> dict[str, Any]:
    status, _, body = ask(page, "GET", "/state.json")
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found


def change(page: Page, path: str, asked: Any, **headers: str | None) -> tuple[int, dict[str, Any]]:
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    status, _, answer = ask(page, "POST", path, body, **{"X_Tobo_Token": page.token, **headers})
    return status, json.loads(answer)


def test_it_shows_what_the_agent_does(shown: tuple[Agent, Page]) -> None:
    agent, page = shown
    found = state(page)
    assert found["counts"]["decisions"] == 5 == found["counts"]["ok"] + found["counts"]["ko"]
    assert found["last"]["number"] == 5 and set(found["last"]["scores"]) == {"ko", "ok"}
    assert [part["number"] for part in found["kept"]] == [5, 4, 3, 2, 1]
    assert found["latency_ms"]["p50"] > 0 and found["model"]["labels"] == ["ko", "ok"]
    agent.loop.step(1.0)
    assert state(page)["last"]["fault"] == "The camera 'x' has stopped; plug it in again."
    for path in ("/frame.jpg", "/kept/3.jpg"):
        status, headers, body = ask(page, "GET", path)
        assert (status, headers["content-type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")
    assert ask(page, "GET", "/kept/99.jpg")[0] == 404 == ask(page, "GET", "/../settings.py")[0]


def test_prometheus_reads_its_figures(shown: tuple[Agent, Page]) -> None:
    agent, page = shown
    status, headers, body = ask(page, "GET", "/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    decisions = {sample.labels["verdict"]: sample.value for sample in families["tobo_edge_decisions"].samples}
    assert decisions == {"ok": 5 - agent.loop.tally.rejects, "ko": agent.loop.tally.rejects}
    latency = {sample.labels["quantile"]: sample.value for sample in families["tobo_edge_latency_seconds"].samples}
    assert latency.keys() == {"0.5", "0.99"} and 0 < latency["0.5"] <= latency["0.99"]
    assert families["tobo_edge_faults"].samples[0].value == 0
    agent.loop.step(1.0)
    families = {f.name: f for f in text_string_to_metric_families(ask(page, "GET", "/metrics")[2].decode())}
    assert families["tobo_edge_faults"].samples[0].value == 1


def test_every_reason_has_words(shown: tuple[Agent, Page]) -> None:
    script = ask(shown[1], "GET", "/page.js")[2].decode()
    for reason in get_args(Reason):
        assert f"\n  {reason}: " in script, reason


def test_every_answer_forbids_what_is_not_its_own(shown: tuple[Agent, Page]) -> None:
    _, page = shown
    for path in ("/", "/style.css", "/page.js", "/state.json", "/frame.jpg", "/none"):
        _, headers, body = ask(page, "GET", path)
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert b"http://" not in body and b"https://" not in body, "nothing comes from elsewhere"
        assert page.token.encode() not in body


def test_changes(shown: tuple[Agent, Page]) -> None:
    agent, page = shown
    status, found = change(page, "/threshold", {"label": "ok", "value": 0.85})
    assert status == 200 and found["thresholds"]["ok"] == 0.85 == agent.loop.rule.thresholds["ok"]
    status, found = change(page, "/override", {"override": "ko"})
    assert status == 200 and found["override"] == "ko" == agent.loop.rule.override
    assert change(page, "/threshold", {"label": "ok", "value": None})[1]["thresholds"] == {}


@pytest.mark.parametrize(
    ("path", "asked", "headers", "status", "message"),
    [
        ("/override", {"override": "ko"}, {"X_Tobo_Token": None}, 403, "The token is missing or wrong"),
        ("/override", {"override": "ko"}, {"X_Tobo_Token": "guess"}, 403, "The token is missing or wrong"),
        ("/override", {"override": "ko"}, {"X_Tobo_Token": "\xff"}, 403, "The token is missing or wrong"),
        ("/override", {"override": "ko"}, {"Origin": "http://evil.example"}, 403, "this device's own page"),
        ("/override", {"override": "ko"}, {"Origin": "null"}, 403, "this device's own page"),
        ("/override", {"override": "ko"}, {"Sec_Fetch_Site": "cross-site"}, 403, "this device's own page"),
        ("/override", {"override": "ko"}, {"Host": "evil.example"}, 403, "this device's own page"),
        ("/override", {"override": "maybe"}, {}, 400, "is none of auto, ok, ko"),
        ("/override", {}, {}, 400, "not what this page sends"),
        ("/override", b"x", {}, 400, "not what this page sends"),
        ("/override", b"x" * 5000, {}, 413, "too long"),
        ("/override", {"override": "ko"}, {"Content_Length": "\xb2"}, 413, "too long"),
        ("/threshold", {"label": "blue", "value": 0.5}, {}, 400, "no label 'blue'; it has ko, ok"),
        ("/threshold", {"label": "ok", "value": 7}, {}, 400, "is not in 0 to 1"),
        ("/threshold", {"label": "ok", "value": "x"}, {}, 400, "not what this page sends"),
        ("/stop", {}, {}, 404, "nothing here"),
    ],
)
def test_refused(
    shown: tuple[Agent, Page], path: str, asked: Any, headers: dict[str, str | None], status: int, message: str
) -> None:
    agent, page = shown
    before = agent.loop.rule
    found, answer = change(page, path, asked, **headers)
    assert found == status and message in answer["message"]
    assert agent.loop.rule == before


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:8627", 200),
        ("192.168.1.7:8627", 200),
        ("line-1.factory.example", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_only_its_own_names_are_answered(shown: tuple[Agent, Page], host: str, status: int) -> None:
    assert ask(shown[1], "GET", "/state.json", Host=host)[0] == status


def test_the_token_is_private_and_stays(shown: tuple[Agent, Page]) -> None:
    agent, page = shown
    file = agent.settings.state / "page.json"
    assert file.stat().st_mode & 0o777 == 0o600
    again = Page(agent, port=0)
    again.close()
    assert again.token == page.token and len(page.token) >= 20


@pytest.fixture
def browser() -> Iterator[Any]:
    """A headless Chromium of this machine."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_in_a_browser(shown: tuple[Agent, Page], browser: Any, tmp_path: Path) -> None:
    agent, page = shown
    pictures = Path(os.environ.get("TOBO_SCREENSHOTS", tmp_path))
    errors: list[str] = []
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.goto(f"{page.url}#token={page.token}")
    until(lambda: tab.locator("#decisions").inner_text() == "5")
    until(lambda: tab.locator("#frame").evaluate("image => image.complete && image.naturalWidth > 0"))
    assert "token" not in tab.url
    assert tab.locator("#kept li").count() == 5
    tab.screenshot(path=pictures / "page-light.png", full_page=True)

    tab.get_by_role("button", name="All ko").click()
    until(lambda: agent.loop.rule.override == "ko")
    tab.wait_for_selector("#banner:not([hidden])")
    assert "Every part goes to ko" in tab.locator("#banner").inner_text()
    tab.get_by_role("button", name="Auto").click()
    until(lambda: agent.loop.rule.override == "auto")

    tab.get_by_label("ok", exact=True).fill("0.9")
    tab.get_by_label("ok", exact=True).dispatch_event("change")
    until(lambda: agent.loop.rule.thresholds == {"ok": 0.9})
    tab.get_by_role("button", name="Reset the threshold of ok").click()
    until(lambda: agent.loop.rule.thresholds == {})

    agent.loop.step(1.0)
    until(lambda: "has stopped" in tab.locator("#health-text").inner_text())
    tab.emulate_media(color_scheme="dark")
    tab.screenshot(path=pictures / "page-dark.png", full_page=True)
    tab.set_viewport_size({"width": 390, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390, "a phone need not scroll sideways"
    tab.screenshot(path=pictures / "page-phone.png", full_page=True)
    assert errors == []


def test_in_a_browser_without_the_token_nothing_can_be_changed(shown: tuple[Agent, Page], browser: Any) -> None:
    _, page = shown
    tab = browser.new_page()
    tab.goto(page.url)
    tab.wait_for_selector("#thresholds input")
    assert all(button.is_disabled() for button in tab.locator("button").all())
    assert tab.locator("#thresholds input").first.is_disabled() and tab.locator("#locked").is_visible()


def test_a_large_frame_is_made_smaller(tmp_path: Path) -> None:
    large = np.repeat(np.repeat(grey(0.5, 100), 12, axis=0), 16, axis=1)
    agent, _ = standalone(tmp_path, [large], page=PageSettings())
    agent.loop.step(1.0)
    page = Page(agent, port=0)
    try:
        from tobo.inference.pictures import decode

        assert decode(ask(page, "GET", "/frame.jpg")[2]).pixels.shape == (600, 800, 3)
    finally:
        page.close()
