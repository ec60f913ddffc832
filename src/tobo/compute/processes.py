"""Processes of this machine, each under a shim that the warm parent forks or that starts cold. See base.py."""

import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tobo.compute import limits, records, sandbox
from tobo.compute.base import Exited, ProcessSpec, Running, Usage
from tobo.compute.capacity import Capacity
from tobo.compute.records import Record
from tobo.compute.warm import WarmParent
from tobo.kit import process

_PATIENCE = 60.0
"""Seconds after which a shim that has not claimed its process is asked for again."""
_ATTEMPTS = 4
"""How often a shim is asked for before the process is given up; the last time it is a cold one."""


class _Launch(NamedTuple):
    """A shim was asked for: of the warm parent of that generation, or the cold one of that number."""

    at: float
    attempt: int
    parent: int
    shim: int


class ProcessCompute:
    """Compute over child processes and a folder of records; one server at a time owns the folder.

    `cpus` and `memory_bytes` are the machine's size for `reserve`, by default what this process may use. `bounds` is
    one of limits.KINDS.
    """

    def __init__(
        self, folder: Path, cpus: float | None = None, memory_bytes: int | None = None, bounds: str = "auto"
    ) -> None:
        if bounds not in limits.KINDS:
            raise ValueError(f"bounds must be one of {', '.join(limits.KINDS)}, not {bounds!r}")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder.resolve()
        self._bounds = bounds
        self._lock = threading.Lock()
        self._launched: dict[Path, _Launch] = {}
        self._shims: set[int] = set()
        self._log = self._folder / "launcher.log"
        self._parent = WarmParent(self._log)
        self._capacity = Capacity(
            self._folder / "reservations", cpus or limits.machine_cpus(), memory_bytes or limits.machine_memory_bytes()
        )
        (self._folder / "processes").mkdir(exist_ok=True)
        self._own = self._folder / "sandbox"
        sandbox.write_own(self._own)
        for leftover in (self._folder / "processes").glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def warm(self, preload: Sequence[str]) -> None:
        """Starts the warm parent and has it load `preload`; returns at once."""
        self._parent.warm(preload)

    @property
    def warm_parent(self) -> int | None:
        """The warm parent's number; None while there is none."""
        return self._parent.pid

    @property
    def sandboxes(self) -> bool:
        return not isinstance(sandbox.find_wrapper(), str)

    def start(self, spec: ProcessSpec) -> None:
        if spec.entry is None and not spec.argv:
            raise ValueError(f"process {spec.name!r} needs an entry or an argv")
        folder = self._path(spec.name)
        if folder.exists():
            return
        new = folder.with_name(f".new-{folder.name}-{os.urandom(4).hex()}")
        new.mkdir()
        records.write(new / records.SPEC, self._record(spec, folder))
        try:
            new.rename(folder)
        except OSError:  # another thread was first: a folder is not renamed onto one that holds something
            shutil.rmtree(new, ignore_errors=True)
            if not folder.exists():
                raise
            return
        records.sync_folder(folder.parent)
        self._launch(folder)

    def poll(self, name: str) -> Running | Exited | None:
        self._reap()
        try:
            return self._poll(self._path(name))
        except FileNotFoundError:  # another thread forgot it in the middle of our look
            return None

    def _poll(self, folder: Path) -> Running | Exited | None:
        if (end := records.read(folder / records.EXIT)) is not None:
            return _exited(end)
        if (running := records.read(folder / records.RUNNING)) is not None:
            if process.alive(running["shim"], running["shim_birth"]):
                return Running(running.get("pid") or running["shim"], running["started"])
            return _exited(self._bury(folder, running))
        if (spec := records.read(folder / records.SPEC)) is None:
            return None
        self._launch(folder)
        return Running(self._parent.pid or 0, spec["asked"])

    def usage(self, name: str) -> Usage | None:
        folder = self._path(name)
        running, spec = records.read(folder / records.RUNNING), records.read(folder / records.SPEC)
        if running is None or spec is None or not process.alive(running["shim"], running["shim_birth"]):
            return None
        tree = process.descendants(running["shim"])
        seconds = [used for row in tree if (used := process.processor_seconds(row.pid)) is not None]
        memory = [process.proportional_bytes(row.pid) or row.resident for row in tree]
        return Usage(sum(seconds), sum(memory), spec["memory_bytes"]) if seconds else None

    def terminate(self, name: str, grace: float = 120.0) -> None:
        with contextlib.suppress(FileNotFoundError):  # another thread forgot it meanwhile
            self._terminate(self._path(name), grace)

    def _terminate(self, folder: Path, grace: float) -> None:
        if not folder.exists() or (folder / records.EXIT).exists():
            return
        self._ask_to_stop(folder, grace)
        if self._cancel(folder, None, "Stopped before it started."):
            return
        running = records.read(folder / records.RUNNING)
        if running is not None and process.alive(running["shim"], running["shim_birth"]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(running["shim"], signal.SIGTERM)

    def forget(self, name: str) -> None:
        folder = self._path(name)
        if folder.exists():
            self.terminate(name, grace=0.0)
            deadline = time.monotonic() + 10.0
            while isinstance(self.poll(name), Running) and time.monotonic() < deadline:
                time.sleep(0.005)
            gone = folder.with_name(f".gone-{folder.name}-{os.urandom(4).hex()}")
            with contextlib.suppress(FileNotFoundError):
                folder.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
            with self._lock:
                self._launched.pop(folder, None)
        self.release(name)

    def reserve(self, name: str, cpus: float, memory_bytes: int) -> bool:
        return self._capacity.reserve(name, cpus, memory_bytes)

    def release(self, name: str) -> None:
        self._capacity.release(name)

    def close(self) -> None:
        self._parent.close()
        self._reap()

    def _path(self, name: str) -> Path:
        return self._folder / "processes" / records.file_name(name)

    def _record(self, spec: ProcessSpec, folder: Path) -> Record:
        wrapper: list[str] = []
        warning = ""
        processes = spec.processes
        binds: dict[bool, list[Path]] = {True: [], False: []}
        if spec.sandbox is not None:
            for bind in spec.sandbox.binds:
                binds[bind.writable].append(bind.source)
            found = sandbox.find_wrapper()
            if isinstance(found, str):
                warning = sandbox.missing_protection(found, spec.network)
            else:
                wrapper = found.command(spec, self._own)
            processes = processes or sandbox.PROCESSES
        return {
            "name": spec.name,
            "folder": str(spec.folder.absolute()),
            "log": str(spec.log.absolute()),
            "entry": spec.entry,
            "argv": list(spec.argv),
            "environment": dict(spec.environment),
            "cpus": spec.cpus,
            "memory_bytes": spec.memory_bytes,
            "preload": list(spec.preload),
            "network": spec.network,
            "wrapper": wrapper,
            "warning": warning,
            "processes": processes,
            "disk_bytes": spec.disk_bytes,
            "disk_paths": [str(path.absolute()) for path in (spec.folder, spec.log, *binds[True])],
            "disk_others": [str(path.absolute()) for path in binds[False]],
            "limits": self._bounds,
            "group": records.file_name(str(folder))[-20:],
            "asked": time.time(),
        }

    def _launch(self, folder: Path) -> None:
        """Gets a shim for an unclaimed folder; again where the one asked for was lost. One of them claims it."""
        with self._lock:
            last = self._launched.get(folder)
            if last is not None and self._pending(last):
                return
            spec = records.read(folder / records.SPEC)
            if spec is None:
                return
            attempt = 1 if last is None else last.attempt + 1
            if attempt > _ATTEMPTS:
                self._cancel(folder, 127, f"No process could be started for it; see {self._log}.")
                return
            warm = bool(spec["entry"] and spec["preload"]) and attempt < _ATTEMPTS
            parent = self._parent.fork(folder, spec["preload"]) if warm else 0
            self._launched[folder] = _Launch(
                time.monotonic(), attempt, parent, 0 if parent else self._start_cold(folder)
            )

    def _pending(self, launch: _Launch) -> bool:
        """Whether its shim may still come. Called under the lock."""
        if time.monotonic() - launch.at > _PATIENCE:
            return False
        return launch.parent == self._parent.generation if launch.parent else launch.shim in self._shims

    def _start_cold(self, folder: Path) -> int:
        """A shim in an interpreter of its own. Called under the lock. Spawned, not forked: the server has threads."""
        argv = [sys.executable, "-P", "-m", "tobo.compute.shim", str(folder)]
        output = (os.POSIX_SPAWN_OPEN, 1, str(self._log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        actions = [null, output, (os.POSIX_SPAWN_DUP2, 1, 2)]
        shim = os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions, setsigmask=())
        self._shims.add(shim)
        return shim

    def _reap(self) -> None:
        """Waits for cold shims that are over."""
        with self._lock:
            for shim in list(self._shims):
                try:
                    over = os.waitpid(shim, os.WNOHANG)[0]
                except ChildProcessError:
                    over = shim
                if over:
                    self._shims.discard(shim)

    def _cancel(self, folder: Path, code: int | None, reason: str) -> bool:
        """Claims a process itself, so that no shim ever runs it, and records its end; False where a shim was first."""
        end = records.exit_record(time.time(), code, signal.SIGTERM if code is None else None, reason=reason)
        claim = {"shim": 0, "shim_birth": "", "started": time.time(), "end": end}
        if not records.create(folder / records.RUNNING, claim):
            return False
        records.create(folder / records.EXIT, end)
        return True

    def _ask_to_stop(self, folder: Path, grace: float) -> None:
        """A later request counts only where it brings the end nearer."""
        asked = records.read(folder / records.STOP)
        now = time.time()
        if asked is None or now + grace < asked["at"] + asked["grace"]:
            records.write(folder / records.STOP, {"at": now, "grace": grace})

    def _bury(self, folder: Path, running: Record) -> Record:
        """The shim is gone without a record: ends what it left behind and records that. A cancelled one never had a shim."""
        if (end := records.read(folder / records.EXIT)) is not None:
            return end  # written between our two looks
        cancelled: Record | None = running.get("end")
        if cancelled is not None:
            records.create(folder / records.EXIT, cancelled)
            return cancelled
        leader = running.get("pid", 0)
        # A group's number is not given again while the group has members; a leader of another birth means that it was.
        if leader and process.birth(leader) in ("", running["birth"]):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(leader, signal.SIGKILL)
        limits.remove_groups(running.get("groups", []))
        reason = f"It vanished without a record: its parent process {running['shim']} was killed."
        if process.boot() and running["shim_birth"] and not running["shim_birth"].startswith(process.boot()):
            reason = "It vanished without a record: the machine was started anew while it ran."
        records.create(folder / records.EXIT, records.exit_record(time.time(), reason=reason))
        return records.read(folder / records.EXIT) or {}


def _exited(end: Record) -> Exited:
    return Exited(end["at"], end["code"], end["signal"], end["out_of_memory"], end["reason"])
