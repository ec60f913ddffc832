"""Bounds of a process tree: cgroup v2, cgroup v1, or a watch over memory, processors and processes, whichever is there.

The cgroup files are those of the kernel's Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst and pids.rst. The watch
samples four times a second, so a tree may overshoot its memory for that long; only a cgroup holds it to the byte.
"""

import contextlib
import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple, Protocol

from tobo.kit import process

KINDS = ("auto", "cgroup2", "cgroup1", "watch")
_MIB = 1 << 20
_PERIOD = 100_000
"""Microseconds over which a CPU quota is counted (the kernel's default)."""
_ROOT = Path("/sys/fs/cgroup")


class Breach(NamedTuple):
    """A bound was broken: the sentence for people, and whether it was memory's."""

    sentence: str
    out_of_memory: bool = False


class Bounds(Protocol):
    """The bounds of one tree: `groups` are the cgroup folders to remove after its end, `interval` the seconds between
    two questions whether they are `exceeded`."""

    groups: list[str]
    interval: float

    def enter(self) -> None:
        """Puts the calling process, and so what it will start, inside. Raises OSError where that is refused."""
        ...

    def exceeded(self) -> Breach | None:
        """The breach; None while there is none. A group lets no process more begin, which breaks nothing."""
        ...


def group_name(job: str) -> str:
    """The name of a group that the calling process answers for: it says who, so that what a dead one left can go."""
    return f"tobo-{os.getpid()}-{job}"


def bounds(kind: str, name: str, cpus: float | None, memory_bytes: int | None, processes: int | None = None) -> Bounds:
    """The strongest bounds of this machine (`auto`), or those of one kind; raises OSError where it lacks that."""
    if cpus is None and memory_bytes is None and processes is None:
        return Watch(name, None, None, None)
    for version in (2, 1):
        if kind not in ("auto", f"cgroup{version}"):
            continue
        try:
            return Cgroup(version, name, cpus, memory_bytes, processes)
        except OSError:
            if kind != "auto":
                raise
    return Watch(name, cpus, memory_bytes, processes)


def remove_groups(groups: list[str], patience: float = 2.0) -> None:
    """Kills what is left in cgroup folders and removes them; waits up to `patience` seconds for what dies in them."""
    deadline = time.monotonic() + patience
    for group in map(Path, groups):
        while group.exists():
            for member in _read(group / "cgroup.procs").split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(member), signal.SIGKILL)
            try:
                group.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.01)


def _tidy(parent: Path) -> None:
    """Removes the empty groups of owners that were killed, and whose records were removed before a server could look."""
    for group in parent.glob("tobo-*-*"):
        owner = group.name.split("-")[1]
        if owner.isdigit() and not process.birth(int(owner)):
            with contextlib.suppress(OSError):  # there is something in it yet
                group.rmdir()


class Cgroup:
    """A memory group, and groups for cpu and pids where those controllers can be had (else as in `Watch`)."""

    def __init__(
        self, version: int, name: str, cpus: float | None, memory_bytes: int | None, processes: int | None
    ) -> None:
        self.name, self.cpus, self.memory_bytes = name, cpus, memory_bytes
        self._uncounted = processes
        self.groups: list[str] = []
        self._version = version
        self._memory: Path | None = None
        self._quota = False
        try:
            if memory_bytes is not None:
                self._memory = self._make("memory")
                self._bound_memory(self._memory, memory_bytes)
            if cpus is not None:
                with contextlib.suppress(OSError):
                    shared = self._memory if version == 2 else None  # there, a process is in one group only
                    self._bound_cpus(shared or self._make("cpu"), cpus)
                    self._quota = True
            if processes is not None:
                with contextlib.suppress(OSError):
                    shared = self._memory if version == 2 else None
                    ((shared or self._make("pids")) / "pids.max").write_text(str(processes))
                    self._uncounted = None
        except OSError:
            remove_groups(self.groups)
            raise
        self.interval = 1.0 if self._uncounted is None else 0.25

    def enter(self) -> None:
        for group in self.groups:
            (Path(group) / "cgroup.procs").write_text(str(os.getpid()))
        if self.cpus is not None and not self._quota:
            narrow_processors(self.name, self.cpus)

    def exceeded(self) -> Breach | None:
        if self._memory is not None and self.memory_bytes is not None and self._oom_kills(self._memory):
            return _out_of_memory(self._peak(self._memory), self.memory_bytes)
        return None if self._uncounted is None else _too_many(process.descendants(os.getpid()), self._uncounted)

    def _make(self, controller: str) -> Path:
        """The group's folder for one controller, made if it is not there; raises OSError where no place is found."""
        for parent in _parents(self._version, controller):
            group = parent / self.name
            try:
                group.mkdir(exist_ok=True)
            except OSError:
                continue
            if str(group) not in self.groups:
                self.groups.append(str(group))
                _tidy(parent)
            return group
        raise OSError(f"no cgroup v{self._version} folder in which a {controller} group can be made")

    def _bound_memory(self, group: Path, memory_bytes: int) -> None:
        if self._version == 2:
            (group / "memory.max").write_text(str(memory_bytes))
            with contextlib.suppress(OSError):  # absent without swap accounting
                (group / "memory.swap.max").write_text("0")
            (group / "memory.oom.group").write_text("1")
            return
        (group / "memory.limit_in_bytes").write_text(str(memory_bytes))
        with contextlib.suppress(OSError):
            (group / "memory.memsw.limit_in_bytes").write_text(str(memory_bytes))

    def _bound_cpus(self, group: Path, cpus: float) -> None:
        quota = max(1000, round(cpus * _PERIOD))
        if self._version == 2:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
            return
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(quota))

    def _oom_kills(self, group: Path) -> int:
        text = (group / ("memory.events" if self._version == 2 else "memory.oom_control")).read_text()
        return int(dict(line.split() for line in text.splitlines()).get("oom_kill", "0"))

    def _peak(self, group: Path) -> int:
        try:
            return int((group / ("memory.peak" if self._version == 2 else "memory.max_usage_in_bytes")).read_text())
        except OSError:  # memory.peak is younger than cgroup v2
            return self.memory_bytes or 0


