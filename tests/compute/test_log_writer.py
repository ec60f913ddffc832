"""compute/log_writer.py: what the pipe tests of Compute cannot bring about."""

import os
from pathlib import Path

import pytest

from tobo.compute.log_writer import LogWriter
from tobo.kit.log_lines import read_line


def messages(path: Path) -> list[str]:
    return [read_line(line)[1] for line in path.read_bytes().splitlines()]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk to fill")
@pytest.mark.parametrize(("lines", "kept"), [(3, 3), (20_000, 1)])
def test_a_full_disk_is_waited_for(tmp_path: Path, lines: int, kept: int) -> None:
    writer = LogWriter(Path("/dev/full"))
    writer.feed(b"".join(b"%d %s\n" % (number, b"x" * 60) for number in range(lines)))
    freed = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(freed, writer.descriptor)
    os.close(freed)
    writer.feed(b"after\n")
    writer.close()
    read = messages(tmp_path / "log")
    assert [line.split()[0] for line in read] == [str(number) for number in range(kept)] + ["after"]


def test_a_line_in_pieces_is_one_line(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "deep" / "log")
    for piece in (b"a", b"b\nc", b"", b"d"):
        writer.feed(piece)
    assert messages(tmp_path / "deep" / "log") == ["ab"]
    writer.close()
    assert messages(tmp_path / "deep" / "log") == ["ab", "cd"]


def test_an_existing_log_is_continued(tmp_path: Path) -> None:
    for text in (b"first\n", b"second\n"):
        writer = LogWriter(tmp_path / "log")
        writer.feed(text)
        writer.close()
    assert messages(tmp_path / "log") == ["first", "second"]
