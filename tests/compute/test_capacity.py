"""Reservations: what the machine holds, who waits, and what a restart remembers."""

from pathlib import Path

import pytest

from tobo.compute import capacity
from tobo.compute.base import ProcessSpec
from tobo.compute.processes import ProcessCompute

GIB = 1 << 30


def machine(tmp_path: Path, cpus: float = 4.0, memory_bytes: int = 8 * GIB) -> ProcessCompute:
    return ProcessCompute(tmp_path / "state", cpus=cpus, memory_bytes=memory_bytes)


@pytest.mark.parametrize(
    ("requests", "granted"),
    [
        ([("a", 2, 1), ("b", 2, 1)], [True, True]),
        ([("a", 2, 1), ("b", 3, 1)], [True, False]),
        ([("a", 1, 5), ("b", 1, 4)], [True, False]),
        ([("a", 3, 1), ("a", 3, 1)], [True, True]),
        ([("a", 96, 768)], [True]),
        ([("a", 96, 768), ("b", 1, 1)], [True, False]),
        ([("a", 3, 1), ("large", 4, 1), ("small", 1, 1)], [True, False, False]),
        ([("a", 0.1, 1)] + [(f"{n}", 0.3, 1) for n in range(13)], [True] * 8 + [False] * 6),
    ],
)
def test_reserve(tmp_path: Path, requests: list[tuple[str, float, int]], granted: list[bool]) -> None:
    compute = machine(tmp_path)
    assert [compute.reserve(name, cpus, gib * GIB) for name, cpus, gib in requests] == granted
    compute.close()


def test_who_waited_first_is_first(tmp_path: Path) -> None:
    compute = machine(tmp_path)
    assert compute.reserve("running", 3, GIB)
    assert not compute.reserve("large", 4, GIB)
    assert not compute.reserve("small", 1, GIB)
    compute.release("running")
    assert not compute.reserve("small", 1, GIB)
    assert compute.reserve("large", 4, GIB)
    compute.release("large")
    assert compute.reserve("small", 1, GIB)
    compute.close()


def test_who_stops_asking_loses_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = machine(tmp_path)
    assert compute.reserve("running", 3, GIB)
    assert not compute.reserve("large", 4, GIB)
    monkeypatch.setattr(capacity, "_PATIENCE", -1.0)
    assert compute.reserve("small", 1, GIB)
    compute.close()


def test_who_gives_up_frees_the_place(tmp_path: Path) -> None:
    compute = machine(tmp_path)
    assert compute.reserve("running", 3, GIB)
    assert not compute.reserve("large", 4, GIB)
    compute.release("large")
    assert compute.reserve("small", 1, GIB)
    compute.close()


def test_reservations_outlive_the_server(tmp_path: Path) -> None:
    first = machine(tmp_path)
    assert first.reserve("a", 3, GIB)
    first.close()
    second = machine(tmp_path)
    assert second.reserve("a", 3, GIB)
    assert not second.reserve("b", 2, GIB)
    second.release("a")
    second.close()
    third = machine(tmp_path)
    assert third.reserve("b", 2, GIB)
    third.close()


def test_forget_releases(tmp_path: Path) -> None:
    compute = machine(tmp_path)
    assert compute.reserve("a", 4, GIB)
    compute.start(ProcessSpec("a", tmp_path / "work", tmp_path / "log", argv=("sleep", "60")))
    compute.forget("a")
    assert compute.reserve("b", 4, GIB)
    compute.close()


def test_the_machine_is_measured_where_no_size_is_given(tmp_path: Path) -> None:
    compute = ProcessCompute(tmp_path / "state")
    assert compute.reserve("all", 1e6, 1 << 60)
    assert not compute.reserve("more", 0.1, 1)
    compute.close()
