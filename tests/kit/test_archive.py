"""Model archives that would reach outside, hang on links or fill the disk are refused, and leave nothing."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from tobo.kit import archive as archives
from tobo.kit.archive import BadArchive, unpack


@pytest.fixture(params=["filters", "none"], autouse=True)
def _python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python with tarfile's filters, and before 3.11.4 without them."""
    if request.param == "none":
        monkeypatch.setattr(archives, "_FILTER", {})


def archive(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as out:
        for info, data in members:
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


def test_files_and_folders_come_out(tmp_path: Path) -> None:
    packed = archive(
        tmp_path / "m.tar.gz",
        (member("golden", tarfile.DIRTYPE), b""),
        (member("golden/a.json"), b"[1]"),
        (member("./b"), b"x"),
    )
    unpack(packed, tmp_path / "out")
    assert (tmp_path / "out/golden/a.json").read_bytes() == b"[1]" and (tmp_path / "out/b").read_bytes() == b"x"


@pytest.mark.parametrize(
    "bad",
    [
        member("../evil"),
        member("a/../../evil"),
        member("/tmp/evil"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard", tarfile.LNKTYPE, "good"),
        member("pipe", tarfile.FIFOTYPE),
        member("disk", tarfile.BLKTYPE),
    ],
    ids=lambda info: info.name,
)
def test_what_leads_outside_is_refused_by_name(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    packed = archive(tmp_path / "m.tar.gz", (member("good"), b"ok"), (bad, b""))
    with pytest.raises(BadArchive, match=bad.name):
        unpack(packed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    packed = archive(tmp_path / "m.tar.gz", (member("zeros"), bytes(80 * 2**20)))
    assert packed.stat().st_size < 2**20
    with pytest.raises(BadArchive, match="zeros"):
        unpack(packed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("data", [b"", b"no archive", gzip.compress(b"no tar")], ids=["empty", "text", "gzip"])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.tar.gz").write_bytes(data)
    with pytest.raises(BadArchive):
        unpack(tmp_path / "m.tar.gz", tmp_path / "out")


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    packed = archive(tmp_path / "m.tar.gz", (member("a"), bytes(range(256)) * 4000))
    packed.write_bytes(packed.read_bytes()[:-2000])
    with pytest.raises(BadArchive):
        unpack(packed, tmp_path / "out")
    assert not (tmp_path / "out").exists()
