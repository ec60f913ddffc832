"""A house in memory for what a device sends: it may be away, and it may lose its answers."""

import random
from collections.abc import Iterator
from typing import Any

from tobo.edge.cloud import Offline


class MemoryHome:
    """`objects` by address; `lossy` is the share of requests that are done and whose answer never arrives."""

    def __init__(self, lossy: float = 0.0, seed: int = 0) -> None:
        self.objects: dict[str, bytes] = {}
        self.online = True
        self.at = 1_700_000_000.0
        self.puts = 0
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self._lossy, self._random = lossy, random.Random(seed)

    def now(self) -> float:
        return self.at

    def ask(self, operation: str, **members: Any) -> dict[str, Any]:
        self._travel()
        self.asked.append((operation, members))
        return self.answers.get(operation, {})

    def fetch(self, uri: str, offset: int) -> Iterator[bytes]:
        self._travel()
        yield self.objects[uri][offset:]

    def put(self, uri: str, body: bytes, content_type: str) -> None:
        self._travel()
        assert self.objects.get(uri, body) == body, f"{uri} came again with other content"
        self.objects[uri] = body
        self.puts += 1
        if self._random.random() < self._lossy:
            raise Offline("The answer is lost.")

    def _travel(self) -> None:
        if not self.online:
            raise Offline("There is no network.")
