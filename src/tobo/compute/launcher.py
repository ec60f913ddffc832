"""The warm parent: imports heavy modules once, then forks a shim a request, so that a job starts in milliseconds.

`python -m tobo.compute.launcher <descriptor> [module ...]`: requests come as JSON lines {"folder", "preload"} over the
socket of that number. It ends when the other end closes, that is with its server; the shims that it forked go on.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
from pathlib import Path

from tobo.compute import shim


def serve(channel: socket.socket, preload: list[str]) -> None:
    """Until the channel ends. Runs in a process without other threads of its own, as fork wants it."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    load(preload)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the shims: their records tell all
    for line in channel.makefile("rb"):
        request = json.loads(line)
        load(request["preload"])
        if os.fork() == 0:
            try:
                channel.close()
                shim.run(Path(request["folder"]))
            finally:
                os._exit(0)


def load(modules: list[str]) -> None:
    """Imports what is missing; a module that cannot be imported is the job's to report, which tries it again."""
    missing = [name for name in modules if name not in sys.modules]
    for name in missing:
        try:
            importlib.import_module(name)
        except Exception as error:
            print(f"{name} could not be preloaded: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    if missing:
        gc.collect()
        gc.freeze()  # the collector then leaves the shared pages alone


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
