"""Replicas as processes of Compute that listen on Unix sockets. The promise is in base.py.

A replica's record (a file with its group and socket) is written before its process is asked for, so that the next
server knows it and can invoke it at once. `start`, `look` and `stop` run in worker threads and keep connections of
their own; those of `invoke` live in the server's event loop. Between them are only flags and tables that are replaced
as a whole.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
import socket
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from tobo.compute import records
from tobo.compute.base import Bind, Compute, Exited, ProcessSpec, Running, Usage
from tobo.hosting.base import (
    MOST_LOST,
    Answer,
    Dead,
    Invocation,
    NoReplica,
    Ready,
    ReplicaSpec,
    ReplicaState,
    Starting,
    Streamed,
)
from tobo.hosting.connection import Connection, Lost, connect
from tobo.hosting.streaming import ask_for_stream
from tobo.kit import frames
from tobo.kit.paths import MlPaths
from tobo.kit.strangers import read_told

_PING = 4.0
"""Seconds for an answer to a ping, after which a replica is deaf."""
_DYING = 1.0
"""Seconds for the end of a process that has stopped to listen."""
_DIED = b"The model's process died while it worked on the request."
_LONGEST_SOCKET = 90
"""Characters of a socket's path; systems allow 104 to 108, and the replica adds a few."""

_RUN = "/run/tobo"
"""Where a replica in a sandbox sees the folder of its socket."""


class _Replica:
    """One replica as the server knows it. Any thread may set `ready`; `connection` and `connecting` are the loop's."""

    def __init__(self, record: records.Record) -> None:
        self.record = record
        self.name: str = record["name"]
        self.group: str = record["group"]
        self.socket = Path(record["socket"])
        self.ready = record["ready"] is not None
        self.asked = 0
        self.streams = 0
        self.key = ""
        self.connection: Connection | None = None
        self.connecting: asyncio.Task[Connection] | None = None

    @property
    def load(self) -> tuple[int, int]:
        """Outstanding requests, then all so far: what the next request goes by."""
        waiting = len(self.connection.waiting) if self.connection is not None else 0
        return (waiting + self.streams, self.asked)

    def stream_over(self) -> None:
        """One of its answers in parts is through."""
        self.streams -= 1


