"""Reading in folders where somebody else's program could put anything: no link is followed, no pipe is waited for."""

import os
import stat
from pathlib import Path
from typing import IO

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
LONGEST = 1 << 16
"""Bytes of what a program left for people to read."""


def open_file(name: str, folder: int | None = None) -> IO[bytes]:
    """A regular file of an open folder (or of the working directory); raises OSError where it is anything else."""
    file = os.fdopen(os.open(name, _FLAGS, dir_fd=folder), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"'{name}' is not a regular file")
    return file


def open_below(root: Path, path: Path) -> IO[bytes]:
    """A regular file below `root`, which itself may be reached over links; raises OSError where a link leads to it."""
    *folders, name = path.relative_to(root).parts
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in folders:
            below = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=at)
            os.close(at)
            at = below
        return open_file(name, at)
    finally:
        os.close(at)


def read_told(root: Path, path: Path, since: float = 0.0) -> str:
    """What a program left for people in a file below `root`, such as output/failure; "" where there is none.

    At most `LONGEST` bytes; nothing of a file that was last changed before `since` (epoch seconds).
    """
    try:
        with open_below(root, path) as file:
            if os.fstat(file.fileno()).st_mtime < since:
                return ""
            return file.read(LONGEST).decode("utf-8", "replace").strip()
    except OSError:
        return ""
