"""The files of one process: what was asked, who runs it, how it ended. Every step is one atomic, durable file.

    spec.json     written with the folder itself, in one rename: the process exists from here on
    running.json  the claim of the one shim that runs it (made by link(2), so that a second shim finds it taken)
    stop.json     terminate was asked: {"grace": seconds, "at": epoch seconds}
    exit.json     the end: {"at", "code", "signal", "out_of_memory", "reason"}

Imported by the shim, whose start is part of every job's start: light imports only.
"""

import contextlib
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

Record = dict[str, Any]

SPEC, RUNNING, STOP, EXIT = "spec.json", "running.json", "stop.json", "exit.json"


def file_name(name: str) -> str:
    """A folder or file name for any text: readable, within every file system's limits, unique by its hash."""
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", name)[-60:]
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:20]}"


def read(path: Path) -> Record | None:
    """The record of a file; None where there is none."""
    try:
        return json.loads(path.read_bytes())  # type: ignore[no-any-return]
    except FileNotFoundError:
        return None


def write(path: Path, record: Record) -> None:
    """Replaces the file as a whole and returns when the disk has it."""
    temporary = _temporary(path, record)
    temporary.replace(path)
    sync_folder(path.parent)


def create(path: Path, record: Record) -> bool:
    """Like `write`, but False where the file is there already: of several writers exactly one gets True."""
    temporary = _temporary(path, record)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exit_record(
    at: float, code: int | None = None, signal: int | None = None, out_of_memory: bool = False, reason: str = ""
) -> Record:
    """What exit.json holds."""
    return {"at": at, "code": code, "signal": signal, "out_of_memory": out_of_memory, "reason": reason}


def _temporary(path: Path, record: Record) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps(record).encode())
        file.flush()
        os.fsync(file.fileno())
    return temporary
