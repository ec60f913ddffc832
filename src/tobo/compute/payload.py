"""The child that becomes the job: a session of its own, inside its bounds, with its environment and pipes."""

import atexit
import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from tobo.compute.limits import Bounds
from tobo.compute.records import Record

_PRIVATE = ("AWS_", "TOBO_")
"""The server's own settings and keys: a job gets only those that its spec gives it."""

_COMMON = ("PATH", "LANG", "LC_", "TZ", "LD_LIBRARY_PATH", "NVIDIA_", "CUDA_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""What a sandbox takes over from the server's environment, by the names' beginnings."""


def become(spec: Record, bounds: Bounds, output: int, ready: int, status: int) -> NoReturn:
    """Calls the spec's `entry` or executes its `argv`; never returns.

    `output` becomes stdout and stderr. `ready` is closed when the job's own code begins; a sentence told there before
    that says why it cannot. On `status` the sandbox tells what it does. Called with all signals blocked, so that one
    sent to the newborn child is not lost.
    """
    try:
        os.setsid()
        _default_signals()
        bounds.enter()
        os.chdir(spec["folder"])
        variables = environment(spec)
        _attach(output)
        _bound_files(spec["disk_bytes"])
        if spec["warning"]:
            print(spec["warning"], flush=True)
        inside = is_inside(spec)
        isolated = not spec["network"] and not inside and _isolate()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if inside:
            _execute(_wrapped(spec, variables, ready, status), {}, ready)
        os.close(status)
        if spec["entry"] is None:
            _execute(spec["argv"], variables, ready)
        if spec["argv"]:
            variables = _beside(spec, variables, isolated)
        os.environ.clear()
        os.environ.update(variables)
        code = _call(spec["entry"], spec["preload"], ready)
    except BaseException as error:
        _tell(ready, f"The process could not be set up: {type(error).__name__}: {error}.")
        code = 127
    os._exit(code)


def main() -> None:
    """The entry of a spec in its sandbox: arguments are the number of `ready`, the entry and the modules to load."""
    ready, entry, *preload = sys.argv[1:]
    os._exit(_call(entry, preload, int(ready)))


def _bound_files(disk_bytes: int | None) -> None:
    """No single file can be longer; all of them together are watched by the shim."""
    if disk_bytes is not None:
        most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        bound = disk_bytes if most == resource.RLIM_INFINITY else min(disk_bytes, most)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))


def _wrapped(spec: Record, variables: Mapping[str, str], ready: int, status: int) -> list[str]:
    """The command line of the sandbox around the spec's program."""
    os.set_inheritable(status, True)
    argv = spec["argv"]
    if not argv:
        os.set_inheritable(ready, True)
        argv = [sys.executable, "-P", "-c", "from tobo.compute.payload import main; main()"]
        argv += [str(ready), spec["entry"], *spec["preload"]]
    return [*_wrapper(spec, variables), "--json-status-fd", str(status), "--", *argv]


def _wrapper(spec: Record, variables: Mapping[str, str]) -> list[str]:
    """bwrap with its options in an open file, so that nobody reads them in the process table.

    The job's variables are among them: bwrap itself, which works outside of the sandbox, must start without any of them
    (LD_PRELOAD would be the way out).
    """
    program, *options = spec["wrapper"]
    for name, value in variables.items():
        options += ["--setenv", name, value]
    descriptor = os.memfd_create("options", 0)
    os.write(descriptor, b"".join(os.fsencode(option) + b"\0" for option in options))
    os.lseek(descriptor, 0, os.SEEK_SET)
    return [program, "--args", str(descriptor)]


def _isolate() -> bool:
    from tobo.compute.isolation import leave_network  # ctypes costs the start of those who need it only

    if problem := leave_network():
        print(f"warning: EnableNetworkIsolation is not in force: {problem}", flush=True)
        return False
    return True


def _beside(spec: Record, variables: Mapping[str, str], isolated: bool) -> dict[str, str]:
    """The variables of an entry with a program: TOBO_PROGRAM has the program's own.

    None of those may reach the interpreter of the entry, which runs outside of the sandbox.
    """
    own = {name: value for name, value in spec["environment"].items() if name.startswith("TOBO_")}
    theirs = {name: value for name, value in variables.items() if name not in own}
    told = {
        "wrapper": _wrapper(spec, theirs) if spec["wrapper"] else [],
        "argv": spec["argv"],
        "environment": theirs,
        "isolated": isolated,
    }
    return {**_public(), **own, "TOBO_PROGRAM": json.dumps(told)}


def is_inside(spec: Record) -> bool:
    """Whether the process itself is put into the sandbox; an entry with a program stays outside."""
    return bool(spec["wrapper"]) and not (spec["entry"] and spec["argv"])


def environment(spec: Record) -> dict[str, str]:
    """What the job sees: the server's environment without its private part, then the spec's own.

    In a sandbox there is nothing of the server's but what it says of the language, the network and the programs' places.
    """
    base = _public()
    if spec["wrapper"]:
        base = {name: value for name, value in base.items() if name.upper().startswith(_COMMON)}
        base["HOME"] = "/tmp"
    base["PYTHONUNBUFFERED"] = "1"
    if spec["cpus"] is not None:
        base["OMP_NUM_THREADS"] = str(max(1, int(spec["cpus"])))
    base["OMP_WAIT_POLICY"] = "PASSIVE"
    base.update(spec["environment"])
    return base


def _public() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}


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


def _execute(argv: list[str], variables: Mapping[str, str], ready: int) -> NoReturn:
    """`ready` closes by itself when the execution succeeds."""
    try:
        os.execvpe(argv[0], argv, variables)
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
    for deed in reversed(getattr(threading, "_threading_atexits", ())):  # as the interpreter does: idle pools end
        deed()
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
