"""What the machine has and who reserved it: durable, first come first served."""

import threading
import time
from pathlib import Path

from tobo.compute import records

_PATIENCE = 30.0
"""Seconds for which one who was refused keeps the place in the queue without asking again."""


class Capacity:
    """One file a reservation under `folder`. Safe to use from several threads; one server at a time owns the folder."""

    def __init__(self, folder: Path, cpus: float, memory_bytes: int) -> None:
        self.cpus, self.memory_bytes = cpus, memory_bytes
        self._folder = folder
        self._lock = threading.Lock()
        self._waiting: dict[str, float] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._granted: dict[str, tuple[float, int]] = {}
        for path in folder.glob("*.json"):
            record = records.read(path)
            if record is not None:
                self._granted[record["name"]] = (record["cpus"], record["memory_bytes"])

    def reserve(self, name: str, cpus: float, memory_bytes: int) -> bool:
        """See Compute.reserve."""
        cpus, memory_bytes = min(cpus, self.cpus), min(memory_bytes, self.memory_bytes)
        with self._lock:
            if name in self._granted:
                return True
            if self._first_in_line(name) and self._fits(cpus, memory_bytes):
                record = {"name": name, "cpus": cpus, "memory_bytes": memory_bytes}
                records.write(self._path(name), record)
                self._granted[name] = (cpus, memory_bytes)
                self._waiting.pop(name, None)
                return True
            self._waiting[name] = time.monotonic()  # keeps its position where it has one
            return False

    def release(self, name: str) -> None:
        """See Compute.release."""
        with self._lock:
            self._waiting.pop(name, None)
            if self._granted.pop(name, None) is not None:
                self._path(name).unlink(missing_ok=True)
                records.sync_folder(self._folder)

    def _first_in_line(self, name: str) -> bool:
        """Whether nobody who still asks came before; a large request is so never starved by small ones."""
        stale = time.monotonic() - _PATIENCE
        for other, asked in list(self._waiting.items()):
            if other == name:
                return True
            if asked >= stale:
                return False
            del self._waiting[other]
        return True

    def _fits(self, cpus: float, memory_bytes: int) -> bool:
        used_cpus = sum(granted[0] for granted in self._granted.values())
        used_memory = sum(granted[1] for granted in self._granted.values())
        return used_cpus + cpus <= self.cpus + 1e-9 and used_memory + memory_bytes <= self.memory_bytes

    def _path(self, name: str) -> Path:
        return self._folder / f"{records.file_name(name)}.json"
