"""The child that becomes the job: a session of its own, inside its bounds, with its environment and pipes."""

import atexit
import contextlib
import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from tobo.compute.limits import Bounds
from tobo.compute.records import Record

_PRIVATE = ("AWS_", "TOBO_")
"""The server's own settings and keys: a job gets only those that its spec gives it."""


def become(spec: Record, bounds: Bounds, output: int, ready: int) -> NoReturn:
    """Calls the spec's `entry` or executes its `argv`; never returns.

    `output` becomes stdout and stderr. `ready` is closed when the job's own code begins; a sentence told there before
    that says why it cannot. Called with all signals blocked, so that one sent to the newborn child is not lost.
    """
    try:
        os.setsid()
        _default_signals()
        bounds.enter()
        os.chdir(spec["folder"])
        variables = environment(spec)
        os.environ.clear()
        os.environ.update(variables)
        _attach(output)
        if not spec["network"]:
            _isolate()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if spec["argv"]:
            _execute(spec["argv"], ready)
        code = _call(spec["entry"], spec["preload"], ready)
    except BaseException as error:
        _tell(ready, f"The process could not be set up: {type(error).__name__}: {error}.")
        code = 127
    os._exit(code)


def _isolate() -> None:
    from tobo.compute.isolation import leave_network  # ctypes costs the start of those who need it only

    if problem := leave_network():
        print(f"warning: EnableNetworkIsolation is not in force: {problem}", flush=True)


def environment(spec: Record) -> dict[str, str]:
    """What the job sees: the server's environment without its private part, then the spec's own."""
    base: dict[str, str] = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    base["PYTHONUNBUFFERED"] = "1"
    if spec["cpus"] is not None:
        base["OMP_NUM_THREADS"] = str(max(1, int(spec["cpus"])))
    base["OMP_WAIT_POLICY"] = "PASSIVE"
    base.update(spec["environment"])
    return base


def load(entry: str, preload: list[str]) -> Callable[[], Any]:
    """The function of "module:function", once all of `preload` is imported; raises ImportError or AttributeError."""
    for name in preload:
        importlib.import_module(name)
    module, _, function = entry.partition(":")
    found: Callable[[], Any] = getattr(importlib.import_module(module), function)
    return found


def _default_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)


def _attach(output: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the process's own, for its life
    sys.stdout = open(1, "w", buffering=1, closefd=False, errors="backslashreplace")  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False, errors="backslashreplace")  # noqa: SIM115


def _tell(ready: int, sentence: str) -> None:
    with contextlib.suppress(OSError):
        os.write(ready, sentence.encode("utf-8", "replace")[:4000])


def _execute(argv: list[str], ready: int) -> NoReturn:
    """`ready` closes by itself when the execution succeeds."""
    try:
        os.execvpe(argv[0], argv, os.environ)
    except OSError as error:
        _tell(ready, f"'{argv[0]}' could not be started: {error.strerror}.")
    os._exit(127)


def _call(entry: str, preload: list[str], ready: int) -> int:
    """Runs the entry as an interpreter would run a program, and returns its exit code."""
    code = 0
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        sys.path[:0] = [
            path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path not in ("", *sys.path)
        ]
        run = _loaded(entry, preload, ready)
        os.close(ready)
        run()
    except SystemExit as end:
        code = _exit_code(end.code)
    except BaseException:
        traceback.print_exc()
        code = 1
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return code


def _loaded(entry: str, preload: list[str], ready: int) -> Callable[[], Any]:
    try:
        return load(entry, preload)
    except ModuleNotFoundError as error:
        _tell(
            ready,
            f"'{entry}' needs the Python package '{error.name}', which is not installed (pip install 'tobo[train]').",
        )
        raise
    except Exception as error:
        _tell(ready, f"'{entry}' could not be loaded: {type(error).__name__}: {error}.")
        raise


def _exit_code(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1
