"""kit/process.py against processes of this test."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tobo.kit import process


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child of its own, which says when it is there: after its fork it is nobody for a moment."""
    sleeper = f"{sys.executable} -c 'import time; print(flush=True); time.sleep(60)'"
    with subprocess.Popen(["sh", "-c", f"{sleeper} & wait"], stdout=subprocess.PIPE, start_new_session=True) as made:
        assert made.stdout is not None
        made.stdout.readline()
        yield made
        os.killpg(made.pid, 9)


def test_birth_tells_processes_apart(child: subprocess.Popen[bytes]) -> None:
    born = process.birth(child.pid)
    assert born
    assert process.alive(child.pid, born)
    assert not process.alive(child.pid, born + "0")
    assert not process.alive(os.getpid(), born)


def test_the_dead_have_no_birth() -> None:
    dead = subprocess.Popen(["true"])
    assert os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)  # a zombie: over, and not waited for
    assert process.birth(dead.pid) == ""
    dead.wait()
    assert process.birth(dead.pid) == ""
    assert process.birth(0) == process.birth(-1) == ""


def test_descendants(child: subprocess.Popen[bytes]) -> None:
    below = process.descendants(os.getpid())
    assert child.pid in {row.pid for row in below}
    [grandchild] = process.descendants(child.pid)
    assert (grandchild.parent, grandchild.group) == (child.pid, child.pid)
    assert grandchild.resident > 0
    assert grandchild.pid in {row.pid for row in below}


def test_a_table_of_rows() -> None:
    rows = [process.ProcessRow(pid, parent, 1, 0, False) for pid, parent in [(1, 0), (2, 1), (3, 2), (4, 1), (5, 9)]]
    assert {row.pid for row in process.descendants(1, rows)} == {2, 3, 4}
    assert process.descendants(5, rows) == []


@pytest.mark.skipif(shutil.which("ps") is None, reason="no ps")
def test_birth_by_ps(child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_LINUX", False)
    born = process.birth(child.pid)
    assert born
    assert process.birth(child.pid) == born
    dead = subprocess.Popen(["true"])
    dead.wait()
    assert process.birth(dead.pid) == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_shared_memory_is_divided() -> None:
    own = next(row for row in process.table() if row.pid == os.getpid())
    share = process.proportional_bytes(os.getpid())
    assert share is not None
    assert 0 < share <= own.resident * 1.1


@pytest.mark.skipif(shutil.which("ps") is None, reason="no ps")
def test_the_table_by_ps_agrees(child: subprocess.Popen[bytes]) -> None:
    by_ps = {row.pid: row for row in process._ps_table()}
    assert (by_ps[child.pid].parent, by_ps[child.pid].group) == (os.getpid(), child.pid)
