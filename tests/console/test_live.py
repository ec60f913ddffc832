"""Live pages: one look for all who look, news only where something changed, an end when the server ends."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.console import Client, make_job
from tests.support.unique import unique

from tobo.console import ROOT
from tobo.console.live import MOST_PAGES

ROWS = f"{ROOT}/training-jobs?fragment=rows"


class Stream:
    """What an EventSource would get, read in a thread."""

    def __init__(self, client: Client, *regions: str) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.over = threading.Event()
        self.connection = http.client.HTTPConnection(client.at.hostname or "", client.at.port, timeout=60)
        query = "&".join(f"r={quote(region, safe='')}" for region in regions)
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        self.connection.request("GET", f"{ROOT}/stream?{query}", headers={"Cookie": cookies})
        self.answer = self.connection.getresponse()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        name = ""
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    self.events.append((name, json.loads(line[6:])))
        except (OSError, http.client.HTTPException, AttributeError, ValueError):
            pass
        self.over.set()

    def wait(self, found: Callable[["Stream"], bool]) -> None:
        deadline = time.monotonic() + 30
        while not found(self):
            assert time.monotonic() < deadline, self.events
            time.sleep(0.05)

    def close(self) -> None:
        """Shut down, for the answer's file keeps a socket that is only closed open."""
        if self.connection.sock is not None:
            with contextlib.suppress(OSError):
                self.connection.sock.shutdown(socket.SHUT_RDWR)
            self.connection.sock.close()


def test_news_come_when_a_row_changes_and_only_then(server: Server) -> None:
    client = Client(server)
    client.enter(server)
    stream = Stream(client, f"training-job|{ROWS}", f"no-such-kind|{ROOT}/?fragment=running")
    assert stream.answer.getheader("Content-Type", "").startswith("text/event-stream")
    stream.wait(lambda s: len(s.events) >= 2)
    name = unique("news")
    make_job(server, name)
    stream.wait(lambda s: any(name in told["body"] for _, told in s.events))
    assert len([told for _, told in stream.events if "fragment=running" in told["source"]]) == 1
    stream.close()


def test_many_pages_cost_one_look(server: Server) -> None:
    client = Client(server)
    client.enter(server)
    streams = [Stream(client, f"training-job|{ROWS}") for _ in range(20)]
    name = unique("many")
    make_job(server, name)
    for stream in streams:
        stream.wait(lambda s: any(name in told["body"] for _, told in s.events))
        stream.close()


def test_each_sees_what_its_own_key_may(server: Server) -> None:
    name = unique("blind")
    key, secret = limited_user(server, name, {"Effect": "Deny", "Action": "*", "Resource": "*"})
    blind, seeing = Client(server), Client(server)
    blind.post("enter", {"access_key_id": key, "secret_access_key": secret})
    seeing.enter(server)
    mine, other = Stream(blind, f"training-job|{ROWS}"), Stream(seeing, f"training-job|{ROWS}")
    for stream in (mine, other):
        stream.wait(lambda s: bool(s.events))
    assert mine.events[0][1]["status"] == 403
    assert "AccessDenied" in mine.events[0][1]["body"]
    assert other.events[0][1]["status"] == 200
    for stream in (mine, other):
        stream.close()


def test_a_stream_ends_with_its_key(server: Server) -> None:
    name = unique("ends")
    key, secret = limited_user(server, name, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    client = Client(server)
    client.post("enter", {"access_key_id": key, "secret_access_key": secret})
    stream = Stream(client, f"every:1|{ROWS}")
    stream.wait(lambda s: bool(s.events))
    server.client("iam").update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    stream.wait(lambda s: s.events[-1][0] == "over")
    stream.close()


def test_only_the_consoles_own_addresses_are_looked_at(server: Server) -> None:
    client = Client(server)
    client.enter(server)
    for source in ("http://elsewhere/", "/", f"{ROOT}x", f"{ROOT}/stream?r=1", f"{ROOT}/" + "x" * 2000):
        assert Stream(client, f"every:1|{source}").answer.status == 204
    assert Stream(client, *[f"every:1|{ROOT}/{number}" for number in range(13)]).answer.status == 503


def test_the_server_stops_at_once_although_pages_are_open(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    client = Client(server)
    client.enter(server)
    streams = [Stream(client, f"training-job|{ROWS}") for _ in range(3)]
    for stream in streams:
        stream.wait(lambda s: bool(s.events))
    assert server.stop() == 0
    assert "graceful shutdown exceeded" not in server.log()  # what uvicorn says when it has to cut requests off
    assert all(stream.over.wait(10) for stream in streams)


def test_pages_that_went_away_leave_their_places(server: Server) -> None:
    """As many as may be open at a time come and go; who comes then still gets a stream."""
    client = Client(server)
    client.enter(server)
    for _ in range(MOST_PAGES + 10):
        Stream(client, f"training-job|{ROWS}").close()
    last = Stream(client, f"training-job|{ROWS}")
    assert last.answer.status == 200
    last.close()
