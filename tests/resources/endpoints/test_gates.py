"""The queue before a variant's instances: order, bounds, refusals; and what a caller over HTTP gets of them."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.named import asker, make_endpoint, make_named_model, named_variant
from tests.support.processes import until
from tests.support.unique import unique

from tobo.kit.clock import SystemClock
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.resources.endpoints.gates import Gate, fit_gates
from tobo.resources.endpoints.traffic import Traffic
from tobo.settings import Settings


def gate(room: int, length: int = 10, seconds: float = 10.0) -> Gate:
    made = Gate()
    made.fit(room, length, seconds)
    return made


async def started(*waits: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.sleep(0)
    return tasks


def test_first_come_first_served() -> None:
    async def main() -> None:
        one = gate(2)
        assert one.enter() and one.enter() and not one.enter()
        order: list[int] = []

        async def wait(number: int) -> None:
            await one.wait()
            order.append(number)

        tasks = await started(*(wait(number) for number in range(3)))
        assert one.waiting == 3
        one.leave()
        await asyncio.sleep(0.01)
        assert order == [0] and not one.enter()
        one.leave()
        one.leave()
        await asyncio.gather(*tasks)
        assert order == [0, 1, 2] and one.waiting == 0
        for _ in range(2):
            one.leave()
        assert one.enter() and one.enter() and not one.enter()

    asyncio.run(main())


def test_a_full_queue_and_a_long_wait_are_refused() -> None:
    async def main() -> None:
        one = gate(1, length=1, seconds=0.05)
        assert one.enter()
        [first] = await started(one.wait())
        with pytest.raises(Fault) as full:
            await one.wait()
        assert (full.value.code, full.value.status, full.value.retry_after) == ("ThrottlingException", 429, 1)
        with pytest.raises(Fault) as late:
            await first
        assert (late.value.code, late.value.status, late.value.retry_after) == ("ServiceUnavailable", 503, 1)
        one.leave()
        assert one.waiting == 0 and one.enter()

    asyncio.run(main())


def test_who_gives_up_takes_no_place() -> None:
    async def main() -> None:
        one = gate(1)
        assert one.enter()
        waiting, let_in, last = await started(one.wait(), one.wait(), one.wait())
        waiting.cancel()
        one.leave()  # lets the second in, which is cancelled before it notices
        let_in.cancel()
        await asyncio.gather(waiting, let_in, return_exceptions=True)
        await asyncio.wait_for(last, 1)
        assert not one.enter()
        one.leave()
        assert one.enter()

    asyncio.run(main())


def test_room_that_came_between_asking_and_waiting() -> None:
    async def main() -> None:
        one = gate(0)
        assert not one.enter()
        one.fit(1, 10, 10.0)
        await asyncio.wait_for(one.wait(), 5)
        assert not one.enter()

    asyncio.run(main())


def test_instances_that_are_added_take_who_waits() -> None:
    async def main() -> None:
        one = gate(0)
        assert one.asleep and not one.enter()
        tasks = await started(one.wait(), one.wait(), one.wait())
        threading.Thread(target=one.fit, args=(2, 10, 10.0)).start()
        await asyncio.wait_for(asyncio.gather(*tasks[:2]), 5)
        assert not tasks[2].done() and not one.asleep
        one.fit(3, 10, 10.0)
        await asyncio.wait_for(tasks[2], 5)

    asyncio.run(main())


def fleet(*variants: tuple[str, int, int]) -> dict[str, Any]:
    """Of (name, instances, ready instances)."""
    return {
        "variants": [
            {"VariantName": name, "InstanceCount": count, "Shadow": False, "Image": "image-classification:1"}
            for name, count, _ in variants
        ],
        "replicas": [
            {"variant": name, "ready": number < ready} for name, count, ready in variants for number in range(count)
        ],
    }


@pytest.mark.parametrize(
    ("fleets", "quickest", "room"),
    [
        ([fleet(("a", 1, 1))], 20_000.0, 2),  # a slow model: one at work, one ahead
        ([fleet(("a", 3, 3))], 20_000.0, 6),
        ([fleet(("a", 3, 2))], 20_000.0, 4),
        ([fleet(("a", 3, 0))], 20_000.0, 2),  # all being replaced: somebody must find out when one is back
        ([fleet(("a", 0, 0))], 20_000.0, 0),
        ([fleet(("a", 1, 1)), fleet(("a", 2, 2))], 20_000.0, 6),  # traffic moves from one fleet to another
        ([fleet(("a", 1, 1))], 200.0, 8),
        ([fleet(("a", 1, 1))], 1_250.0, 4),
        ([fleet(("a", 1, 1))], None, 8),
        ([fleet(("b", 1, 1))], 20_000.0, 1000),  # the variant is gone: who waited for it goes on
    ],
)
def test_what_the_instances_take(tmp_path: Path, fleets: Any, quickest: float | None, room: int) -> None:
    nothing = cast(Any, None)
    context = Context(Settings(tmp_path), SystemClock(), nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    traffic = {"a": Traffic()}
    if quickest is not None:
        traffic["a"].add(200, quickest)
    gates = {"a": gate(0)}
    a = gates["a"]
    fit_gates(context, gates, fleets, traffic)
    assert sum(a.enter() for _ in range(1000)) == room
    assert set(gates) == {variant["VariantName"] for variant in fleets[0]["variants"]}


@pytest.fixture
def narrow(fresh_server: Callable[..., Server]) -> Server:
    return fresh_server(TOBO_QUEUE_LENGTH="2", TOBO_QUEUE_SECONDS="0.6")


def test_load_above_capacity_is_queued_and_refused(narrow: Server) -> None:
    """One instance works on a request and has the next one; two wait, of which one is served in time."""
    busy = unique("busy")
    make_named_model(narrow, busy)
    make_endpoint(narrow, busy, named_variant(busy))
    ask = asker(narrow, busy)
    ask("sleep 0.1 to tell that it is slow")

    def one(number: int) -> Any:
        try:
            return ask(f"sleep 0.4 {number}")
        except ClientError as error:
            headers = error.response["ResponseMetadata"]["HTTPHeaders"]
            return error.response["Error"]["Code"], headers["retry-after"]

    def told_apart() -> bool:
        with ThreadPoolExecutor(10) as clients:
            answers = list(clients.map(one, range(10)))
        counts = [answers.count(of) for of in (busy, ("ServiceUnavailable", "1"), ("ThrottlingException", "1"))]
        return sum(counts) == 10 and counts[0] in (2, 3) and counts[1] >= 1 and counts[2] >= 5

    until(told_apart, 60)  # not the first time: an instance is given more until the endpoint was looked at
    assert ask("sleep 0 afterwards") == busy
