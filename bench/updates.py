"""An endpoint that is updated under load, and one that is woken from zero replicas by a request; both echo."""

import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.client import Connection
from bench.endpoints import ECHO, invocation, prepare
from bench.rows import Row
from bench.servers import Tobo, tobo

BODY = os.urandom(50_000)
CLIENTS, UPDATES, WAKES = 4, 20, 7
PAUSE = 0.005
"""Seconds between two requests of a client: load, but not all that the machine can do."""


def run() -> list[Row]:
    with tobo(TOBO_SERVERLESS_IDLE_SECONDS="0.5") as server:
        prepare(server, "live", {"labels.json": b"[]"}, ECHO)
        return [*_updates(server), _wake(server)]


def _updates(server: Tobo) -> list[Row]:
    sagemaker = server.client("sagemaker")  # made once: making one would hold up the clients, who share its interpreter
    sagemaker.create_endpoint(EndpointName="live", EndpointConfigName="live")
    _settle(sagemaker, "live")
    with _load(server, "live") as (quiet, _):
        time.sleep(4)
    took = []
    with _load(server, "live") as (during, failed):
        for _ in range(UPDATES):
            begin = time.monotonic()
            sagemaker.update_endpoint(EndpointName="live", EndpointConfigName="live")
            _settle(sagemaker, "live")
            took.append(time.monotonic() - begin)
    note = f"{UPDATES} updates beside {CLIENTS} clients"
    return [
        Row("update under load, failed requests", float(len(failed)), f"of {len(during)}", aim=0, note=note),
        Row("update under load, one update, p50", statistics.median(took), "s"),
        Row("update under load, p99 of a request", _p99(during) * 1e3, "ms", "without updates", _p99(quiet) * 1e3),
    ]


def _wake(server: Tobo) -> Row:
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 8}
    variant = {"VariantName": "AllTraffic", "ModelName": "live", "ServerlessConfig": serverless}
    sagemaker = server.client("sagemaker")
    sagemaker.create_endpoint_config(EndpointConfigName="resting", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="resting", EndpointConfigName="resting")
    _settle(sagemaker, "resting")
    took = []
    with Connection(server.endpoint) as connection:
        for _ in range(WAKES):
            while sagemaker.describe_endpoint(EndpointName="resting")["ProductionVariants"][0]["CurrentInstanceCount"]:
                time.sleep(0.05)
            request = invocation(server, "resting", BODY)
            begin = time.monotonic()
            if connection.ask(request) != (200, BODY):
                raise RuntimeError("the echo is not what was sent")
            took.append(time.monotonic() - begin)
    return Row("wake from zero, first answer, p50", statistics.median(took), "s", aim=2, note=f"worst {max(took):.2f}")


@contextmanager
def _load(server: Tobo, name: str) -> Iterator[tuple[list[float], list[bytes]]]:
    """Clients that ask all the while: the seconds of each answer, and the answers that were none."""
    seconds: list[float] = []
    failed: list[bytes] = []
    stop = threading.Event()

    def client() -> None:
        with Connection(server.endpoint) as connection:
            while not stop.wait(PAUSE):
                request = invocation(server, name, BODY)
                begin = time.monotonic()
                status, answer = connection.ask(request)
                seconds.append(time.monotonic() - begin)
                if (status, answer) != (200, BODY):
                    failed.append(answer)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield seconds, failed
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _settle(sagemaker: Any, name: str) -> None:
    while (status := sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]) != "InService":
        if status == "Failed":
            raise RuntimeError(f"endpoint {name} is Failed")
        time.sleep(0.02)


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98]
