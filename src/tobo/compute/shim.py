"""The small parent of one process: claims it, bounds it, writes its log, ends it when asked, and records how it ended.

It is forked by the warm parent (launcher.py) or started cold as `python -m tobo.compute.shim <record folder>`. It needs
nobody: the server and the warm parent may die, the shim goes on. Light imports only: its start is part of every cold
process's start.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

from tobo.compute import limits, payload, records
from tobo.compute.disk import DiskWatch
from tobo.compute.limits import Bounds, Breach
from tobo.compute.log_writer import LogWriter
from tobo.compute.records import Record
from tobo.kit import process

_SET_CHILD_SUBREAPER = 36
_SET_PARENT_DEATH_SIGNAL = 1
_DRAIN = 1.0
"""Seconds for which the log is still read after the end, should something unkillable hold the pipe."""


def run(folder: Path) -> None:
    """Runs the process of a record folder from claim to end; does nothing where it is claimed, over or forgotten."""
    os.setsid()
    wake = _catch_signals()
    claim = {"shim": os.getpid(), "shim_birth": process.birth(os.getpid()), "started": time.time()}
    try:
        spec = records.read(folder / records.SPEC)
        if spec is None or not records.create(folder / records.RUNNING, claim):
            return
    except FileNotFoundError:
        return
    shim = _Shim(folder, spec, claim, wake)
    try:
        end = shim.run()
    except Exception as error:
        shim.kill()
        limits.remove_groups(shim.groups)
        end = records.exit_record(time.time(), code=127, reason=f"The process could not be run: {error}.")
    _record(folder, end)


def _record(folder: Path, end: Record) -> None:
    """The end must not be lost: a full disk is waited for. A folder that was forgotten needs no end."""
    while folder.exists():
        try:
            records.write(folder / records.EXIT, end)
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(1.0)


class _Shim:
    """One run: holds the pipes, the payload's number and the deadline of its end."""

    def __init__(self, folder: Path, spec: Record, claim: Record, wake: tuple[int, int]) -> None:
        self.folder, self.spec, self.claim, self.wake = folder, spec, claim, wake
        self.groups: list[str] = []
        self.pid = 0
        self.status: int | None = None
        self.kill_at: float | None = None
        self.grace = 0.0
        self.breach: Breach | None = None
        self.disk = DiskWatch(spec["disk_paths"], spec["disk_others"], spec["disk_bytes"])
        self.told = b""
        self.failure = b""
        self.overdue = False

    def run(self) -> Record:
        if records.read(self.folder / records.STOP) is not None:
            return records.exit_record(time.time(), signal=signal.SIGTERM, reason="Stopped before it started.")
        Path(self.spec["folder"]).mkdir(parents=True, exist_ok=True)
        self.log = LogWriter(Path(self.spec["log"]))
        group = limits.group_name(self.spec["group"])
        wanted = self.spec["cpus"], self.spec["memory_bytes"], self.spec["processes"]
        bounds = limits.bounds(self.spec["limits"], group, *wanted)
        self.groups = bounds.groups
        _become_subreaper()
        output, ready, self.status_pipe = self._spawn(bounds)
        running = {"pid": self.pid, "birth": process.birth(self.pid), "groups": self.groups}
        records.write(self.folder / records.RUNNING, self.claim | running)
        self._watch(output, ready, bounds)
        self._sweep()
        self._drain(output)
        self.failure += _read_rest(ready)
        # Who lost a child and still succeeded did not run out of memory.
        self.breach = None if self.status == 0 else self.breach or bounds.exceeded()
        limits.remove_groups(self.groups)
        self.log.close()
        return self._end()

    def kill(self) -> None:
        """SIGKILL to the whole tree."""
        if self.pid and self.status is None:
            self._signal_group(signal.SIGKILL)
        for row in process.descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(row.pid, signal.SIGKILL)

    def _spawn(self, bounds: Bounds) -> tuple[int, int, int]:
        """Forks the payload; returns the read ends of its output, its `ready` pipe and its sandbox's status."""
        output, output_in = os.pipe()
        ready, ready_in = os.pipe()
        status, status_in = os.pipe()
        shim = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self.pid = os.fork()
        if self.pid == 0:
            _die_with_parent(shim)
            signal.set_wakeup_fd(-1)
            for descriptor in (output, ready, status, self.log.descriptor, *self.wake):
                os.close(descriptor)
            payload.become(self.spec, bounds, output_in, ready_in, status_in)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for descriptor in (output_in, ready_in, status_in):
            os.close(descriptor)
        for descriptor in (output, ready, status):
            os.set_blocking(descriptor, False)
        return output, ready, status

    def _watch(self, output: int, ready: int, bounds: Bounds) -> None:
        """Until the payload is over: log, stop requests, bounds."""
        poll = select.poll()
        wake = self.wake[0]
        for descriptor in (wake, output, ready):
            poll.register(descriptor, select.POLLIN)
        tick = 0.0
        while self.status is None:
            now = time.monotonic()
            if now >= tick:
                tick = now + bounds.interval
                self._check(bounds)
            if self.kill_at is not None and now >= self.kill_at:
                self.overdue = True
                self.kill()
                self.kill_at = now + 1.0
            until = tick if self.kill_at is None else min(tick, self.kill_at)
            for descriptor, _ in poll.poll(max(0.0, until - time.monotonic()) * 1000):
                if descriptor == wake:
                    _read_rest(wake)
                    self._stop_if_asked()
                elif descriptor == output and not self._read(output):
                    poll.unregister(output)
                elif descriptor == ready:
                    told = os.read(ready, 4096)
                    self.failure += told
                    if not told:
                        poll.unregister(ready)
            self._reap()

    def _check(self, bounds: Bounds) -> None:
        self._stop_if_asked()
        if self.breach is None and (full := self.disk.exceeded()):
            self.breach = Breach(full)
        self.breach = self.breach or bounds.exceeded()
        if self.breach is not None:
            self.kill()

    def _stop_if_asked(self) -> None:
        """SIGTERM once; a later request can only bring the kill nearer."""
        asked = records.read(self.folder / records.STOP)
        if asked is None:
            return
        kill_at = time.monotonic() + max(0.0, asked["at"] + asked["grace"] - time.time())
        if self.kill_at is None:
            self.grace = asked["grace"]
            self.kill_at = kill_at
            self._signal_group(signal.SIGTERM, self._inner())
        elif kill_at < self.kill_at:
            self.grace = asked["grace"]
            self.kill_at = kill_at

    def _signal_group(self, number: int, group: int = 0) -> None:
        """To the payload's group, or to that of its sandbox's first process, which itself takes no notice."""
        group = group or self.pid
        try:
            os.killpg(group, number)
        except ProcessLookupError:  # not yet leader of its group
            with contextlib.suppress(ProcessLookupError):
                os.kill(group, number)

    def _inner(self) -> int:
        """The leader of the group inside the sandbox; 0 where there is none, or none yet."""
        self.told += _read_rest(self.status_pipe)
        for line in self.told.splitlines():
            if b'"child-pid"' in line:
                return int(json.loads(line)["child-pid"])
        return 0

    def _reap(self) -> None:
        """Waits for whatever is over: the payload, and grandchildren that the subreaper inherited."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.status = status

    def _sweep(self) -> None:
        """The payload is over, so its tree is: as in a container, nothing outlives the first process."""
        deadline = time.monotonic() + _DRAIN
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        while process.descendants(os.getpid()) and time.monotonic() < deadline:
            self.kill()
            self._reap()
            time.sleep(0.002)

    def _read(self, output: int) -> bool:
        """One chunk of output to the log; False at its end."""
        try:
            chunk = os.read(output, 1 << 16)
        except BlockingIOError:
            return True
        self.log.feed(chunk)
        return bool(chunk)

    def _drain(self, output: int) -> None:
        deadline = time.monotonic() + _DRAIN
        while time.monotonic() < deadline and select.select([output], [], [], 0.05)[0]:
            if not self._read(output):
                return

    def _end(self) -> Record:
        assert self.status is not None
        status = os.waitstatus_to_exitcode(self.status)
        code, number = (status, None) if status >= 0 else (None, -status)
        if payload.is_inside(self.spec) and status - 128 in signal.valid_signals():
            code, number = None, status - 128  # how the sandbox's first process tells of a signal
        out_of_memory = self.breach is not None and self.breach.out_of_memory
        return records.exit_record(time.time(), code, number, out_of_memory, self._reason(code, number))

    def _reason(self, code: int | None, number: int | None) -> str:
        if self.breach is not None:
            return self.breach.sentence
        if self.failure:
            return self.failure.decode("utf-8", "replace")
        if number is not None and self.overdue:
            return f"Did not end within {self.grace:g} s of SIGTERM and was killed."
        if number is not None and self.kill_at is not None:
            return f"Ended by {_signal_name(number)}, as asked."
        if number == signal.SIGKILL:
            return "Killed by SIGKILL from outside, by a person or by the kernel for want of memory on the machine."
        if number is not None:
            return f"Ended by {_signal_name(number)}."
        if payload.is_inside(self.spec) and b'"exit-code"' not in self.told + _read_rest(self.status_pipe):
            return f"It could not be started in its sandbox: {_last_line(Path(self.spec['log']))}."
        return f"Exited with code {code}." if code else ""


def _last_line(log: Path) -> str:
    """What bubblewrap said when it gave up; the line begins with its time."""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        lines = file.read().decode("utf-8", "replace").splitlines() or [""]
    return lines[-1].partition("\t")[2].removeprefix("bwrap: ")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _catch_signals() -> tuple[int, int]:
    """A pipe (read end, write end) that wakes the loop at SIGTERM and SIGCHLD.

    SIGTERM means that stop.json is to be read; without one it is ignored: the job is the server's to stop.
    """
    wake, wake_in = os.pipe()
    for descriptor in (wake, wake_in):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda number, frame: None)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    return wake, wake_in


def _read_rest(descriptor: int) -> bytes:
    """What a non-blocking pipe holds."""
    held = b""
    with contextlib.suppress(BlockingIOError):
        while chunk := os.read(descriptor, 4096):
            held += chunk
    return held


def _become_subreaper() -> None:
    """Linux: grandchildren whose parent ended become children of the shim, so that none gets away from the tree."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _die_with_parent(parent: int) -> None:
    """Linux: the payload ends with its shim, which alone could log and record it. Elsewhere the server sees to that."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(127)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
