"""The page's server: stdlib only, a thread a request, on 127.0.0.1 unless it is told otherwise.

Everybody who reaches it may look; who wants to change something needs the token that `tobo-edge status` prints, and a
page of our own: a request that another site's page sends is refused.
"""

import hmac
import ipaddress
import json
import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tobo.edge.controls import BadChange
from tobo.edge.durable import read_json
from tobo.edge.page.exposition import CONTENT_TYPE, exposition
from tobo.edge.page.view import view
from tobo.inference.pictures import encode_jpeg
from tobo.kit.page import PageHandler, PageServer

if TYPE_CHECKING:
    from tobo.edge.agent import Agent

log = logging.getLogger(__name__)

_WIDEST = 800
"""Pixels of the live frame; a phone shows no more."""
_LONGEST_BODY = 4096


class Page:
    """Serves from its construction until `close`. Raises OSError where the port is taken."""

    def __init__(self, agent: "Agent", port: int | None = None) -> None:
        """`port` instead of the settings'; 0 is any free one."""
        settings = agent.settings
        self.token = _token(agent)
        handler = type("Handler", (_Handler,), {"agent": agent, "token": self.token, "hosts": _hosts(agent)})
        self._server = PageServer((settings.page.host, settings.page.port if port is None else port), handler)
        host = "127.0.0.1" if settings.page.host in ("", "0.0.0.0") else settings.page.host
        self.url = f"http://{host}:{self._server.server_port}/"
        self._file = settings.state / "page.json"
        _write_private(self._file, {"url": self.url, "token": self.token})
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _token(agent: "Agent") -> str:
    """The one of last time, so that a bookmark lasts."""
    kept = (read_json(agent.settings.state / "page.json") or {}).get("token")
    return kept if isinstance(kept, str) and len(kept) >= 20 else secrets.token_urlsafe(18)


def _write_private(file: Any, value: dict[str, str]) -> None:
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(value, out)
    except OSError as error:
        log.warning("`tobo-edge status` will not find the page: %s", error)


def _hosts(agent: "Agent") -> frozenset[str]:
    """Host names by which the page may be asked for; any other one is a site that has itself resolved to us."""
    name = socket.gethostname().lower()
    own = {"localhost", name, f"{name}.local", agent.settings.page.host.lower()}
    return frozenset(own | {one.lower() for one in agent.settings.page.names})


class _Handler(PageHandler):
    server_version = "tobo-edge"
    timeout = 20
    folder = files("tobo.edge.page")
    names = frozenset({"index.html", "style.css", "icon.svg", "page.js"})
    agent: "Agent"
    token: str
    hosts: frozenset[str]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if not self._host_is_ours():
            self._refuse(421, "This page has another name.")
        elif self.answer_file(path):
            pass
        elif path == "/state.json":
            self.answer(200, json.dumps(view(self.agent)).encode(), "application/json")
        elif path == "/metrics":
            self.answer(200, exposition(self.agent).encode(), CONTENT_TYPE)
        elif path == "/frame.jpg":
            self._picture(self._live())
        elif path.startswith("/kept/"):
            self._picture(self._kept(path.removeprefix("/kept/").removesuffix(".jpg")))
        else:
            self._refuse(404, "There is nothing here.")

    def do_POST(self) -> None:
        deed = {"/threshold": self._threshold, "/override": self._override}.get(self.path)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST_BODY:
            self.close_connection = True
            return self._refuse(413, "The request is too long.")
        body = self.rfile.read(int(length))
        if not self._host_is_ours() or not self._from_our_page():
            return self._refuse(403, "Changes are made on this device's own page.")
        if not hmac.compare_digest(self.headers.get("X-Tobo-Token", "").encode("latin-1"), self.token.encode()):
            return self._refuse(403, "The token is missing or wrong; open the address that `tobo-edge status` prints.")
        if deed is None:
            return self._refuse(404, "There is nothing here.")
        return self._change(deed, body)

    def _change(self, deed: Callable[[Any], object], body: bytes) -> None:
        try:
            deed(json.loads(body))
        except BadChange as error:
            return self._refuse(400, str(error))
        except (ValueError, KeyError, TypeError):
            return self._refuse(400, "The request is not what this page sends.")
        return self.answer(200, json.dumps(view(self.agent)).encode(), "application/json")

    def _threshold(self, asked: Any) -> None:
        value = asked["value"]
        self.agent.controls.set_threshold(str(asked["label"]), None if value is None else float(value))

    def _override(self, asked: Any) -> None:
        self.agent.controls.set_override(str(asked["override"]))

    def _host_is_ours(self) -> bool:
        """Against DNS rebinding: an address is no name that somebody could have pointed here."""
        host = self.headers.get("Host", "").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        try:
            ipaddress.ip_address(name.strip("[]"))
            return True
        except ValueError:
            return name in self.hosts

    def _from_our_page(self) -> bool:
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site")
        same = origin is None or origin.lower() == f"http://{self.headers.get('Host', '').lower()}"
        return same and site in (None, "same-origin")

    def _live(self) -> bytes | None:
        latest = self.agent.loop.latest
        if latest is None:
            return None
        pixels = latest[0].pixels
        if pixels.shape[1] > _WIDEST:
            image = Image.fromarray(pixels)
            image.thumbnail((_WIDEST, _WIDEST))
            pixels = np.asarray(image)
        return encode_jpeg(pixels, 85)

    def _kept(self, number: str) -> bytes | None:
        return next((jpeg for record, jpeg in list(self.agent.keeper.recent) if str(record.number) == number), None)

    def _picture(self, jpeg: bytes | None) -> None:
        if jpeg is None:
            self._refuse(404, "There is no such picture.")
        else:
            self.answer(200, jpeg, "image/jpeg")

    def _refuse(self, status: int, sentence: str) -> None:
        self.answer(status, json.dumps({"message": sentence}).encode(), "application/json")
