"""A bound on what a process leaves on the disk: its folders are measured again and again, and it ends above the bound."""

import os
import stat
import time
from collections.abc import Iterable, Sequence

_SHARE = 20
"""Measuring takes at most one part in so many of the time."""
_INTERVAL = 1.0
"""Seconds between two measurements at the least."""
_MIB = 1 << 20


class DiskWatch:
    """Measures `paths` without what lies below one of `others`: what is another's there is not the process's to answer for."""

    def __init__(self, paths: Sequence[str], others: Iterable[str], limit: int | None) -> None:
        self._paths, self._others, self._limit = list(dict.fromkeys(paths)), frozenset(others), limit
        self._next = 0.0

    def exceeded(self) -> str:
        """The sentence of the breach; "" while there is none, or where it was measured just now."""
        began = time.monotonic()
        if self._limit is None or began < self._next:
            return ""
        used = _measure(self._paths, self._others)
        ended = time.monotonic()
        self._next = ended + max(_INTERVAL, _SHARE * (ended - began))
        if used <= self._limit:
            return ""
        return (
            f"Killed for disk space: wrote {used / _MIB:.0f} MiB where {self._limit / _MIB:.0f} MiB are allowed; "
            "write less or raise VolumeSizeInGB."
        )


def _measure(paths: Sequence[str], others: frozenset[str]) -> int:
    """Bytes of disk below some paths, an inode once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        if path in others:
            continue
        try:
            status = os.lstat(path)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            total += status.st_blocks * 512
            if stat.S_ISDIR(status.st_mode):
                with os.scandir(path) as entries:
                    waiting += [entry.path for entry in entries]
        except OSError:
            continue  # it went while we looked
    return total
