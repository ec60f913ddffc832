"""Hosting's promise for answers in parts (src/tobo/hosting/base.py), against real replicas."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.test_hosting import GROUP, House

from tobo.hosting.base import Answer, Dead, Invocation, NoReplica, Ready, StreamBroken, Streamed
from tobo.kit import process

MODEL = """
import os, time
from tobo.inference.invocations import Response

def parts(words, folder):
    try:
        for word in words:
            if word == "die":
                os._exit(9)
            if word == "raise":
                raise RuntimeError("no more words")
            if word == "sleep":
                time.sleep(0.7)
            yield word.encode()
    finally:
        (folder.parent / "closed").touch()

def handler(folder):
    def answer(request):
        words = request.body.decode().split()
        if words[0] == "whole":
            return Response(200, request.body)
        if words[0] == "kill":
            os._exit(9)
        return Response(200, parts(words, folder), "text/words", str(os.getpid()))
    return answer
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    (tmp_path / "worded.py").write_text(MODEL)
    yield made
    made.end()


def start(house: House, count: int) -> None:
    for ordinal in range(count):
        house.hosting.start(house.spec(ordinal, TOBO_MODEL_SERVER="worded:handler"))
    for ordinal in range(count):
        house.until(ordinal, Ready)


async def read(house: House, words: str, timeout: float = 20.0) -> tuple[list[str], str]:
    """The parts, and how they ended."""
    answer = await house.hosting.stream(GROUP, Invocation(words.encode()), timeout)
    assert isinstance(answer, Streamed) and answer.content_type == "text/words"
    parts: list[str] = []
    try:
        async for part in answer.parts:
            parts += [part.decode()]
    except (StreamBroken, TimeoutError) as error:
        return parts, f"{type(error).__name__} {error}".strip()
    finally:
        await answer.parts.aclose()
    return parts, ""


@pytest.mark.parametrize(
    ("words", "parts", "end"),
    [
        ("a b c", ["a", "b", "c"], ""),
        ("a raise b", ["a"], "StreamBroken no more words"),
        ("a die b", ["a"], "StreamBroken The model's process died while it answered."),
        ("a sleep", ["a"], "TimeoutError"),
    ],
)
def test_parts_and_their_end(house: House, words: str, parts: list[str], end: str) -> None:
    start(house, 1)
    assert asyncio.run(read(house, words, timeout=0.4 if "sleep" in words else 20.0)) == (parts, end)


def test_a_whole_answer_and_an_error_before_the_first_part(house: House) -> None:
    start(house, 1)
    assert asyncio.run(house.hosting.stream(GROUP, Invocation(b"whole"))) == Answer(200, b"whole")
    refused = asyncio.run(house.hosting.stream(GROUP, Invocation(b"raise")))
    assert isinstance(refused, Answer) and (refused.status, refused.body) == (500, b"no more words")
    with pytest.raises(TimeoutError, match="did not answer within"):
        asyncio.run(house.hosting.stream(GROUP, Invocation(b"sleep"), 0.2))


def test_streams_are_spread_and_a_dead_replica_is_passed_over(house: House) -> None:
    start(house, 2)

    async def pids() -> list[str]:
        answers = [await house.hosting.stream(GROUP, Invocation(b"a b")) for _ in range(4)]
        for answer in answers:
            assert isinstance(answer, Streamed)
            await answer.parts.aclose()
        return [answer.custom_attributes for answer in answers if isinstance(answer, Streamed)]

    told = asyncio.run(pids())
    assert sorted(told) == sorted(2 * [str(house.pid(0)), str(house.pid(1))])
    os.kill(house.pid(0), signal.SIGKILL)
    assert set(asyncio.run(pids())) == {str(house.pid(1))}
    answer = asyncio.run(house.hosting.stream(GROUP, Invocation(b"whole")))
    assert isinstance(answer, Answer)


def test_closing_the_parts_ends_the_models_work(house: House) -> None:
    start(house, 1)

    async def leave() -> None:
        answer = await house.hosting.stream(GROUP, Invocation(b"word " * 400_000))
        assert isinstance(answer, Streamed)
        assert await anext(answer.parts) == b"word"
        await answer.parts.aclose()

    asyncio.run(leave())
    closed = house.root / "ml-0" / "closed"
    deadline = time.monotonic() + 20
    while not closed.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_request_that_kills_every_replica_it_meets(house: House) -> None:
    start(house, 1)
    with pytest.raises(NoReplica):
        asyncio.run(house.hosting.stream(GROUP, Invocation(b"kill")))
    assert isinstance(house.until(0, Dead), Dead)


def test_a_loop_that_ends_hangs_up(house: House) -> None:
    """Else the replica would wait for it when it is stopped."""
    start(house, 1)

    async def ask() -> None:
        await house.hosting.invoke(GROUP, Invocation(b"whole"))
        await house.hosting.hang_up()

    asyncio.run(ask())
    pid = house.pid(0)
    house.hosting.stop(house.name(0), grace=60.0)
    deadline = time.monotonic() + 20
    while process.birth(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
