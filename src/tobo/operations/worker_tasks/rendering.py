"""Rendering: asks a process of its own for a page, gives it the addresses that it may have, and stops it when it lingers."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Timer
from typing import Any

import orjson

from tobo.kit.fault import Fault

SECONDS = 10.0
"""After which a process is stopped, whatever it does; it stops itself after three seconds of computing."""

AT_ONCE = BoundedSemaphore(4)
"""Processes at a time: a hundred pages that are asked for at once shall not take the machine's memory."""

_PROGRAM = str(Path(__file__).with_name("liquid_process.py"))


@dataclass(frozen=True)
class Rendered:
    """A page, "" where there is none, and errors as RenderUiTemplate tells them: Code and Message."""

    content: str
    errors: list[Mapping[str, str]]


def check(template: str) -> list[Mapping[str, str]]:
    """What keeps a text from being a template of Liquid and HTML; nothing where it is one."""
    return _asked({"template": template}, _nothing).errors


def render(template: str, task_input: Any, grant: Callable[[str], str]) -> Rendered:
    """A page for one task; `grant` gives the address of an s3:// URI, or raises the Fault that the errors then tell."""
    return _asked({"template": template, "input": task_input}, grant)


def _nothing(uri: str) -> str:
    raise Fault("AccessDenied", f"There is no access to '{uri}' here.")


def _asked(request: Mapping[str, Any], grant: Callable[[str], str]) -> Rendered:
    """-I: neither the environment's nor the folder's modules are loaded; no environment: nothing to be told."""
    with (
        AT_ONCE,
        subprocess.Popen(
            [sys.executable, "-I", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LANG": "C.UTF-8"},
            cwd="/",
        ) as process,
    ):
        timer = Timer(SECONDS, process.kill)
        timer.start()
        try:
            return _talked(process, request, grant)
        except (BrokenPipeError, ValueError):
            return _over()
        finally:
            timer.cancel()
            process.kill()


def _talked(process: "subprocess.Popen[bytes]", request: Mapping[str, Any], grant: Callable[[str], str]) -> Rendered:
    """Raises BrokenPipeError where the process is gone, ValueError where its answer breaks off."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(orjson.dumps(request) + b"\n")
    process.stdin.flush()
    for line in process.stdout:
        said = orjson.loads(line)
        if "grant" not in said:
            return Rendered(said["content"], said["errors"])
        try:
            answer = {"url": grant(said["grant"])}
        except Fault as fault:
            answer = {"error": fault.message}
        process.stdin.write(orjson.dumps(answer) + b"\n")
        process.stdin.flush()
    return _over()


def _over() -> Rendered:
    limit = "The template takes too long to read or to render, and was stopped; make its loops and its text smaller."
    return Rendered("", [{"Code": "LimitExceeded", "Message": limit}])
