"""Notebooks: from StartNotebookInstance to JupyterLab's answer, and what the gateway adds to a request and to a kernel's message."""

import http.client
import json
import socket
import statistics
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import connect, unix_connect
from websockets.sync.connection import Connection

from bench.rows import Row
from bench.servers import Tobo, tobo
from tobo.hosting.processes import socket_folder

NAME = "bench"
STARTS, ROUNDS = 5, 300
BASE = f"/notebook/{NAME}/"


def run() -> list[Row]:
    with tobo() as server:
        sagemaker = server.client("sagemaker")
        role = "arn:aws:iam::111122223333:role/any"
        sagemaker.create_notebook_instance(NotebookInstanceName=NAME, InstanceType="ml.t3.medium", RoleArn=role)
        _reached(sagemaker, "InService")
        starts: list[float] = []
        for _ in range(STARTS):
            sagemaker.stop_notebook_instance(NotebookInstanceName=NAME)
            _reached(sagemaker, "Stopped")
            begin = time.monotonic()
            sagemaker.start_notebook_instance(NotebookInstanceName=NAME)
            _reached(sagemaker, "InService")
            starts.append(time.monotonic() - begin)
        rows = _through(server, sagemaker)
        sagemaker.stop_notebook_instance(NotebookInstanceName=NAME)
        _reached(sagemaker, "Stopped")
    note = f"longest of {STARTS}: {max(starts):.1f} s"
    return [
        Row("StartNotebookInstance to JupyterLab's answer", statistics.median(starts), "s", aim=8, note=note),
        *rows,
    ]


def _through(server: Tobo, sagemaker: Any) -> list[Row]:
    url = urlsplit(sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName=NAME)["AuthorizedUrl"])
    near = http.client.HTTPConnection("127.0.0.1", url.port)
    near.request("GET", f"{url.path}?{url.query}", headers={"Host": url.netloc})
    answer = near.getresponse()
    answer.read()
    session = {"Host": url.netloc, "Cookie": (answer.getheader("set-cookie") or "").split(";")[0]}
    near.request("POST", f"{BASE}api/kernels", b'{"name": "python3"}', session)
    kernel = json.loads(near.getresponse().read())["id"]
    near.request("POST", f"{BASE}api/kernels", b'{"name": "python3"}', session)
    near.getresponse().read()
    far = _Direct(next(socket_folder(server.state / "notebooks").glob("*-*/s")))
    token = {"Host": url.netloc, "Authorization": f"token {_token(near, session, kernel, url.netloc)}"}
    with closing(near), closing(far):
        rows = [
            _beside(what, partial(_get, near, path, session), partial(_get, far, path, token))
            for what, path in (
                ("a small request", f"{BASE}api/status"),
                ("a page of JupyterLab", f"{BASE}lab"),
            )
        ]
        channels = f"ws://{url.netloc}{BASE}api/kernels/{kernel}/channels"
        gateway = socket.create_connection(("127.0.0.1", url.port or 80))
        origin: Any = f"http://{url.netloc}"
        with (
            connect(channels, sock=gateway, origin=origin, additional_headers={"Cookie": session["Cookie"]}) as ours,
            unix_connect(
                str(far.address), channels, origin=origin, additional_headers={"Authorization": token["Authorization"]}
            ) as theirs,
        ):
            return [*rows, _beside("a kernel's answer", partial(_ask, ours), partial(_ask, theirs))]


def _beside(what: str, ours: Callable[[], None], theirs: Callable[[], None]) -> Row:
    """Turn about, so that what else the machine does hits both."""
    took: dict[Callable[[], None], list[float]] = {ours: [], theirs: []}
    for number in range(ROUNDS):
        for deed in (ours, theirs) if number % 2 else (theirs, ours):
            begin = time.perf_counter()
            deed()
            took[deed].append((time.perf_counter() - begin) * 1000)
    through, direct = (statistics.median(took[deed][20:]) for deed in (ours, theirs))
    note = f"{through:.1f} ms beside {direct:.1f} ms of JupyterLab alone"
    return Row(f"what the gateway adds to {what}", through - direct, "ms", aim=2, note=note)


class _Direct(http.client.HTTPConnection):
    """JupyterLab without the gateway."""

    def __init__(self, address: Path) -> None:
        super().__init__("localhost")
        self.address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.address))


def _get(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> None:
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status


def _token(near: http.client.HTTPConnection, session: dict[str, str], kernel: str, host: str) -> str:
    """JupyterLab's own, which its kernels find in their environment."""
    with closing(socket.create_connection(("127.0.0.1", near.port))) as link:
        origin: Any = f"http://{host}"
        address = f"ws://{host}{BASE}api/kernels/{kernel}/channels"
        with connect(address, sock=link, origin=origin, additional_headers={"Cookie": session["Cookie"]}) as channels:
            content = {"code": "import os; print(os.environ['JUPYTER_TOKEN'])", "silent": False}
            channels.send(_message("execute_request", {**content, "store_history": False, "user_expressions": {}}))
            while True:
                told = json.loads(channels.recv(timeout=60))
                if told["msg_type"] == "stream":
                    return str(told["content"]["text"]).strip()


def _ask(channels: Connection) -> None:
    """kernel_info: to the kernel and back."""
    channels.send(_message("kernel_info_request", {}))
    while json.loads(channels.recv(timeout=60))["msg_type"] != "kernel_info_reply":
        pass


def _message(kind: str, content: dict[str, Any]) -> str:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "", "date": "", "version": "5.4"}
    return json.dumps(
        {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell", "content": {**content}}
    )


def _reached(sagemaker: Any, status: str) -> None:
    deadline = time.monotonic() + 120
    while (found := sagemaker.describe_notebook_instance(NotebookInstanceName=NAME))[
        "NotebookInstanceStatus"
    ] != status:
        if found["NotebookInstanceStatus"] == "Failed" or time.monotonic() > deadline:
            raise RuntimeError(f"the notebook is {found['NotebookInstanceStatus']}: {found.get('FailureReason', '')}")
        time.sleep(0.02)
