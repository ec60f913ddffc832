"""The server's end of the warm parent: starts it on demand, hands it record folders, lets it go."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

_FAILURES = 3
"""Warm parents that may die young, one after the other, before the server gives up on having one."""
_YOUNG = 60.0
"""Seconds."""


_QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
"""So that importing numpy starts no threads, which a fork would lose."""


class WarmParent:
    """Safe to use from several threads. The parent holds the other end of a socket pair; it ends with the server."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._generation = 0
        self._failures = 0
        self._started = 0.0
        self._closed = False

    def warm(self, preload: Sequence[str]) -> bool:
        """Starts the parent where there is none, without waiting for its imports; False where none can be had."""
        with self._lock:
            return self._alive() or self._start(preload)

    def fork(self, folder: Path, preload: Sequence[str]) -> int:
        """Hands over one record folder and returns the `generation` that has it now; 0 where no parent can be had.

        The shim has not claimed the folder yet: a parent that is still importing forks later.
        """
        request = json.dumps({"folder": str(folder), "preload": list(preload)}).encode() + b"\n"
        with self._lock:
            if not self._alive() and not self._start(preload):
                return 0
            assert self._channel is not None
            try:
                self._channel.sendall(request)
            except OSError:  # it died just now, or is stuck with a full buffer, perhaps with half a request in it
                self._process_killed()
                return 0
            return self._generation

    @property
    def generation(self) -> int:
        """Grows with every parent started; a request to an earlier, dead one may be lost. 0 while none is alive."""
        with self._lock:
            return self._generation if self._alive() else 0

    @property
    def pid(self) -> int | None:
        """The living parent's number."""
        with self._lock:
            return self._process.pid if self._process is not None and self._alive() else None

    def close(self) -> None:
        """Ends the parent; what it forked goes on."""
        with self._lock:
            self._closed = True
            if self._channel is not None:
                self._channel.close()
            self._process_killed()

    def _process_killed(self) -> None:
        """It may be in the middle of an import, so that nothing gentler is sure to be heard."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _start(self, preload: Sequence[str]) -> bool:
        if self._generation and time.monotonic() - self._started < _YOUNG:
            self._failures += 1
        else:
            self._failures = 0
        if self._closed or self._failures >= _FAILURES:
            return False
        self._generation += 1
        self._started = time.monotonic()
        if self._channel is not None:
            self._channel.close()
        ours, theirs = socket.socketpair()
        ours.settimeout(1.0)
        argv = [sys.executable, "-P", "-m", "tobo.compute.launcher", str(theirs.fileno()), *preload]
        with theirs, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env=os.environ | _QUIET,
            )
        self._channel = ours
        return True
