"""Compute's promise: processes that outlive the server, bounded, logged line by line, and whose end is never missed.

Guaranteed by every adapter (tests/contract/test_compute.py):

- `start` is idempotent by name: called again with the same name, also by another server process after a crash, it
  starts nothing twice.
- A started process goes on when the server is killed; the next server finds it by name with `poll`.
- The end is recorded durably with exit code or signal; a process that vanished without a record is reported as such,
  with a reason.
- stdout and stderr go line by line, time-stamped, into `spec.log` (kit/log_lines.py), from the first line on.
- Limits hold for the whole process tree; running out of memory is told apart from other deaths (`out_of_memory`).
- `reserve` is durable and first come first served; what is reserved never exceeds the machine.
- `terminate` sends SIGTERM and, `grace` seconds later, SIGKILL to the whole process group, even if the server dies in
  between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ProcessSpec:
    """What to run. Exactly one of `entry` ("module:function", called without arguments) and `argv`.

    `folder` is the process's own (created if missing, its working directory); `cpus` and `memory_bytes` bound the whole
    tree. `preload` are the modules that the warm parent should have loaded for an `entry`; without any the process
    starts cold, and small. `environment` is added to the server's own, from which AWS_* and TOBO_* are taken out: a
    process sees no key that it was not given. `network` False cuts it off from every network; where the system cannot,
    its log says so in the first line, and it runs all the same.
    """

    name: str
    folder: Path
    log: Path
    entry: str | None = None
    argv: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    cpus: float | None = None
    memory_bytes: int | None = None
    preload: tuple[str, ...] = ()
    network: bool = True


@dataclass(frozen=True)
class Running:
    """Alive (or about to be: the warm parent is still loading). `pid` is the process's own number once it has one."""

    pid: int
    started: float


@dataclass(frozen=True)
class Exited:
    """Over. Exactly one of `code` and `signal` is set, or neither where the process vanished without a record."""

    at: float
    code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False
    reason: str = ""
    """One sentence for people, "" where code 0 says everything."""


class Compute(Protocol):
    """See the module's docstring for what is guaranteed. Methods may block for milliseconds (`forget` until the process
    is dead); call them off the event loop."""

    def start(self, spec: ProcessSpec) -> None: ...
    def poll(self, name: str) -> Running | Exited | None:
        """None: no process of that name was ever started (or it was forgotten)."""
        ...

    def terminate(self, name: str, grace: float = 120.0) -> None:
        """No error where the process is over already."""
        ...

    def forget(self, name: str) -> None:
        """Removes the record of a process that is over; kills one that is not. Releases what it reserved."""
        ...

    def reserve(self, name: str, cpus: float, memory_bytes: int) -> bool:
        """True when that much of the machine is held for `name`, now or since an earlier call; False: ask again later.

        Kept over restarts until `release` or `forget`. A request larger than the machine counts as the whole machine.
        Who was refused first is granted first, as long as it asks again at least every 30 s.
        """
        ...

    def release(self, name: str) -> None:
        """Gives back what `reserve` holds for `name`, or its place in the queue; no error where there is none."""
        ...

    def close(self) -> None:
        """Lets go of helpers; running processes go on."""
        ...
