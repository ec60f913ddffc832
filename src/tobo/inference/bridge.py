"""The bridge to a program that serves HTTP as a SageMaker container does: GET /ping and POST /invocations on one port.

An entry beside the program (compute's ProcessSpec with `entry` and `argv`): TOBO_PROGRAM is JSON with `argv`,
`environment`, `wrapper` (the sandbox's command, [bwrap, --args, descriptor], which has the environment already; empty
without one) and `isolated` (it has a network of its own, shared with us). The program is told its port as
SAGEMAKER_BIND_TO_PORT: 8080 where it has a network of its own, else a free one. What the house asks over frames
(kit/frames.py) on TOBO_SOCKET is asked there; several requests at a time, each in a thread.
Source: SageMaker Developer Guide, "Custom Inference Code with Hosting Services".
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tobo.inference.invocations import stuck_seconds
from tobo.inference.listening import listen
from tobo.kit import frames
from tobo.kit.guest import UserError, run_guest
from tobo.kit.process import descendants

_PORT, _PORT_NAME = 8080, "SAGEMAKER_BIND_TO_PORT"
_PING = 2.0
"""Seconds for an answer to a ping (Developer Guide: a container must answer within 2 seconds)."""
_SICK = 2
"""Pings in a row without a good answer, after which a program that has nothing to do is given up."""
_FIRST, _INTERVAL = 0.02, 0.5
"""Seconds before the first ping, and between two when it takes longer."""
_LONGEST = 3600.0
"""Seconds for one answer; who asked has his own, shorter patience."""
_AT_ONCE = 64
_CHUNK = 1 << 18
_CUSTOM, _TARGET = "X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-SageMaker-Target-Model"


def main() -> None:
    """Starts the program, serves while it lives, ends it at SIGTERM; how it failed is told in output/failure."""
    run_guest(_serve)


def _serve() -> None:
    told = json.loads(os.environ["TOBO_PROGRAM"])
    variables: dict[str, str] = told["environment"]
    port = int(variables.get(_PORT_NAME) or (_PORT if told["isolated"] else _free_port()))
    variables[_PORT_NAME] = str(port)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
    program = _start(told["wrapper"], told["argv"], variables)
    threading.Thread(target=_await, args=(program, ended), daemon=True).start()
    bridge = Bridge(Path(os.environ["TOBO_SOCKET"]), port)
    pause = _FIRST
    while not ended.wait(pause):
        bridge.look()
        pause = _INTERVAL if bridge.listening else min(1.5 * pause, _INTERVAL)
    if program.poll() is None:
        bridge.close()
        _terminate(program, bool(told["wrapper"]))
        program.wait()
        return
    code = program.returncode if program.returncode >= 0 else 128 - program.returncode
    if code == 128 + signal.SIGKILL:  # for memory, most often: who bounds it says so
        sys.exit(code)
    raise UserError(f"The program ended by itself with exit code {code}; its log says why.")


def _start(wrapper: list[str], argv: list[str], variables: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A session of its own: a signal to our group is ours to pass on. Raises UserError."""
    descriptors = [int(wrapper[-1])] if wrapper else []
    if wrapper:  # the sandbox's own command works outside of it, where the program's variables mean nothing good
        argv = [*wrapper, "--setenv", _PORT_NAME, variables[_PORT_NAME], "--", *argv]
        variables = {}
    try:
        return subprocess.Popen(
            argv, env=variables, stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=descriptors
        )
    except OSError as error:
        raise UserError(f"'{argv[0]}' could not be started: {error.strerror}.") from None


def _await(program: "subprocess.Popen[bytes]", ended: threading.Event) -> None:
    program.wait()
    ended.set()


