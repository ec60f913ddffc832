"""The processes that a server's compute runs, as its records on disk tell them."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path


def running(state: Path, part: str) -> dict[str, int]:
    """name -> pid of the processes whose name holds `part` and that are alive."""
    found = {}
    for folder in (state / "compute" / "processes").iterdir():
        try:
            name = json.loads((folder / "spec.json").read_text())["name"]
            pid = json.loads((folder / "running.json").read_text())["pid"]
        except (OSError, KeyError):
            continue  # about to start, or just gone
        if part in name and not (folder / "exit.json").exists() and _alive(pid):
            found[name] = pid
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Waits for a condition; fails when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not true after {seconds} s"
        time.sleep(0.02)
