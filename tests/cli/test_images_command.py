"""tobo images --podman: an image's files are copied out, on Debian 12's Python too, and nothing of them reaches out."""

import io
import os
import stat
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

OLD = Path("/usr/bin/python3")
"""Debian 12's own is 3.11.2, whose tarfile knows no filters."""

PYTHONS = [Path(sys.executable), *([OLD] if OLD.exists() else [])]

Member = tuple[str, str, bytes]
"""Name, kind (a tarfile type), content or where a link leads."""

FILE, FOLDER, LINK, HARD, DEVICE = "0", "5", "2", "1", "3"

PODMAN = """#!/bin/sh
case "$1" in
    image) echo '[{"Config": {"Entrypoint": ["/bin/run"], "Env": ["A=1"], "WorkingDir": "/srv"}}]' ;;
    create) echo container ;;
    export) cat "$(dirname "$0")/image.tar" ;;
esac
"""
"""As far as `tobo images add` asks it."""


def packed(members: Sequence[Member]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind, told in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.uid, member.uname = kind.encode(), 0o4777, 0, "root"
            if kind in (LINK, HARD):
                member.linkname = told.decode()
            member.size = len(told) if kind == FILE else 0
            archive.addfile(member, io.BytesIO(told) if kind == FILE else None)
    return out.getvalue()


def add(python: Path, folder: Path, members: Sequence[Member]) -> tuple[subprocess.CompletedProcess[str], Path]:
    """What the command said, and the folder of the image's files."""
    tool = folder / "bin" / "podman"
    tool.parent.mkdir()
    tool.write_text(PODMAN)
    tool.chmod(0o755)
    (tool.parent / "image.tar").write_bytes(packed(members))
    state = folder / "state"
    site = sysconfig.get_paths()["purelib"]
    environment = {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"}
    environment["PYTHONPATH"] = f"{Path(__file__).parents[2] / 'src'}:{site}"
    command = [str(python), "-m", "tobo", "images", "add", "my/image:1", "--podman", "x", "--state", str(state)]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    return made, next(iter((state / "images").glob("*")), state)


@pytest.fixture(params=PYTHONS, ids=lambda python: python.parent.name + python.name)
def python(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    if found == OLD:
        told = "import sys; sys.exit(sys.version_info[:2] != tuple(map(int, sys.argv[1:])))"
        fits = subprocess.run([OLD, "-c", told, *map(str, sys.version_info[:2])])
        if fits.returncode:
            pytest.skip("the system's Python cannot read this one's packages")
    return found


def test_an_images_files_are_copied_as_they_are_named(python: Path, tmp_path: Path) -> None:
    members = [
        ("usr/", FOLDER, b""),
        ("usr/bin/", FOLDER, b""),
        ("usr/bin/run", FILE, b"#!/bin/sh\n"),
        ("bin", LINK, b"usr/bin"),
        ("etc/passwd", FILE, b"root"),
        ("etc/shadow", LINK, b"/etc/shadow"),
        ("usr/bin/again", HARD, b"usr/bin/run"),
        ("usr/bin/as-link", HARD, b"bin"),
        ("dev/sda", DEVICE, b""),
        ("/srv/app", FILE, b"app"),
    ]
    made, folder = add(python, tmp_path, members)
    assert made.returncode == 0, made.stderr
    assert (folder / "usr/bin/run").read_bytes() == b"#!/bin/sh\n" and (folder / "srv/app").read_bytes() == b"app"
    assert stat.S_IMODE((folder / "usr/bin/run").stat().st_mode) == 0o755  # neither setuid nor for everybody to write
    assert (folder / "usr/bin/run").samefile(folder / "usr/bin/again")
    links = {name: str((folder / name).readlink()) for name in ("bin", "usr/bin/as-link", "etc/shadow")}
    assert links == {"bin": "usr/bin", "usr/bin/as-link": "usr/bin", "etc/shadow": "/etc/shadow"}
    assert not (folder / "dev/sda").exists()
    assert "my/image:1 runs '/bin/run'" in made.stdout


@pytest.mark.parametrize(
    "members",
    [
        [("../outside", FILE, b"x")],
        [("a/../../outside", FILE, b"x")],
        [("way", LINK, b"{out}"), ("way/outside", FILE, b"x")],
        [("way", LINK, b"{out}"), ("way/outside", LINK, b"/etc/passwd")],
        [("way", LINK, b"{out}"), ("way/outside", FOLDER, b"")],
        [("mine", HARD, b"../secret")],
        [("way", LINK, b"{out}"), ("mine", HARD, b"way/secret")],
    ],
)
def test_nothing_of_an_image_reaches_out(python: Path, tmp_path: Path, members: list[Member]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "secret").write_bytes(b"secret")
    told = [(name, kind, content.replace(b"{out}", str(out).encode())) for name, kind, content in members]
    made, folder = add(python, tmp_path, told)
    assert made.returncode == 1 and "leads out of it or through a link" in made.stderr
    assert [file.name for file in out.iterdir()] == ["secret"] and not list(tmp_path.rglob("outside"))
    assert list((tmp_path / "state" / "images").iterdir()) == [] and folder == tmp_path / "state"


def test_a_file_takes_the_place_of_a_link_and_does_not_follow_it(python: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    made, folder = add(python, tmp_path, [("x", LINK, str(tmp_path / "mine").encode()), ("x", FILE, b"theirs")])
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "mine").read_bytes() == b"mine" and (folder / "x").read_bytes() == b"theirs"


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    made, _ = add(Path(sys.executable), tmp_path, [("mine", HARD, b"no-such-file")])
    assert made.returncode == 1 and "'mine' is a link to what is not there" in made.stderr
    assert "Traceback" not in made.stderr
