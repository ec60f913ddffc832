"""Processes that belong together by a mark in their environment: their CPU time and memory, as Linux counts them."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

MARK = "TOBO_BENCH_TREE"
"""Environment variable that a measured process and all that it starts have in common."""

_SCHEDULED = 2
"""Linux's posix-timers.h: clock id `~pid << 3 | 2` counts the time for which the process was scheduled."""


def marked(mark: str) -> list[int]:
    """Ids of the living processes with this mark; jobs and replicas keep it though they are in sessions of their own."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of the processes, to the nanosecond: the ticks in /proc miss what sleeps before the next one."""
    return sum(time.clock_gettime(~pid << 3 | _SCHEDULED) for pid in pids)


def memory_mib(pids: Iterable[int]) -> tuple[float, float]:
    """(resident, proportional) set size in MiB: the second shares what is shared."""
    resident = proportional = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "Rss":
                resident += int(value.split()[0])
            elif name == "Pss":
                proportional += int(value.split()[0])
    return resident / 1024, proportional / 1024


@dataclass(frozen=True)
class Measured:
    """Processes, and what makes them work: `deed` gets the number of the turn."""

    pids: list[int]
    deed: Callable[[int], object]


def cpu_ms_each(contestants: Mapping[str, Measured], times: int, rounds: int = 5) -> dict[str, float]:
    """CPU milliseconds of each one's processes for one deed.

    They take turns and the best round counts: a busy machine only adds, and its drift meets all of them.
    """
    best = dict.fromkeys(contestants, math.inf)
    for turn in range(rounds):
        for name, measured in contestants.items():
            before = cpu_seconds(measured.pids)
            for number in range(turn * times, (turn + 1) * times):
                measured.deed(number)
            best[name] = min(best[name], (cpu_seconds(measured.pids) - before) * 1000 / times)
    return best
