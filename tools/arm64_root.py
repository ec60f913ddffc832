#!/usr/bin/env python3
"""Makes a folder in which an arm64 Python runs on an x86-64 machine, for TOBO_AARCH64_ROOT: `tools/arm64_root.py FOLDER`.

The packages come from the machine's own Debian or Ubuntu sources and from pip's index, into the folder and nowhere else:
nothing is installed, and no root is needed. It takes about 260 MB. Needs apt, dpkg, pip and qemu-user-static; what runs
in there (src/tobo/compilers/aarch64.py) needs bubblewrap, too.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

QEMU = "qemu-aarch64-static"
PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
WHEELS = ("numpy", "onnxruntime", "ncnn", "pillow", "cryptography", "paho-mqtt")
"""What compiled models run on, and what else tobo-edge needs."""
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")


def main() -> int:
    """The exit code; a folder that is complete already is left alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wheels", nargs="+", default=WHEELS, help="packages of its Python, with == where it matters")
    chosen = parser.parse_args()
    missing = [name for name in ("apt-get", "dpkg", QEMU) if shutil.which(name) is None]
    if missing:
        print(
            f"{' and '.join(missing)} not found: apt-get install qemu-user-static, on Debian or Ubuntu.",
            file=sys.stderr,
        )
        return 1
    root: Path = chosen.folder.absolute()
    with tempfile.TemporaryDirectory() as name:
        add_system(root, Path(name))
        add_wheels(root, Path(name), chosen.wheels)
    shutil.copy(str(shutil.which(QEMU)), root / QEMU)
    print(f"Ready: export TOBO_AARCH64_ROOT={root}")
    return 0


def add_system(root: Path, work: Path) -> None:
    """Unpacks Python and all that it depends on. apt is given a world of its own, in which nothing is installed yet."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    world = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "root",
        "Dir::State": work / "state",
        "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache",
        "Debug::NoLocking": "true",
    }
    apt = ["apt-get", "-qq", "-y", *(f"-o{name}={value}" for name, value in world.items())]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "--download-only", "--no-install-recommends", "install", *PACKAGES], check=True)
    for folder in ("tmp", "proc", "sys", "dev", "site"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for package in sorted((work / "cache" / "archives").glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, root], check=True)


def add_wheels(root: Path, work: Path, wheels: list[str]) -> None:
    """Unpacks wheels of the system's Python version into /site."""
    version = (root / "usr" / "bin" / "python3").readlink().name.removeprefix("python")
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    fetch = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--only-binary=:all:"]
    fetch += ["--implementation", "cp", "--python-version", version, *platforms]
    subprocess.run([*fetch, "-d", str(work / "wheels"), *wheels], check=True)
    for wheel in (work / "wheels").glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(root / "site")


if __name__ == "__main__":
    sys.exit(main())
