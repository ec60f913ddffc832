"""Answers that come as they are made: they end when the client hangs up, or takes nothing any more."""

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tobo.gateway import answers
from tobo.gateway.answers import send_answer
from tobo.gateway.bodies import ClientGone
from tobo.wire.response import Response


class Client:
    """An ASGI connection: takes `most` messages, then either hangs up or falls silent."""

    def __init__(self, most: int, hangs_up: bool) -> None:
        self.sent: list[bytes] = []
        self._most = most
        self._hangs_up = hangs_up
        self._gone = asyncio.Event()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if len(self.sent) == self._most:
            if not self._hangs_up:
                await asyncio.Event().wait()
            self._gone.set()
            return
        self.sent.append(message.get("body", b""))

    async def receive(self) -> MutableMapping[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}


def run(client: Client, pieces: int | None, ended: list[str]) -> int:
    """What send_answer gives; `ended` is told when the generator is closed. `pieces` None: without end."""

    async def body() -> AsyncGenerator[bytes, None]:
        try:
            number = 0
            while pieces is None or number < pieces:
                number += 1
                yield b"piece"
                await asyncio.sleep(0)
        finally:
            ended.append("closed")

    async def main() -> int:
        with ThreadPoolExecutor(1) as pool:
            return await asyncio.wait_for(send_answer(client.send, Response(200, [], body()), pool, client.receive), 20)

    return asyncio.run(main())


def test_all_of_it() -> None:
    client = Client(100, hangs_up=True)
    ended: list[str] = []
    assert run(client, 3, ended) == 15 and ended == ["closed"]
    assert client.sent == [b"", b"piece", b"piece", b"piece", b""]


def test_until_the_client_hangs_up() -> None:
    client = Client(4, hangs_up=True)
    ended: list[str] = []
    with pytest.raises(ClientGone):
        run(client, None, ended)
    assert len(client.sent) == 4 and ended == ["closed"]


def test_until_the_client_takes_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "PATIENCE", 0.1)
    client = Client(4, hangs_up=False)
    ended: list[str] = []
    with pytest.raises(ClientGone):
        run(client, None, ended)
    assert len(client.sent) == 4 and ended == ["closed"]