def _terminate(program: "subprocess.Popen[bytes]", wrapped: bool) -> None:
    """SIGTERM to the program; in a sandbox to all but the sandbox's outermost process, which would take them with it."""
    if not wrapped:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGTERM)
        return
    for row in descendants(program.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(row.pid, signal.SIGTERM)


class Bridge:
    """Listens once the program has answered its first ping; `look` is called again and again, `close` once."""

    def __init__(self, path: Path, port: int) -> None:
        self._paths = (path.with_name(path.name + ".ping"), path)
        self._port = port
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._lock = threading.Lock()
        self._askers: set[_Asker] = set()
        self._busy = 0
        self._answered = time.monotonic()
        self._failures = 0
        self._sick = ""
        self._stuck = stuck_seconds()
        self.listening = False
        self._listeners: list[socket.socket] = []

    def look(self) -> None:
        """One ping; the first good answer opens the sockets."""
        problem = self._ping()
        if not problem:
            self._failures, self._sick = 0, ""
            if not self.listening:
                self._open()
            return
        self._failures += 1
        patience = self._stuck if self._busy else 0.0
        if self._failures >= _SICK and time.monotonic() - self._answered >= patience:
            self._sick = problem

    def close(self) -> None:
        """No new requests; returns when those under way are answered."""
        for path in self._paths:
            path.unlink(missing_ok=True)
        for listener in self._listeners:
            listener.close()
        with self._lock:
            askers = list(self._askers)
        for asker in askers:
            asker.send(frames.pack(0, frames.CLOSING))
        self._pool.shutdown(wait=True)

    def _ping(self) -> str:
        """The sentence of a failure, "" where all is well."""
        asked = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PING)
        try:
            asked.request("GET", "/ping")
            status = asked.getresponse().status
            return "" if status == 200 else f"The program answered {status} to GET /ping."
        except TimeoutError:
            return f"The program did not answer GET /ping within {_PING:g} s."
        except ConnectionError:
            return f"The program does not listen on port {self._port}."
        except (OSError, http.client.HTTPException) as error:
            return f"The program answered GET /ping with something that is not HTTP ({type(error).__name__})."
        finally:
            asked.close()

    def _open(self) -> None:
        for path, accepted in zip(self._paths, (self._pong, self._take), strict=True):
            listener = listen(path)
            self._listeners.append(listener)
            threading.Thread(target=_accept, args=(listener, accepted), daemon=True).start()
        self.listening = True
        print("Ready.", flush=True)

    def _pong(self, asker: socket.socket) -> None:
        with asker, contextlib.suppress(OSError, ValueError):
            asker.settimeout(1.0)
            for frame in frames.Reader().feed(asker.recv(_CHUNK)):
                status = 503 if self._sick else 200
                asker.sendall(frames.pack(frame.id, status, ("text/plain", ""), self._sick.encode()))

    def _take(self, connection: socket.socket) -> None:
        threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        """One asker, until it hangs up."""
        asker, reader = _Asker(connection), frames.Reader()
        with self._lock:
            self._askers.add(asker)
        try:
            while data := connection.recv(_CHUNK):
                for frame in reader.feed(data):
                    self._pool.submit(self._answer, asker, frame)
        except (OSError, ValueError, RuntimeError):  # gone, not ours, or too late
            pass
        finally:
            with self._lock:
                self._askers.discard(asker)
            connection.close()

    def _answer(self, asker: "_Asker", frame: frames.Frame) -> None:
        with self._lock:
            self._busy += 1
            if self._busy == 1:
                self._answered = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_LONGEST)
        try:
            self._pass_on(connection, asker, frame)
        except (OSError, http.client.HTTPException, ValueError) as error:
            sentence = f"The program did not answer POST /invocations with HTTP: {type(error).__name__}: {error}."
            print(sentence, flush=True)
            asker.send(frames.pack(frame.id, 500, ("text/plain", ""), sentence.encode()))
        finally:
            connection.close()
            with self._lock:
                self._busy -= 1
                self._answered = time.monotonic()

    def _pass_on(self, connection: http.client.HTTPConnection, asker: "_Asker", frame: frames.Frame) -> None:
        content_type, accept, custom, *target = frame.texts
        headers = {"Content-Type": content_type, "Accept": accept}
        headers |= {_CUSTOM: custom} if custom else {}
        headers |= {_TARGET: target[0]} if target and target[0] else {}
        connection.request("POST", "/invocations", frame.body, headers)
        response = connection.getresponse()
        texts = (response.getheader("Content-Type", "application/octet-stream"), response.getheader(_CUSTOM, ""))
        if frame.code == frames.STREAM and response.status < 400:
            while part := response.read1(_CHUNK):
                if not asker.send(frames.pack(frame.id, frames.PART, texts, part)):
                    return
            asker.send(frames.pack(frame.id, 200, texts))
            return
        body = response.read(frames.LONGEST_BODY)
        if response.status >= 400:
            print(f"Answered {response.status}: {body[:1000].decode('utf-8', 'replace')}", flush=True)
        asker.send(frames.pack(frame.id, response.status, texts, body))


class _Asker:
    """One connection of the house; several threads may answer on it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, data: bytes) -> bool:
        """False where it has hung up."""
        with self._lock:
            try:
                self._connection.sendall(data)
            except OSError:
                return False
        return True


def _accept(listener: socket.socket, accepted: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        accepted(connection)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port
