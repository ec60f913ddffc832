"""The files that bounds write: a cgroup v2 tree in a folder (a machine has one version only), the fallbacks, the machine's size."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tobo.compute import limits

pytestmark = pytest.mark.skipif(not Path("/proc/self/cgroup").exists(), reason="this system has no cgroups")

MIB = 1 << 20


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A version 2 hierarchy that gives memory and cpu to groups below its root."""
    for name, text in {"controllers": "cpu memory", "subtree_control": "cpu memory", "procs": ""}.items():
        (tmp_path / f"cgroup.{name}").write_text(text + "\n")
    monkeypatch.setattr(limits, "_ROOT", tmp_path)
    return tmp_path


def test_version_2_files(tree: Path) -> None:
    bounds = limits.bounds("auto", "tobo-job", cpus=1.5, memory_bytes=64 * MIB)
    group = tree / "tobo-job"
    assert bounds.groups == [str(group)]
    written = {path.name: path.read_text() for path in group.iterdir()}
    assert written == {
        "memory.max": str(64 * MIB),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "cpu.max": "150000 100000",
    }


@pytest.mark.parametrize(
    ("kills", "sentence"), [(0, ""), (1, "Killed for memory: used 63 of 64 MiB; choose a larger instance type")]
)
def test_version_2_tells_a_breach(tree: Path, kills: int, sentence: str) -> None:
    bounds = limits.bounds("cgroup2", "tobo-job", None, 64 * MIB)
    (tree / "tobo-job" / "memory.events").write_text(f"low 0\nmax 3\noom 1\noom_kill {kills}\n")
    (tree / "tobo-job" / "memory.peak").write_text(f"{63 * MIB}\n")
    breach = bounds.exceeded()
    assert (breach is not None) == bool(sentence)
    assert breach is None or (breach.out_of_memory and breach.sentence.startswith(sentence))


def test_without_delegation_the_watch_takes_over(tree: Path) -> None:
    (tree / "cgroup.subtree_control").write_text("\n")
    assert isinstance(limits.bounds("auto", "tobo-job", 1.0, 64 * MIB), limits.Watch)
    with pytest.raises(OSError, match="no cgroup v2 folder"):
        limits.bounds("cgroup2", "tobo-job", 1.0, 64 * MIB)


def test_what_a_killed_owner_left_is_removed(tree: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    left, alive = tree / f"tobo-{dead.pid}-job", tree / f"tobo-{os.getppid()}-job"
    for group in (left, alive):
        group.mkdir()
    limits.bounds("auto", limits.group_name("next"), None, 64 * MIB)
    assert (left.exists(), alive.exists(), (tree / f"tobo-{os.getpid()}-next").exists()) == (False, True, True)


def test_version_2_bounds_processes_in_the_same_group(tree: Path) -> None:
    bounds = limits.bounds("cgroup2", "tobo-job", None, 64 * MIB, processes=7)
    assert (tree / "tobo-job" / "pids.max").read_text() == "7"
    assert bounds.groups == [str(tree / "tobo-job")]


def test_processes_that_no_group_bounds_are_counted() -> None:
    """In a process of its own: the watch counts all that the calling one has started."""
    code = """
import subprocess
import sys
from tobo.compute import limits
bounds = limits.bounds("watch", "tobo-job", None, None, processes=1)
children = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
print(bounds.exceeded())
for child in children:
    child.kill()
    child.wait()
print(bounds.exceeded())
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    breach = limits.Breach("Killed for its number of processes: 2 where 1 are allowed; start fewer.")
    assert told == [str(breach), "None"]


def test_no_bounds_need_no_group(tree: Path) -> None:
    bounds = limits.bounds("auto", "tobo-job", None, None)
    assert (bounds.groups, bounds.exceeded()) == ([], None)
    assert not (tree / "tobo-job").exists()


@pytest.mark.parametrize(("file", "text", "cpus"), [("cpu.max", "50000 100000", 0.5), ("cpu.max", "max 100000", None)])
def test_the_machine_is_no_larger_than_its_quota(tree: Path, file: str, text: str, cpus: float | None) -> None:
    free = limits.machine_cpus()
    (tree / file).write_text(text)
    assert limits.machine_cpus() == (free if cpus is None else cpus)


def test_the_machine_is_no_larger_than_its_memory_limit(tree: Path) -> None:
    assert limits.machine_memory_bytes() > 64 * MIB
    (tree / "memory.max").write_text(f"{64 * MIB}\n")
    assert limits.machine_memory_bytes() == 64 * MIB
