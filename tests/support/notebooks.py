"""Notebook instances as boto3 makes them, and their pages as a browser asks for them."""

import base64
import http.client
import json
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.jobs import ROLE
from tests.support.processes import until
from websockets.sync.client import ClientConnection, connect

from tobo.kit.arn import Namespace
from tobo.store.base import Key
from tobo.store.sql import SqlStore

TYPE = "ml.t3.medium"


def make_notebook(server: Server, name: str, **asked: Any) -> dict[str, Any]:
    """A new instance, once it is in service or has failed."""
    sagemaker = server.client("sagemaker")
    sagemaker.create_notebook_instance(**{"NotebookInstanceName": name, "InstanceType": TYPE, "RoleArn": ROLE, **asked})
    return settled(server, name)


def settled(server: Server, name: str, seconds: float = 90) -> dict[str, Any]:
    """The instance when it does not move any more."""
    sagemaker = server.client("sagemaker")

    def look() -> dict[str, Any]:
        found: dict[str, Any] = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
        return found

    until(lambda: look()["NotebookInstanceStatus"] in ("InService", "Stopped", "Failed"), seconds)
    return look()


def stop_notebook(server: Server, name: str) -> dict[str, Any]:
    server.client("sagemaker").stop_notebook_instance(NotebookInstanceName=name)
    return settled(server, name)


def served_for(server: Server, name: str, seconds: float) -> None:
    """Writes into the store, the server away meanwhile, that the instance came into service so long ago."""
    server.stop()
    store = SqlStore(f"sqlite:///{server.state / 'tobo.db'}")
    try:
        row = store.get(Key(Namespace(server.account, "us-east-1"), "notebook-instance", name))
        assert row is not None
        store.update(row, found={**row.found, "_since": time.time() - seconds})
    finally:
        store.close()
    server.start()


def refused(deed: Callable[[], Any], words: str) -> None:
    """The deed is refused with a ValidationException in these words, a regular expression."""
    with pytest.raises(ClientError, match=words) as error:
        deed()
    assert error.value.response["Error"]["Code"] == "ValidationException"


def encoded(script: str) -> list[dict[str, str]]:
    """A lifecycle script as a request has it."""
    return [{"Content": base64.b64encode(script.encode()).decode()}]


def log_lines(server: Server, stream: str) -> list[str]:
    """A stream of the instances' log group."""
    found = server.client("logs").get_log_events(
        logGroupName="/aws/sagemaker/NotebookInstances", logStreamName=stream, startFromHead=True
    )
    return [event["message"] for event in found["events"]]


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Tab:
    """A browser's tab on an instance, without eyes; it has entered by a presigned URL."""

    server: Server
    name: str
    cookie: str = ""
    url: str = field(default="", repr=False)

    @classmethod
    def opened(cls, server: Server, name: str, **asked: Any) -> "Tab":
        tab = cls(server, name)
        tab.url = server.client("sagemaker").create_presigned_notebook_instance_url(NotebookInstanceName=name, **asked)[
            "AuthorizedUrl"
        ]
        tab.enter()
        return tab

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    def enter(self) -> Answered:
        """Follows the presigned URL."""
        at = urlsplit(self.url)
        answer = self.ask("GET", f"{at.path}?{at.query}")
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].split(";")[0]
        return answer

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        """`path` is whole, or below the notebook's own. Headers None are left out."""
        if not path.startswith("/"):
            path = f"/notebook/{self.name}/{path}"
        sent = {"Host": self.host, "Cookie": self.cookie, **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(self.server.endpoint).port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if isinstance(body, dict) else body, sent)
            answer = connection.getresponse()
            return Answered(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode("utf-8", "replace")
            )
        finally:
            connection.close()

    def kernel(self) -> "Kernel":
        """A new kernel."""
        made = self.ask("POST", "api/kernels", {"name": "python3"}, Content_Type="application/json")
        assert made.status == 201, made
        return Kernel(self, json.loads(made.body)["id"])


@dataclass
class Kernel:
    """A kernel and what it prints."""

    tab: Tab
    id: str

    def open(self, **headers: str) -> ClientConnection:
        """Its WebSocket."""
        port = urlsplit(self.tab.server.endpoint).port
        near = socket.create_connection(("127.0.0.1", port))
        return connect(
            f"ws://{self.tab.host}/notebook/{self.tab.name}/api/kernels/{self.id}/channels",
            sock=near,
            origin=headers.pop("origin", self.tab.origin),  # type: ignore[arg-type]
            additional_headers={"Cookie": self.tab.cookie, **headers},
        )

    def run(self, code: str, wait: bool = True) -> str:
        """What the code prints, or how it fails; "" at once where it is not waited for."""
        content = {
            "code": code,
            "silent": False,
            "store_history": False,
            "user_expressions": {},
            "allow_stdin": False,
        }
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "tests"}
        header |= {"date": "", "version": "5.4"}
        printed = ""
        with self.open() as channels:
            channels.send(
                json.dumps(
                    {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell", "content": content}
                )
            )
            while True:
                told = json.loads(channels.recv(timeout=60))
                if told.get("parent_header", {}).get("msg_id") != header["msg_id"]:
                    continue
                kind, said = told["msg_type"], told["content"]
                if kind == "status" and said["execution_state"] == "busy" and not wait:
                    return ""
                if kind == "stream":
                    printed += said["text"]
                if kind == "error":
                    printed += f"{said['ename']}: {said['evalue']}"
                if kind == "status" and said["execution_state"] == "idle":
                    return printed
