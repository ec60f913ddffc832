"""Other processes of this machine: which one a number means, and what belongs to its tree."""

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_LINUX = sys.platform.startswith("linux")
_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ProcessRow(NamedTuple):
    """One process of the process table; `resident` in bytes, `zombie` is one that is over and was not waited for."""

    pid: int
    parent: int
    group: int
    resident: int
    zombie: bool


@functools.cache
def boot() -> str:
    """Names this start of the machine; "" where the system does not say."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def birth(pid: int) -> str:
    """Tells apart processes that were given the same number one after the other; "" where there is none (or a zombie).

    Linux: boot id and start time in clock ticks, field 22 of /proc/<pid>/stat (proc(5)); elsewhere: `ps -o lstart`.
    """
    if pid <= 0:
        return ""
    if _LINUX:
        try:
            fields = _stat_fields((_PROC / str(pid) / "stat").read_bytes())
        except OSError:
            return ""
        return "" if fields[0] in (b"Z", b"X") else f"{boot()}:{fields[19].decode()}"
    listed = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = listed.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def alive(pid: int, born: str) -> bool:
    """Whether the process that had this number and this `birth` still runs."""
    return bool(born) and birth(pid) == born


def table() -> list[ProcessRow]:
    """Every process that this user may see."""
    return _linux_table() if _LINUX else _ps_table()


def descendants(pid: int, rows: list[ProcessRow] | None = None) -> list[ProcessRow]:
    """The children of `pid`, their children and so on, without `pid` itself."""
    children: dict[int, list[ProcessRow]] = {}
    for row in table() if rows is None else rows:
        children.setdefault(row.parent, []).append(row)
    found: list[ProcessRow] = []
    asked = [pid]
    while asked:
        for row in children.pop(asked.pop(), ()):
            found.append(row)
            asked.append(row.pid)
    return found


def processor_seconds(pid: int) -> float | None:
    """Processor time of one process and of its children that are over; None where the system does not say."""
    try:
        fields = _stat_fields((_PROC / str(pid) / "stat").read_bytes())
    except OSError:
        return None
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def proportional_bytes(pid: int) -> int | None:
    """Memory of one process with shared pages divided among their users (PSS); None where the system does not say."""
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def _stat_fields(stat: bytes) -> list[bytes]:
    """Fields of /proc/<pid>/stat from the third (state) on: the second is a name that may hold spaces and brackets."""
    return stat[stat.rindex(b")") + 2 :].split()


def _linux_table() -> list[ProcessRow]:
    rows: list[ProcessRow] = []
    with os.scandir(_PROC) as entries:
        names = [entry.name for entry in entries if entry.name.isdigit()]
    for name in names:
        try:
            fields = _stat_fields((_PROC / name / "stat").read_bytes())
        except OSError:
            continue  # it ended while we read
        zombie = fields[0] in (b"Z", b"X")
        rows.append(ProcessRow(int(name), int(fields[1]), int(fields[2]), int(fields[21]) * _PAGE, zombie))
    return rows


def _ps_table() -> list[ProcessRow]:
    listed = subprocess.run(["ps", "-axo", "pid=,ppid=,pgid=,rss=,stat="], capture_output=True, text=True, check=False)
    rows: list[ProcessRow] = []
    for line in listed.stdout.splitlines():
        pid, parent, group, resident, state = line.split(None, 4)
        rows.append(ProcessRow(int(pid), int(parent), int(group), int(resident) * 1024, state.startswith("Z")))
    return rows
