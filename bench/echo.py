"""InvokeEndpoint of 50 kB to a model that echoes: what signature, routing, metrics and the hop to the replica cost."""

import importlib.util
import os
from contextlib import ExitStack

from bench.client import Connection, plain
from bench.endpoints import ECHO, first_answer, invocation, prepare
from bench.rows import Row
from bench.servers import Peer, peer, tobo
from bench.trees import Measured, cpu_ms_each

BODY = os.urandom(50_000)
TIMES = 400
CLIENTS = (1, 8)


def run() -> list[Row]:
    rows = []
    with ExitStack() as stack:
        server = stack.enter_context(tobo())
        prepare(server, "echo", {"labels.json": b"[]"}, ECHO)
        first = first_answer(server, "echo", BODY)
        servers: dict[str, tuple[Peer, bytes]] = {"tobo": (server, invocation(server, "echo", BODY))}
        for name in ("bare", "fastapi"):
            if name == "bare" or importlib.util.find_spec(name):
                other = stack.enter_context(peer("bench.peers", name))
                servers[name] = (other, plain(other.endpoint, "/", BODY))
        note = "" if "fastapi" in servers else "fastapi is not installed"
        for clients in CLIENTS:
            contestants = {name: _measured(stack, *asked, clients) for name, asked in servers.items()}
            cost = {name: each / clients for name, each in cpu_ms_each(contestants, TIMES // clients).items()}
            what = f"InvokeEndpoint echo 50 kB, {clients} client{'s' * (clients > 1)}"
            rows += [
                Row(what, cost["tobo"], "CPU-ms", "bare ASGI app", cost["bare"], aim=0.35),
                Row(what, cost["tobo"], "CPU-ms", "FastAPI, naive", cost.get("fastapi"), aim_ratio=1.0, note=note),
            ]
    return [*rows, Row("CreateEndpoint to first answer, echo", first, "s", aim=1.5)]


def _measured(stack: ExitStack, server: Peer, request: bytes, clients: int) -> Measured:
    """One deed is a request of each client, all outstanding at once."""
    connections = [stack.enter_context(Connection(server.endpoint)) for _ in range(clients)]

    def ask(number: int) -> None:
        for connection in connections:
            connection.send(request)
        for connection in connections:
            if connection.receive() != (200, BODY):
                raise RuntimeError("the echo is not what was sent")

    for warming in range(200 // clients):
        ask(warming)
    return Measured(server.pids(), ask)
