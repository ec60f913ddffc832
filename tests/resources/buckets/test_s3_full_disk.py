"""A full disk under a real server: an S3 error, older objects intact, no partial object."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def small_state(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB where `fresh_server` will put its state."""
    state = tmp_path / "state-0"
    state.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", "size=40m,mode=0700", "none", str(state)]
    mounted = subprocess.run(command, check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.decode().strip()}")
    yield state
    subprocess.run(["umount", "--lazy", str(state)], check=True)


BIG = os.urandom(50 << 20)


@pytest.fixture
def s3(small_state: Path, fresh_server: Any) -> Any:
    client = fresh_server().client("s3")
    client.create_bucket(Bucket="photos")
    client.put_object(Bucket="photos", Key="old", Body=b"old")
    return client


def check_intact(s3: Any) -> None:
    assert s3.get_object(Bucket="photos", Key="old")["Body"].read() == b"old"
    assert [found["Key"] for found in s3.list_objects_v2(Bucket="photos")["Contents"]] == ["old"]


def test_full_while_an_object_is_written(s3: Any, small_state: Path, refused: Any) -> None:
    filler = small_state / "filler"
    with pytest.raises(OSError), filler.open("wb") as file:
        while True:
            file.write(bytes(1 << 16))
    for key in ("old", "new"):
        error = refused(507, "InsufficientStorage", s3.put_object, Bucket="photos", Key=key, Body=bytes(500_000))
        assert str(small_state) in error["Message"]
    check_intact(s3)
    filler.unlink()
    s3.put_object(Bucket="photos", Key="new", Body=BIG[: 10 << 20])
    assert s3.get_object(Bucket="photos", Key="new")["Body"].read() == BIG[: 10 << 20]


def test_full_while_a_body_is_taken_in(s3: Any, small_state: Path, refused: Any) -> None:
    """A body larger than the disk; the client is answered although it is still sending."""
    for key in ("old", "new"):
        error = refused(507, "InsufficientStorage", s3.put_object, Bucket="photos", Key=key, Body=BIG)
        assert str(small_state) in error["Message"]
    check_intact(s3)
    assert not list((small_state / "tmp").iterdir())
    s3.put_object(Bucket="photos", Key="new", Body=BIG[: 10 << 20])
