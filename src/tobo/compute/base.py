"""Compute's promise: processes that outlive the server, bounded, logged line by line, and whose end is never missed.

Guaranteed by every adapter (tests/contract/test_compute.py):

- `start` is idempotent by name: called again with the same name, also by another server process after a crash, it
  starts nothing twice.
- A started process goes on when the server is killed; the next server finds it by name with `poll`.
- The end is recorded durably with exit code or signal; a process that vanished without a record is reported as such,
  with a reason.
- stdout and stderr go line by line, time-stamped, into `spec.log` (kit/log_lines.py), from the first line on.
- Limits hold for the whole process tree; running out of memory is told apart from other deaths (`out_of_memory`).
- `usage` counts the whole process tree, also what of it is over.
- `reserve` is durable and first come first served; what is reserved never exceeds the machine.
- `terminate` sends SIGTERM and, `grace` seconds later, SIGKILL to the whole process group, even if the server dies in
  between.
- Where `sandboxes` is True, a process with a `sandbox` sees the system and tobo's own environment read-only, a /tmp,
  /proc and /dev of its own, its binds, and nothing else of the machine: no home, no other process, no other job, no
  state of the server. Where it is False the process runs all the same, and the first line of its log says what
  protection is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Bind:
    """A file or folder of the machine, seen at `target` (absolute) in a sandbox. `source` exists when the process starts."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class Sandbox:
    """A view of the machine of one's own. Later binds lie over earlier ones; what none of them covers cannot be written.

    `root` stands in for the system where it is given: a folder with a whole system's files, as of a container image,
    seen at / and not written to.
    """

    binds: tuple[Bind, ...] = ()
    root: Path | None = None
    workdir: str | None = None
    """Where the program starts; None: what the binds make of the spec's folder, else /tmp."""
    memory: tuple[str, ...] = ()
    """Folders of its own in memory, over the binds: what is written there reaches no disk, and goes with the process."""

    def inside(self, path: Path) -> str | None:
        """Where a path of the machine is seen in the sandbox; None where it is not among the binds."""
        for bind in reversed(self.binds):
            if path == bind.source or bind.source in path.parents:
                below = path.relative_to(bind.source).parts
                return "/".join((bind.target.rstrip("/"), *below)) or "/"
        return None


@dataclass(frozen=True)
class ProcessSpec:
    """What to run: `entry` ("module:function", called without arguments) or `argv`.

    `folder` is the process's own (created if missing, its working directory); `cpus` and `memory_bytes` bound the whole
    tree. `preload` are the modules that the warm parent should have loaded for an `entry`; without any the process
    starts cold, and small. `environment` is added to the server's own, from which AWS_* and TOBO_* are taken out: a
    process sees no key that it was not given. `network` False cuts it off from every network; where the system cannot,
    its log says so in the first line, and it runs all the same.

    With both, the entry, which is the house's own, runs outside of the sandbox and starts the program itself: it finds
    TOBO_PROGRAM (see tobo.inference.bridge) and of the `environment` what begins with TOBO_; the rest is the program's.
    Without `network` both share one in which there is nobody else.

    In a `sandbox` an `entry` starts cold, `environment` names paths as they are inside, and of the server's own there
    is next to nothing. `processes` bounds processes and threads of the tree (None: 4,096 in a sandbox, elsewhere as many
    as the system has); `disk_bytes` what lies in `folder`, the log and the writable binds together: a longer single file
    cannot be written, and who has more in all is killed with the reason.
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
    sandbox: Sandbox | None = None
    processes: int | None = None
    disk_bytes: int | None = None


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


@dataclass(frozen=True)
class Usage:
    """What a process tree uses: processor time since its start, memory now; `memory_limit` is its spec's memory_bytes."""

    cpu_seconds: float
    memory_bytes: int
    memory_limit: int | None = None


class Compute(Protocol):
    """See the module's docstring for what is guaranteed. Methods may block for milliseconds (`forget` until the process
    is dead); call them off the event loop."""

    @property
    def sandboxes(self) -> bool:
        """Whether a `sandbox` is in force here, found by trying one; may block for some 50 ms at the first look."""
        ...

    def start(self, spec: ProcessSpec) -> None: ...
    def poll(self, name: str) -> Running | Exited | None:
        """None: no process of that name was ever started (or it was forgotten)."""
        ...

    def usage(self, name: str) -> Usage | None:
        """None: it does not run, or the system does not say."""
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