class Watch:
    """Without cgroups: memory and processes are counted over the tree of the calling process, processors are narrowed."""

    def __init__(self, name: str, cpus: float | None, memory_bytes: int | None, processes: int | None) -> None:
        self.name, self.cpus, self.memory_bytes, self.processes = name, cpus, memory_bytes, processes
        self.groups: list[str] = []
        counted = memory_bytes is not None or processes is not None
        self.interval = 0.25 if counted and sys.platform.startswith("linux") else 1.0

    def enter(self) -> None:
        if self.cpus is not None:
            narrow_processors(self.name, self.cpus)

    def exceeded(self) -> Breach | None:
        if self.memory_bytes is None and self.processes is None:
            return None
        tree = process.descendants(os.getpid())
        if self.processes is not None and (breach := _too_many(tree, self.processes)):
            return breach
        used = sum(row.resident for row in tree)
        if self.memory_bytes is None or used <= self.memory_bytes:
            return None
        # Pages shared with the warm parent count in every process: ask for the fair shares, which cost more to learn.
        shares = (process.proportional_bytes(row.pid) for row in tree)
        used = sum(row.resident if share is None else share for row, share in zip(tree, shares, strict=True))
        return _out_of_memory(used, self.memory_bytes) if used > self.memory_bytes else None


def narrow_processors(name: str, cpus: float) -> None:
    """Confines the calling process to as many processors as `cpus` rounds up to; which ones follows from `name`.

    Does nothing where the system has no such thing (macOS).
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    allowed = sorted(os.sched_getaffinity(0))
    count = max(1, math.ceil(cpus))
    if count < len(allowed):
        first = sum(name.encode()) % len(allowed)
        os.sched_setaffinity(0, {allowed[(first + step) % len(allowed)] for step in range(count)})


def machine_cpus() -> float:
    """Processors that this process may use: its affinity, within its cgroup's quota."""
    count = float(len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else float(os.cpu_count() or 1)
    for group in _own_groups(2, "cpu"):
        quota, _, period = _read(group / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit():
            count = min(count, int(quota) / int(period))
    for group in _own_groups(1, "cpu"):
        allowed, period = _read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")
        if allowed.isdigit() and period.isdigit():
            count = min(count, int(allowed) / int(period))
    return count


def machine_memory_bytes() -> int:
    """Memory of the machine, within this process's cgroup's limit."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for version, file in ((2, "memory.max"), (1, "memory.limit_in_bytes")):
        for group in _own_groups(version, "memory"):
            limit = _read(group / file)
            if limit.isdigit():
                total = min(total, int(limit))
    return total


def _out_of_memory(used: int, allowed: int) -> Breach:
    sentence = (
        f"Killed for memory: used {used / _MIB:.0f} of {allowed / _MIB:.0f} MiB; "
        "choose a larger instance type or a smaller mini_batch_size."
    )
    return Breach(sentence, out_of_memory=True)


def _too_many(tree: list[process.ProcessRow], allowed: int) -> Breach | None:
    if len(tree) <= allowed:
        return None
    return Breach(f"Killed for its number of processes: {len(tree)} where {allowed} are allowed; start fewer.")


def _parents(version: int, controller: str) -> list[Path]:
    """Folders in which a group of that controller might be made, the nearest first."""
    own = _own_groups(version, controller)
    if version == 1:
        return own
    # Version 2 lets only groups without processes of their own divide a controller, so the place is above us; and who
    # moves a process must be allowed to write where the old and the new place meet.
    return [
        group
        for group in own
        if controller in _read(group / "cgroup.subtree_control").split() and os.access(group / "cgroup.procs", os.W_OK)
    ]


def _own_groups(version: int, controller: str) -> list[Path]:
    """The calling process's group in one hierarchy and, for version 2, those above it up to the mount."""
    mount = _ROOT if version == 2 else _ROOT / controller
    if version == 2 and not (mount / "cgroup.controllers").exists():
        return []
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "" if version == 2 else controller in controllers.split(","):
            own = mount / path.lstrip("/")
            if not own.exists():  # a container sees its own group as the mount
                own = mount
            above = [folder for folder in own.parents if folder == mount or mount in folder.parents]
            return [own, *above] if version == 2 else [own]
    return []


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
