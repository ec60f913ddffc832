"""The console: first paint, size, a list of a hundred thousand jobs, a log of a million lines, a hundred open pages."""

import contextlib
import http.client
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from playwright.sync_api import Browser, Page, Request, sync_playwright

from bench.describe import MANY, first_job, multiply
from bench.rows import Row
from bench.servers import Tobo, tobo
from bench.trees import Measured, cpu_ms_each, cpu_seconds
from tobo.console import ROOT
from tobo.console.links import enter_link

LINES = 1_000_000
PAGES = 100
SECONDS = 20.0
GROUP, STREAM = "/aws/sagemaker/TrainingJobs", "bench/long"
ROUNDS = 7


def run() -> list[Row]:
    """Needs Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("no Chromium is installed: `make setup-browser`")
    with tempfile.TemporaryDirectory(prefix="tobo-bench-") as folder:
        state = Path(folder) / "state"
        with tobo(state=state) as server:
            first_job(server)
        multiply(state / "tobo.db", MANY)
        with tobo(state=state) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            try:
                return [
                    *_paint(browser, server, state),
                    _list(server, state),
                    *_log(browser, server, state),
                    _open_pages(server, state),
                ]
            finally:
                browser.close()


@contextlib.contextmanager
def _signed_in(browser: Browser, server: Tobo, state: Path) -> Iterator[Page]:
    """A browser with empty caches."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(enter_link(state, server.endpoint))
    page.wait_for_url(f"**{ROOT}/")
    yield page
    context.close()


def _paint(browser: Browser, server: Tobo, state: Path) -> list[Row]:
    """The list of jobs: with nothing cached, and the second time."""
    first: list[float] = []
    again: list[float] = []
    sizes = requests = 0
    for _ in range(ROUNDS):
        with _signed_in(browser, server, state) as page:
            cdp = page.context.new_cdp_session(page)
            cdp.send("Network.clearBrowserCache")
            seen: list[Request] = []
            page.on("requestfinished", partial(_remember, seen))
            page.goto(f"{server.endpoint}{ROOT}/training-jobs")
            first.append(_first_paint(page))
            page.wait_for_timeout(300)
            sizes, requests = sum(map(_size, seen)), len(seen)
            page.goto(f"{server.endpoint}{ROOT}/training-jobs?order=Ascending")
            again.append(_first_paint(page))
    return [
        Row("Console, first paint of a list, nothing cached", sorted(first)[ROUNDS // 2], "ms", aim=600),
        Row("Console, first paint, the second time", sorted(again)[ROUNDS // 2], "ms", aim=600),
        Row("Console, bytes of that page, nothing cached", sizes / 1000, "kB", aim=300),
        Row("Console, its requests", float(requests), "", aim=15),
    ]


def _remember(seen: list[Request], request: Request) -> None:
    seen.append(request)


def _size(request: Request) -> int:
    told = request.sizes()
    return told["responseBodySize"] + told["responseHeadersSize"]


def _first_paint(page: Page) -> float:
    """Milliseconds from the navigation on (Paint Timing)."""
    found = page.evaluate(
        "new Promise(done => new PerformanceObserver(list => list.getEntriesByName('first-contentful-paint')"
        ".forEach(entry => done(entry.startTime))).observe({type: 'paint', buffered: true}))"
    )
    return float(found)


def _cookie(server: Tobo, state: Path) -> str:
    """A session, as a header."""
    at = urlsplit(server.endpoint)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)
    connection.request("GET", enter_link(state, server.endpoint).removeprefix(server.endpoint))
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return (answer.getheader("Set-Cookie") or "").split(";")[0]


def _list(server: Tobo, state: Path) -> Row:
    """A page of the list, as the server renders it."""
    at, cookie = urlsplit(server.endpoint), _cookie(server, state)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)

    def ask(number: int) -> None:
        connection.request("GET", f"{ROOT}/training-jobs?sort=CreationTime", headers={"Cookie": cookie})
        answer = connection.getresponse()
        if answer.status != 200 or not answer.read():
            raise RuntimeError(f"the list answered {answer.status}")

    cost = cpu_ms_each({"console": Measured(server.pids(), ask)}, 20)["console"]
    return Row(f"Console, a page of {MANY:,} jobs", cost, "CPU-ms", aim=50)


def _log(browser: Browser, server: Tobo, state: Path) -> list[Row]:
    """From the page's request until the last line can be read, and until a new one can."""
    logs = server.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
        logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    now = int(time.time() * 1000)
    for start in range(0, LINES, 10_000):
        events = [{"timestamp": now, "message": f"line {number}"} for number in range(start, start + 10_000)]
        logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=events)
    source = f"{ROOT}/logs/newest?group={quote(GROUP, safe='')}&stream={quote(STREAM, safe='')}"
    with _signed_in(browser, server, state) as page:
        page.goto(f"{server.endpoint}{ROOT}/training-jobs")
        started = time.monotonic()
        page.evaluate(
            """async ([group, stream, source]) => {
                const script = document.querySelector("script[type=module]").src.replace("console.js", "elements/log-tail.js");
                const tail = document.createElement("log-tail");
                Object.assign(tail.dataset, {group, stream, liveSource: source, depends: "every:1"});
                document.querySelector("main").append(tail);
                await import(script);
                (await import(script.replace("elements/log-tail.js", "console.js"))).watch();
            }""",
            [GROUP, STREAM, source],
        )
        page.get_by_text(f"line {LINES - 1}", exact=False).first.wait_for()
        opened = time.monotonic() - started
        page.wait_for_timeout(2500)
        started = time.monotonic()
        event = {"timestamp": int(time.time() * 1000), "message": "the newest line"}
        logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=[event])
        page.get_by_text("the newest line").first.wait_for()
        followed = time.monotonic() - started
    return [
        Row(f"Console, a log of {LINES:,} lines until its end is read", opened * 1000, "ms", aim=1000),
        Row("Console, a new line until it is read", followed * 1000, "ms"),
    ]


def _open_pages(server: Tobo, state: Path) -> Row:
    """The server's share of a core while a hundred pages are open and a job's row changes once a second."""
    at, cookie = urlsplit(server.endpoint), _cookie(server, state)
    region = quote(f"training-job|{ROOT}/training-jobs?fragment=rows", safe="")
    streams = []
    for _ in range(PAGES):
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
        connection.request("GET", f"{ROOT}/stream?r={region}", headers={"Cookie": cookie})
        answer = connection.getresponse()
        threading.Thread(target=drain, args=(answer,), daemon=True).start()
        streams.append(connection)
    sagemaker = server.client("sagemaker")
    arn = sagemaker.list_training_jobs(MaxResults=1)["TrainingJobSummaries"][0]["TrainingJobArn"]
    pids = server.pids()
    before, started = cpu_seconds(pids), time.monotonic()
    number = 0
    while time.monotonic() - started < SECONDS:
        number += 1
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "tick", "Value": str(number)}])
        time.sleep(1)
    share = (cpu_seconds(pids) - before) / (time.monotonic() - started)
    for connection in streams:
        if connection.sock is not None:
            connection.sock.close()
    return Row(f"Console, {PAGES} open pages, a change a second", share * 100, "% of a core", aim=10)


def drain(answer: http.client.HTTPResponse) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
        while answer.read1(65536):
            pass