class ProcessHosting:
    """Hosting over a Compute and a folder of records; one server at a time owns the folder."""

    def __init__(self, compute: Compute, folder: Path) -> None:
        self._compute = compute
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder.resolve()
        self._sockets = socket_folder(self._folder)
        self._lock = threading.Lock()
        self._replicas: dict[str, _Replica] = {}
        self._groups: dict[str, tuple[_Replica, ...]] = {}
        self._stopping: set[str] = set()
        for path in self._folder.glob("*.json"):
            record = records.read(path)
            if record is not None and record["stopping"]:
                self._stopping.add(record["name"])
            elif record is not None:
                self._join(_Replica(record))
        self._sweep()

    def start(self, spec: ReplicaSpec) -> None:
        self._sweep()
        path = self._record_path(spec.name)
        record = records.read(path)
        if record is None:
            digest = hashlib.sha256(spec.name.encode()).hexdigest()[:16]
            # In a sandbox a replica sees the folder of its socket, which must then be its own.
            address = self._sockets / digest / "s" if spec.sandbox is not None else self._sockets / f"{digest}.s"
            record = {
                "name": spec.name,
                "group": spec.group,
                "socket": str(address),
                "ml_root": str(spec.ml_root),
                "since": time.time(),
                "ready": None,
                "stopping": False,
            }
            records.write(path, record)
        if record["stopping"]:
            return
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        if self._sockets.stat().st_uid != os.getuid():
            raise PermissionError(f"{self._sockets} belongs to another user; remove it.")
        with self._lock:
            replica = self._replicas.get(spec.name)
        if replica is None:
            replica = _Replica(record)
            self._join(replica)
        replica.key = spec.key
        sandbox, own = spec.sandbox, {"TOBO_ML_ROOT": str(spec.ml_root), "TOBO_SOCKET": record["socket"]}
        if sandbox is not None:
            folder = Path(record["socket"]).parent
            folder.mkdir(mode=0o700, exist_ok=True)
            if self._compute.sandboxes and not spec.argv:
                own = {"TOBO_ML_ROOT": "/opt/ml", "TOBO_SOCKET": f"{_RUN}/s"}
                sandbox = replace(sandbox, binds=(*sandbox.binds, Bind(folder, _RUN, writable=True)))
        self._compute.start(
            ProcessSpec(
                name=_process_name(spec.name),
                folder=spec.ml_root,
                log=spec.log,
                entry=spec.entry,
                environment={**spec.environment, **own},
                cpus=spec.cpus,
                memory_bytes=spec.memory_bytes,
                preload=spec.preload,
                network=spec.network,
                sandbox=sandbox,
                disk_bytes=spec.disk_bytes,
                argv=spec.argv,
            )
        )

    def look(self, name: str) -> ReplicaState:
        self._sweep()
        with self._lock:
            replica = self._replicas.get(name)
        if replica is None:
            return Dead("It was stopped." if name in self._stopping else f"There is no replica '{name}'.")
        state = self._look(replica)
        replica.ready = isinstance(state, Ready)
        return state

    def stop(self, name: str, grace: float = 10.0) -> None:
        path = self._record_path(name)
        with self._lock:
            record = records.read(path)
            if record is None:
                return
            records.write(path, {**record, "stopping": True})
            replica = self._replicas.pop(name, None)
            if replica is not None:
                rest = tuple(other for other in self._groups[replica.group] if other is not replica)
                if rest:
                    self._groups[replica.group] = rest
                else:
                    del self._groups[replica.group]
            self._stopping.add(name)
        self._compute.terminate(_process_name(name), grace)
        self._sweep()

    def gone(self, name: str) -> bool:
        self._sweep()
        with self._lock:
            return name not in self._replicas and name not in self._stopping

    def usage(self, name: str) -> Usage | None:
        return self._compute.usage(_process_name(name))

    async def invoke(self, group: str, invocation: Invocation, timeout: float = 60.0) -> Answer:
        deadline = time.monotonic() + timeout
        lost = 0
        while True:
            replica = self._next(group, lost)
            connection = replica.connection
            if connection is None or not connection.usable or connection.loop is not asyncio.get_running_loop():
                try:
                    connection = await self._connect(replica)
                except OSError:
                    replica.ready = False
                    continue
            try:
                return await connection.ask(invocation, max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise TimeoutError(f"The model did not answer within {timeout:g} s.") from None
            except ConnectionError:  # it went before it was asked
                replica.ready = False
            except Lost:
                replica.ready = False
                lost += 1
                if lost == MOST_LOST:
                    return Answer(500, _DIED, "text/plain")

    async def stream(self, group: str, invocation: Invocation, timeout: float = 60.0) -> Answer | Streamed:
        lost = 0
        while True:
            replica = self._next(group)
            try:
                replica.streams += 1
                return await ask_for_stream(replica.socket, invocation, timeout, replica.stream_over)
            except TimeoutError:
                replica.stream_over()
                raise TimeoutError(f"The model did not answer within {timeout:g} s.") from None
            except (OSError, Lost) as error:
                replica.stream_over()
                replica.ready = False
                lost += isinstance(error, Lost)
                if lost == MOST_LOST:
                    return Answer(500, _DIED, "text/plain")

    async def hang_up(self) -> None:
        with self._lock:
            replicas = list(self._replicas.values())
        for replica in replicas:
            connection = replica.connection
            if connection is not None and connection.loop is asyncio.get_running_loop():
                connection.close()
        await asyncio.sleep(0)  # for the loop to close what was aborted

    def close(self) -> None:
        with contextlib.suppress(OSError):  # not empty: replicas go on
            self._sockets.rmdir()
        with self._lock:
            replicas = list(self._replicas.values())
        for replica in replicas:
            connection = replica.connection
            if connection is not None:
                with contextlib.suppress(RuntimeError):  # its loop is over, and the connection with it
                    connection.loop.call_soon_threadsafe(connection.close)

    def _next(self, group: str, lost: int = 0) -> _Replica:
        """Who takes the next request, under which `lost` replicas have died; raises NoReplica."""
        ready = [replica for replica in self._groups.get(group, ()) if replica.ready]
        if not ready:
            raise NoReplica(f"No replica of '{group}' is ready.", lost)
        replica = min(ready, key=lambda replica: replica.load) if len(ready) > 1 else ready[0]
        replica.asked += 1
        return replica

    async def _connect(self, replica: _Replica) -> Connection:
        """Requests that find no connection at the same time wait for the same one."""
        task = replica.connecting
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            task = asyncio.get_running_loop().create_task(_open(replica))
            replica.connecting = task
        return await asyncio.shield(task)

    def _look(self, replica: _Replica) -> ReplicaState:
        state = self._compute.poll(_process_name(replica.name))
        if not isinstance(state, Running):
            return Dead(_death(replica, state))
        record = replica.record
        try:
            refused = _ping(replica.socket)
        except TimeoutError:
            return Dead(f"It did not answer a ping within {_PING:g} s.")
        except OSError:
            if record["ready"] is None:
                if replica.key and _hand_over(replica.socket, replica.key):
                    replica.key = ""
                return Starting(record["since"])
            return Dead(self._last_words(replica))
        if refused:
            return Dead(refused)
        if record["ready"] is None:
            replica.record = {**record, "ready": time.time()}
            with self._lock:
                if self._replicas.get(replica.name) is replica:  # else it was stopped meanwhile, which its record says
                    records.write(self._record_path(replica.name), replica.record)
        return Ready(replica.record["ready"])

    def _last_words(self, replica: _Replica) -> str:
        """Why a replica does not listen any more: most often its process is just ending, and its record will say."""
        deadline = time.monotonic() + _DYING
        while time.monotonic() < deadline:
            state = self._compute.poll(_process_name(replica.name))
            if not isinstance(state, Running):
                return _death(replica, state)
            time.sleep(0.01)
        return "It does not listen any more."

    def _join(self, replica: _Replica) -> None:
        with self._lock:
            self._replicas[replica.name] = replica
            self._groups[replica.group] = (*self._groups.get(replica.group, ()), replica)

    def _sweep(self) -> None:
        """Forgets stopped replicas whose processes are over."""
        with self._lock:
            stopping = list(self._stopping)
        for name in stopping:
            if isinstance(self._compute.poll(_process_name(name)), Running):
                continue
            path = self._record_path(name)
            record = records.read(path)
            self._compute.forget(_process_name(name))
            if record is not None:
                for suffix in ("", "~", ".ping", ".ping~"):
                    Path(record["socket"] + suffix).unlink(missing_ok=True)
                if (own := Path(record["socket"]).parent) != self._sockets:
                    shutil.rmtree(own, ignore_errors=True)
            path.unlink(missing_ok=True)
            with self._lock:
                self._stopping.discard(name)

    def _record_path(self, name: str) -> Path:
        return self._folder / f"{records.file_name(name)}.json"


async def _open(replica: _Replica) -> Connection:
    replica.connection = await connect(replica.socket)
    return replica.connection


def _hand_over(path: Path, key: str) -> bool:
    """Gives a replica what opens its model (inference/sealed.py); False where it does not wait for it yet."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        asker.settimeout(1.0)
        try:
            asker.connect(str(path.with_name(path.name + ".key")))
            asker.sendall(key.encode())
        except OSError:
            return False
    return True


def _process_name(name: str) -> str:
    return f"replica:{name}"


def _death(replica: _Replica, state: Exited | None) -> str:
    """The guest's own words where it left some, else Compute's."""
    paths = MlPaths(Path(replica.record["ml_root"]))
    if told := read_told(paths.root, paths.failure, replica.record["since"]):  # the tree may have served others before
        return told[:1024]
    if state is None:
        return "Its process is not known."
    return state.reason or "Its process ended by itself."


def _ping(address: Path) -> str:
    """The sentence of a refusal, "" where all is well; raises TimeoutError, or OSError where nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        asker.settimeout(_PING)
        asker.connect(str(address.with_name(address.name + ".ping")))
        asker.sendall(frames.pack(1, frames.PING))
        reader = frames.Reader()
        while data := asker.recv(1 << 16):
            for frame in reader.feed(data):
                return "" if frame.code == 200 else frame.body.decode("utf-8", "replace")
    raise ConnectionResetError("the ping was not answered")


def socket_folder(folder: Path) -> Path:
    """A folder whose paths are short enough for sockets: within `folder`, or a temporary one that is named after it."""
    sockets = folder / "run"
    if len(str(sockets)) + 20 > _LONGEST_SOCKET:
        digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        sockets = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"tobo-{digest}"
    return sockets
