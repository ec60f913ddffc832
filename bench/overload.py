"""Five times more requests than an instance can answer: what the accepted ones wait, beside the bound of the queue."""

import asyncio
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.endpoints import ECHO, first_answer, invocation, prepare
from bench.rows import Row
from bench.servers import tobo

BODY = b"x" * 1000
SECONDS = 0.02
"""What the model takes for each request, one after the other, and no processor: its capacity is 50 a second."""

QUEUE_SECONDS = 0.5
TIMES_CAPACITY = 5
ALONE, LOADED_SECONDS = 200, 6.0
WARMING_SECONDS = 2.0
"""Until the endpoint was looked at and its instance is given no more than it takes."""


class Seen(NamedTuple):
    """One request: when it was sent, seconds to its answer, its status, and whether it was told when to come again."""

    at: float
    seconds: float
    status: int
    retry_after: bool


def run() -> list[Row]:
    with tobo(TOBO_QUEUE_SECONDS=str(QUEUE_SECONDS)) as server:
        prepare(server, "slow", {"labels.json": b"[]"}, ECHO, {"ECHO_SECONDS": str(SECONDS)})
        first_answer(server, "slow", BODY)
        request = invocation(server, "slow", BODY)
        alone, loaded = asyncio.run(_measure(server.endpoint, request))
    accepted = [seen.seconds for seen in loaded if seen.status == 200]
    refused = [seen for seen in loaded if seen.status in (429, 503) and seen.retry_after]
    if len(accepted) + len(refused) < len(loaded):
        raise RuntimeError("a request was neither answered nor refused with a Retry-After")
    unloaded = _p99([seen.seconds for seen in alone])
    bound = 2 * unloaded + QUEUE_SECONDS
    what = f"{TIMES_CAPACITY} x capacity"
    note = f"unloaded p99 {unloaded * 1000:.1f} ms, {len(refused)} of {len(loaded)} refused"
    return [
        Row(
            f"p99 of accepted requests at {what}",
            _p99(accepted) * 1000,
            "ms",
            "2 x unloaded p99 + queue's bound",
            bound * 1000,
            aim_ratio=1.0,
            note=note,
        ),
        Row(
            f"answers at {what}",
            len(accepted) / LOADED_SECONDS,
            "/s",
            "capacity",
            1 / SECONDS,
            aim_ratio=0.9,
            at_least=True,
        ),
    ]


async def _measure(endpoint: str, request: bytes) -> tuple[list[Seen], list[Seen]]:
    """One after the other, and then at a steady rate whatever the answers do."""
    clients = _Clients(endpoint, request)
    alone = [await clients.ask() for _ in range(ALONE)]
    pace = SECONDS / TIMES_CAPACITY
    begin = time.perf_counter()
    asked = []
    for number in range(int((WARMING_SECONDS + LOADED_SECONDS) / pace)):
        await asyncio.sleep(begin + number * pace - time.perf_counter())
        asked.append(asyncio.create_task(clients.ask()))
    seen = await asyncio.gather(*asked)
    clients.close()
    return alone, [one for one in seen if one.at >= begin + WARMING_SECONDS]


class _Clients:
    """As many connections as there are requests under way."""

    def __init__(self, endpoint: str, request: bytes) -> None:
        self._endpoint = urlsplit(endpoint)
        self._request = request
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self) -> Seen:
        begin = time.perf_counter()
        connection = self._idle.pop() if self._idle else await self._connect()
        reader, writer = connection
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        self._idle.append(connection)
        return Seen(begin, time.perf_counter() - begin, int(head[9:12]), b"\r\nretry-after:" in head)

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._endpoint.hostname, self._endpoint.port)


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]
