"""Outputs in groups: what is put together, what outlives a killed server, and what goes wrong."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tobo.resources.transform_jobs.assembling import Output
from tobo.resources.transform_jobs.writing import Writer
from tobo.wire.body import SPOOL_LIMIT, Body

Puts = list[dict[str, bytes]]


def output(folder: Path, data: bytes) -> Output:
    made = Output(folder, lines=False)
    made.add(data)
    return made


def keeping(puts: Puts) -> Callable[[Sequence[tuple[str, Body]]], None]:
    """A store that keeps each group."""
    return lambda outputs: puts.append({relative: body.read() for relative, body in outputs})


def write(writer: Writer, folder: Path, outputs: dict[str, bytes]) -> None:
    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(writer.write())
            for relative, data in outputs.items():
                await writer.add(relative, output(folder, data))
            writer.finish()

    try:
        asyncio.run(all_of_them())
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("outputs", "sizes"),
    [
        ({}, []),
        ({"one": b"1"}, [1]),
        ({str(number): b"%d" % number for number in range(200)}, [8, 64, 64, 64]),
        ({str(number): bytes(300_000) for number in range(9)}, [1, 4, 4]),
        ({"small": b"1", "large": bytes(SPOOL_LIMIT + 1), "after": b"2"}, [1, 2]),
        ({"empty": b"", "with\0zero": b"x", "ü/ß": b"y"}, [3]),
    ],
)
def test_groups(tmp_path: Path, outputs: dict[str, bytes], sizes: list[int]) -> None:
    """Closed by their number or their bytes; nothing lies about afterwards."""
    puts: Puts = []
    write(Writer(tmp_path, keeping(puts)), tmp_path, outputs)
    assert {relative: data for group in puts for relative, data in group.items()} == outputs
    assert sorted(len(group) for group in puts) == sizes
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_much_is_written_all_the_same(tmp_path: Path) -> None:
    """A single output does not wait for others for ever."""
    puts: Puts = []
    writer = Writer(tmp_path, keeping(puts))

    async def add_one() -> None:
        writing = asyncio.create_task(writer.write())
        await writer.add("a", output(tmp_path, b"1"))
        while not puts:
            await asyncio.sleep(0.01)
        await writer.add("b", output(tmp_path, b"2"))
        writer.finish()
        await writing

    asyncio.run(add_one())
    writer.close()
    assert puts == [{"a": b"1"}, {"b": b"2"}]


def test_who_is_faster_than_the_disk_waits(tmp_path: Path) -> None:
    """Four groups on their way and one that is full: no more is taken."""
    slow = threading.Event()
    puts: Puts = []

    def put(outputs: Sequence[tuple[str, Body]]) -> None:
        slow.wait()
        keeping(puts)(outputs)

    writer = Writer(tmp_path, put)
    added: list[int] = []

    async def add() -> None:
        for number in range(400):
            await writer.add(str(number), output(tmp_path, b"x"))
            added.append(number)
        writer.finish()

    async def both() -> None:
        writing = asyncio.gather(writer.write(), add())
        await asyncio.wait([writing], timeout=0.5)
        assert len(added) == 5 * 64
        slow.set()
        await writing

    asyncio.run(both())
    writer.close()
    assert sum(len(group) for group in puts) == 400


KILLED = """
import asyncio, os, sys
from pathlib import Path
from tobo.resources.transform_jobs.assembling import Output
from tobo.resources.transform_jobs.writing import Writer

folder = Path(sys.argv[1])
writer = Writer(folder, lambda outputs: os._exit(9))

async def score():
    async with asyncio.TaskGroup() as group:
        group.create_task(writer.write())
        for number in range(70):
            output = Output(folder, False)
            output.add(b"%d" % number)
            await writer.add(f"{number}", output)
        await asyncio.sleep(60)

asyncio.run(score())
"""


def test_the_next_server_writes_what_a_killed_one_had(tmp_path: Path) -> None:
    """Killed while it writes one group and gathers the next."""
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False).returncode == 9
    puts: Puts = []
    writer = Writer(tmp_path, keeping(puts))
    writer.recover()
    found = {relative: data for group in puts for relative, data in group.items()}
    assert found == {str(number): b"%d" % number for number in range(len(found))} and len(found) >= 64
    assert list(tmp_path.iterdir()) == []
    write(writer, tmp_path, {"later": b"1"})
    assert puts[-1] == {"later": b"1"}


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
""" + KILLED.replace('b"%d" % number', 'b"%d" % number * 100')


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    """As a file size limit looks like it; what stood in the journal before is found."""
    ran = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], check=False, capture_output=True, text=True)
    assert "InsufficientStorage" in ran.stderr and ran.returncode == 1
    puts: Puts = []
    writer = Writer(tmp_path, keeping(puts))
    writer.recover()
    assert puts == [{str(number): b"%d" % number * 100 for number in range(len(puts[0]))}] and len(puts[0]) >= 5
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "left"),
    [
        (lambda data: data[:-1], 2),
        (lambda data: data[: len(data) // 2], 1),
        (lambda data: data + bytes(64), 3),
        (lambda data: data[:-1] + b"!", 2),
        (lambda data: data + b"\xff" * 64, 0),
        (lambda data: bytes(len(data)), 0),
        (lambda data: b"", 0),
    ],
)
def test_of_a_torn_journal_only_whole_outputs_count(
    tmp_path: Path, damage: Callable[[bytes], bytes], left: int
) -> None:
    def broken(_: Sequence[tuple[str, Body]]) -> None:
        raise OSError("the disk is broken")

    with pytest.raises(BaseExceptionGroup) as caught:
        write(Writer(tmp_path, broken), tmp_path, {"a": b"1234", "b": b"1234", "c": b"1234"})
    assert caught.group_contains(OSError, match="broken")
    [journal] = tmp_path.iterdir()
    journal.write_bytes(damage(journal.read_bytes()))
    puts: Puts = []
    writer = Writer(tmp_path, keeping(puts))
    writer.recover()
    writer.close()
    assert puts == ([dict.fromkeys("abc"[:left], b"1234")] if left else [])
    assert list(tmp_path.iterdir()) == []


def test_what_is_given_up_stays_in_the_journal(tmp_path: Path) -> None:
    puts: Puts = []
    writer = Writer(tmp_path, keeping(puts))

    async def stopped() -> None:
        writing = asyncio.create_task(writer.write())
        await writer.add("a", output(tmp_path, b"1"))
        await writer.add("large", output(tmp_path, bytes(SPOOL_LIMIT + 1)))
        await writer.add("b", output(tmp_path, b"2"))
        writing.cancel()
        await asyncio.wait([writing])

    asyncio.run(stopped())
    writer.close()
    writer.recover()
    found = {relative: data for group in puts for relative, data in group.items()}
    assert found["a"] == b"1" and found["b"] == b"2"
    assert list(tmp_path.iterdir()) == []
