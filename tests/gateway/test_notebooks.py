"""The way to a notebook: who may enter, whose pages are heard, and what passes through unchanged."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from tests.conftest import Server
from tests.support.notebooks import Kernel, Tab, make_notebook, stop_notebook
from tests.support.unique import unique
from websockets.exceptions import InvalidStatus

from tobo.console import ROOT


@pytest.fixture(scope="module")
def tab(server: Server) -> Iterator[Tab]:
    name = unique("Door")
    assert make_notebook(server, name)["NotebookInstanceStatus"] == "InService"
    yield Tab.opened(server, name)
    stop_notebook(server, name)


@pytest.fixture(scope="module")
def kernel(tab: Tab) -> Kernel:
    return tab.kernel()


def test_a_link_opens_once(server: Server, tab: Tab) -> None:
    answer = server.client("sagemaker").create_presigned_notebook_instance_url(
        NotebookInstanceName=tab.name, SessionExpirationDurationInSeconds=1800
    )
    other = Tab(server, tab.name, url=answer["AuthorizedUrl"])
    assert urlsplit(other.url).path == f"/notebook/{tab.name}/"
    first = other.enter()
    kept = first.headers["set-cookie"]
    for part in ("Max-Age=1800", f"Path=/notebook/{tab.name}/", "HttpOnly", "SameSite=Strict"):
        assert part in kept
    assert other.ask("GET", "api/status").status == 200
    again = other.enter()
    assert again.status == 403 and "set-cookie" not in again.headers and "does not work any more" in again.body


def test_only_who_has_entered(server: Server, tab: Tab) -> None:
    for cookie in ("", "tobo_notebook=guessed", "tobo_notebook", "x=y; tobo_notebook=" + "a" * 43):
        stranger = Tab(server, tab.name, cookie, tab.url)
        for path in ("lab", "api/kernels", "../../", "//"):
            answer = stranger.ask("GET", path)
            assert answer.status == 401 and "Jupyter" not in answer.body, (cookie, path)
        assert stranger.ask("POST", "api/kernels", {}).status == 401
    # The token that JupyterLab itself would take is no way past the gateway.
    token = tab.kernel().run("import os; print(os.environ['JUPYTER_TOKEN'])").strip()
    bearer = Tab(server, tab.name, "", tab.url)
    assert bearer.ask("GET", f"api/kernels?token={token}").status == 401


def test_a_session_is_one_notebook_s(server: Server, tab: Tab) -> None:
    name = unique("other")
    make_notebook(server, name)
    other = Tab.opened(server, name)
    crossed = Tab(server, name, tab.cookie, other.url)
    assert crossed.ask("GET", "api/kernels").status == 401
    assert Tab(server, tab.name, tab.cookie, other.url).ask("GET", "api/kernels").status == 401
    link = server.client("sagemaker").create_presigned_notebook_instance_url(NotebookInstanceName=tab.name)
    at = urlsplit(link["AuthorizedUrl"])
    assert other.ask("GET", f"{at.path}?{at.query}").status == 403
    kept = other.cookie
    stop_notebook(server, name)
    assert Tab(server, name, kept, other.url).ask("GET", "api/status").status in (401, 502)


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 200),
        ("GET", {"Sec_Fetch_Site": "same-origin"}, 200),
        ("GET", {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, 200),
        ("GET", {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}, 403),
        ("GET", {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors"}, 403),
        ("POST", {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate"}, 403),
        ("GET", {"Origin": "http://127.0.0.1:1"}, 403),
        ("POST", {"Origin": "null"}, 403),
    ],
)
def test_only_its_own_pages(tab: Tab, method: str, headers: dict[str, str], status: int) -> None:
    body = {"name": "python3"} if method == "POST" else None
    assert tab.ask(method, "api/kernels", body, **headers).status == status


def test_a_kernel_hears_its_own_page_alone(tab: Tab, kernel: Kernel) -> None:
    assert kernel.run("print(6 * 7)").strip() == "42"
    for origin in ("http://127.0.0.1:8626", f"http://evil.{tab.host}", "null"):
        with pytest.raises(InvalidStatus) as refused:
            kernel.open(origin=origin)
        assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus):
        Kernel(Tab(tab.server, tab.name, "", tab.url), kernel.id).open()


def test_another_port_is_a_way_in_and_another_origin(tab: Tab) -> None:
    """A tunnel's: the same name, whose pages are its own; nothing else is served there either."""
    tunnel = Tab(tab.server, tab.name, tab.cookie, tab.url.replace(tab.host, f"{tab.host.split(':')[0]}:9999"))
    assert tunnel.ask("GET", "api/kernels", Origin=tunnel.origin).status == 200
    assert tunnel.ask("GET", "api/kernels", Origin=tab.origin).status == 403
    assert tunnel.ask("GET", f"{ROOT}/enter").status == 401


def test_nothing_else_is_served_there(server: Server, tab: Tab) -> None:
    """No console, no health, no S3 under a notebook's host name; and no notebook under the server's."""
    for path in (ROOT, f"{ROOT}/", f"{ROOT}/enter", "/_tobo/health", "/", "/bucket/key"):
        assert tab.ask("GET", path).status == 401, path
    at = urlsplit(server.endpoint)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=20)
    for headers, status in (({}, 403), ({"Accept": "text/html"}, 307)):
        connection.request("GET", f"/notebook/{tab.name}/lab", headers={"Cookie": tab.cookie, **headers})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    assert answer.getheader("location") == f"{ROOT}/notebooks/{tab.name}"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    connection.request("GET", f"{ROOT}/", headers={**upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert connection.getresponse().status == 403
    connection.close()


def test_files_pass_unchanged(tab: Tab) -> None:
    """Larger than what is sent in one piece; up, down, by parts, and without a body."""
    text = "0123456789abcdef" * (200 << 10)
    content = {"type": "file", "format": "text", "content": text}
    assert tab.ask("PUT", "api/contents/large.txt", content, Content_Type="application/json").status == 201
    down = tab.ask("GET", "files/large.txt")
    assert down.status == 200 and down.body == text
    part = tab.ask("GET", "files/large.txt", Range="bytes=16-31")
    assert part.body in ("0123456789abcdef", text)
    head = tab.ask("HEAD", "files/large.txt")
    assert head.status == 200 and head.body == ""
    assert tab.ask("GET", "files/none.txt").status == 404
    assert tab.ask("DELETE", "api/contents/large.txt").status == 204


def test_a_terminal(tab: Tab) -> None:
    made = json.loads(tab.ask("POST", "api/terminals").body)
    assert json.loads(tab.ask("GET", "api/terminals").body)[0]["name"] == made["name"]
    assert tab.ask("DELETE", f"api/terminals/{made['name']}").status == 204
