"""The live page: what its server answers, and what a browser makes of it."""

import http.client
import io
import json
import re
import shutil
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.support.sorting import sort

from tobo.line.clock import RealClock
from tobo.line.config import LineConfig
from tobo.line.faults import Faults
from tobo.line.page.server import Page, Shown
from tobo.line.twin import Line

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NAMES = ("pi-kitchen", "<img src=x onerror=document.title='broken'>")
STATIC = files("tobo.line.page") / "static"


def get(page: Page, path: str, host: str | None = None) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(page.host, page.port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.fixture
def page() -> Iterator[Page]:
    lines = [Line(LineConfig(seed=seed, size=32, double=0, jam=0), limit=20) for seed in range(2)]
    sort(lines[0])
    extra = {"Model": "marbles 1.0", "Update": "<i>2.0</i>"}
    shown = [Shown(name, line, lambda: extra) for name, line in zip(NAMES, lines, strict=True)]
    with Page(shown) as served:
        yield served


@pytest.mark.parametrize("path", ["/", "/page.js", "/belt.js", "/page.css", "/icon.svg", "/nothing", "/photos/0/1.jpg"])
def test_every_answer_forbids_foreign_code(page: Page, path: str) -> None:
    status, headers, body = get(page, path)
    assert (status == 404) == (path == "/nothing")
    assert body
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    assert "Server" not in headers or "Python" not in headers["Server"]


def test_the_page_asks_nobody_else_for_anything_and_has_no_inline_code() -> None:
    html = (STATIC / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*src=)|<style|style=|\son\w+=", html)
    for name in ("index.html", "page.js", "belt.js", "page.css"):
        assert not re.search(r"https?://|//cdn|innerHTML|eval\(", (STATIC / name).read_text()), name


@pytest.mark.parametrize(
    "path", ["/photos/0/999.jpg", "/photos/2/1.jpg", "/photos/0/", "/photos/-1/1.jpg", "/photos/0/x.jpg", "/../page.js"]
)
def test_what_is_not_there_is_not_found(page: Page, path: str) -> None:
    assert get(page, path)[0] == 404


def test_a_foreign_name_that_leads_here_is_refused(page: Page) -> None:
    assert get(page, "/", host="evil.example")[0] == 421
    assert get(page, "/events", host=f"evil.example:{page.port}")[0] == 421
    assert get(page, "/", host=f"localhost:{page.port}")[0] == 200


def test_a_photo_is_the_marbles_own(page: Page) -> None:
    status, headers, body = get(page, "/photos/0/1.jpg")
    with Image.open(io.BytesIO(body)) as picture:
        assert (status, headers["Content-Type"], picture.size) == (200, "image/jpeg", (32, 32))


def first_event(page: Page) -> Any:
    connection = http.client.HTTPConnection(page.host, page.port, timeout=10)
    try:
        connection.request("GET", "/events")
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "text/event-stream"
        line = answer.readline().decode()
        assert line.startswith("data: ")
        return json.loads(line.removeprefix("data: "))
    finally:
        connection.close()


def test_the_events_tell_all_lines(page: Page) -> None:
    first, second = first_event(page)
    assert (first["name"], second["name"]) == NAMES
    assert first["counts"]["sorted"] == first["counts"]["right"] == first["fed"] == 20
    assert sum(first["bins"][into][truth] for into in ("ok", "ko") for truth in ("ok", "ko")) == 20
    assert (second["counts"]["sorted"], second["latency"]) == (0, {"p50": None, "p99": None})
    assert first["extra"] == {"Model": "marbles 1.0", "Update": "<i>2.0</i>"}
    page.lines[1].line.break_down(Faults(camera="black"))
    page.lines[1].line.stop()
    assert (first_event(page)[1]["faults"], first_event(page)[1]["running"]) == ({"camera": "black"}, False)


def test_closing_ends_the_streams() -> None:
    with Page([Shown("line", Line(LineConfig(size=16)))]) as page:
        connection = http.client.HTTPConnection(page.host, page.port, timeout=10)
        connection.request("GET", "/events")
        answer = connection.getresponse()
        assert answer.readline()
    answer.read()
    connection.close()
    with pytest.raises(ConnectionError):
        get(page, "/")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")
def test_in_a_browser_the_belt_moves_and_the_counts_grow(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    ended = threading.Event()
    lines = [Line(LineConfig(seed=seed, size=32, double=0), RealClock(pace=4)) for seed in range(2)]

    def run(line: Line) -> None:
        while not ended.is_set():
            sort(line, until=line.now() + 2)

    threads = [threading.Thread(target=run, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    try:
        with (
            Page(
                [Shown(name, line, lambda: {"Model": "<b>1.0</b>"}) for name, line in zip(NAMES, lines, strict=True)]
            ) as page,
            playwright.sync_playwright() as player,
        ):
            browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            complaints: list[str] = []
            for scheme, width in (("light", 1200), ("dark", 360)):
                tab = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}).new_page()
                tab.on("pageerror", lambda error: complaints.append(str(error)))
                tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
                tab.goto(page.address)
                look(tab)
                assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"too wide at {width}"
            assert complaints == []
            browser.close()
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def look(tab: Any) -> None:
    """The belt's picture changes, the counts grow, a photo is shown, names are words and no markup."""
    tab.wait_for_function("() => document.querySelectorAll('article.line').length == 2")
    assert tab.locator("h2").all_text_contents() == list(NAMES)
    assert tab.locator("[data-extra] dd").first.text_content() == "<b>1.0</b>"
    assert tab.locator("main img[src='x'], main b b").count() == 0
    assert tab.title() == "tobo line"
    before = tab.evaluate("document.querySelector('canvas').toDataURL()")
    travel = tab.evaluate("Number(document.querySelector('article').dataset.travel)")
    sorted_ = tab.evaluate("Number(document.querySelector('[data-sorted]').textContent)")
    tab.wait_for_function(
        f"() => Number(document.querySelector('article').dataset.travel) > {travel} + 40", timeout=60_000
    )
    tab.wait_for_function(
        f"() => Number(document.querySelector('[data-sorted]').textContent) > {sorted_}", timeout=60_000
    )
    tab.wait_for_function("() => document.querySelector('[data-last] img')?.naturalWidth == 32", timeout=60_000)
    assert tab.evaluate("document.querySelector('canvas').toDataURL()") != before
