"""Files that somebody else's program left: read where they are what they should be, and nowhere else."""

import os
from pathlib import Path

import pytest

from tobo.kit.strangers import LONGEST, read_told


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """<tmp>/ml/output/failure says why; <tmp>/secret is outside."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "failure").write_text("secret")
    output = tmp_path / "ml" / "output"
    output.mkdir(parents=True)
    (output / "failure").write_text(" why \n")
    return tmp_path / "ml"


def told(root: Path) -> str:
    return read_told(root, root / "output" / "failure")


def test_a_plain_file_is_read(tree: Path) -> None:
    assert told(tree) == "why"


def test_the_root_itself_may_be_reached_over_a_link(tree: Path) -> None:
    (tree.parent / "link").symlink_to(tree)
    assert told(tree.parent / "link") == "why"


def test_an_older_file_is_another_ones(tree: Path) -> None:
    file = tree / "output" / "failure"
    os.utime(file, (1000, 1000))
    assert (read_told(tree, file, since=999.0), read_told(tree, file, since=1001.0)) == ("why", "")


def test_no_more_than_people_read(tree: Path) -> None:
    (tree / "output" / "failure").write_text("x" * (LONGEST + 10))
    assert len(told(tree)) == LONGEST


@pytest.mark.parametrize("kind", ["nothing", "link", "link above", "folder", "pipe"])
def test_whatever_else_is_there_says_nothing(tree: Path, kind: str) -> None:
    file, secret = tree / "output" / "failure", tree.parent / "secret"
    file.unlink()
    if kind == "link":
        file.symlink_to(secret / "failure")
    elif kind == "link above":
        file.parent.rmdir()
        file.parent.symlink_to(secret)
    elif kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    assert told(tree) == ""
