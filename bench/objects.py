"""S3 put and get of small and larger objects, durable and with the payload's hash checked; moto's server beside it."""

import os
from contextlib import ExitStack

from bench.client import Connection, signed
from bench.rows import Row
from bench.servers import Peer, moto, tobo
from bench.trees import Measured, cpu_ms_each

SIZES = (("4 kB", 4096, 200, 0.8), ("1 MB", 1 << 20, 20, None))
"""Name, bytes, operations a round and aim in CPU-ms."""

ROUNDS = 5


def run() -> list[Row]:
    rows = []
    with ExitStack() as stack:
        servers: dict[str, Peer] = {"tobo": stack.enter_context(tobo())}
        if other := moto():
            servers["moto"] = stack.enter_context(other)
        note = "moto keeps them in memory" if other else "moto is not installed"
        connections = {name: stack.enter_context(Connection(server.endpoint)) for name, server in servers.items()}
        for name, server in servers.items():
            connections[name].expect(signed(server.endpoint, server.keys, "s3", "PUT", "/bench"))
        for size, length, times, aim in SIZES:
            body = os.urandom(length)
            for verb in ("PUT", "GET"):
                contestants = {
                    name: _measured(server, connections[name], verb, f"/bench/{length}", body, ROUNDS * times)
                    for name, server in servers.items()
                }
                cost = cpu_ms_each(contestants, times, ROUNDS)
                what = f"S3 {verb.lower()} {size}"
                rows.append(Row(what, cost["tobo"], "CPU-ms", "moto server", cost.get("moto"), aim=aim, note=note))
    return rows


def _measured(server: Peer, connection: Connection, verb: str, path: str, body: bytes, count: int) -> Measured:
    """Puts or gets the objects <path>/0, <path>/1 ..., each signed beforehand."""
    sent = body if verb == "PUT" else b""
    requests = [signed(server.endpoint, server.keys, "s3", verb, f"{path}/{number}", sent) for number in range(count)]
    return Measured(server.pids(), lambda number: connection.expect(requests[number]))
