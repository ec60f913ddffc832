"""Python environments of user code: one a requirements.txt, installed once and shared, and one of its own for each process.

Both lie over tobo's own environment, so that the installed frameworks are seen: a file in their site-packages names the
folders below (https://docs.python.org/3/library/site.html). What a process installs by itself goes into its own
environment; no process can write into tobo's or into a shared one that is complete.
"""

import fcntl
import hashlib
import json
import re
import shutil
import site
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path

from tobo.kit.guest import UserError

REQUIREMENTS = "requirements.txt"
_READY, _LOCK, _VENV = "ready", "lock", "venv"
_MOST_FILES = 10_000
"""Files that a requirements file names and that are looked into."""


def key(requirements: Path, framework: str, owner: str, environment: Mapping[str, str]) -> str:
    """Names the shared environment of a requirements file: the same where the same would be installed.

    By the Python and the environment below, `framework`, `owner` (whose jobs share it), pip's variables, and the file's
    content with that of the local files and folders it names.
    """
    digest = hashlib.sha256()
    pip = sorted((name, value) for name, value in environment.items() if name.startswith("PIP_"))
    digest.update(json.dumps([sys.version, sys.prefix, framework, owner, pip]).encode())
    for path in _named(requirements):
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def is_ready(folder: Path) -> bool:
    """Whether the shared environment in `folder` is complete, so that nobody needs to write there any more."""
    return (folder / _READY).exists()


def install(folder: Path, requirements: Path) -> Path:
    """The shared environment in `folder`, made of `requirements` unless it is there; gives its root.

    Of several processes one installs and the others wait; one that was killed in the middle is begun anew. Raises
    UserError with pip's last sentence.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / _VENV
    if not is_ready(folder):
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_ready(folder):
                shutil.rmtree(root, ignore_errors=True)
                pip_install(create(root), ["-r", requirements.name], requirements.parent)
                (folder / _READY).touch()
                return root
    print(f"What {requirements.name} names is installed already.", flush=True)
    return root


def create(root: Path, *below: Path) -> Path:
    """An empty environment over the environments `below` (the first one wins) and tobo's own; gives its python."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(root)
    folders = [*(str(site_packages(one)) for one in below), *site.getsitepackages()]
    lines = "".join(f"import site; site.addsitedir({folder!r})\n" for folder in folders)
    (site_packages(root) / "below.pth").write_text(lines)
    python = root / "bin" / "python"
    for name in ("pip", "pip3"):
        script = root / "bin" / name
        script.write_text(f'#!/bin/sh\nexec "{python}" -m pip "$@"\n')
        script.chmod(0o755)
    return python


def site_packages(root: Path) -> Path:
    """The folder of an environment's packages."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(root), "platbase": str(root)}))


def search_path(roots: Iterable[Path], inherited: str) -> str:
    """PATH with the programs of environments, tobo's own, and what was there."""
    folders = [str(root / "bin") for root in roots]
    return ":".join([*folders, str(Path(sys.prefix) / "bin"), inherited])


def pip_install(python: Path, arguments: list[str], folder: Path) -> None:
    """pip into the environment of `python`, run in `folder`, its output on ours. Raises UserError with its last sentence."""
    command = [str(python), "-m", "pip", "install", *arguments]
    print(f"Installing: pip install {' '.join(arguments)}", flush=True)
    last = ""
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            print(line, end="", flush=True)
            if line.startswith("ERROR:") or (line.strip() and not last.startswith("ERROR:")):
                last = line.strip()
    if pip.returncode:
        raise UserError(
            f"InstallRequirementsError: pip install {' '.join(arguments)} failed: {last.removeprefix('ERROR: ')} "
            f"(exit code {pip.returncode})"
        )


def _named(requirements: Path) -> list[Path]:
    """The requirements file and every file below its folder that it names, itself or through another such file; no links."""
    folder = requirements.parent.resolve()
    found: dict[Path, None] = {folder / requirements.name: None}
    todo = list(found)
    while todo and len(found) < _MOST_FILES:
        for word in re.split(r"[\s=@,;]+", todo.pop().read_text(errors="replace")):
            path = folder / word.removeprefix("file:").removeprefix("./")
            if not word or path in found or not path.is_relative_to(folder) or path.resolve() != path:
                continue
            if path.is_file():
                found[path] = None
                if path.suffix == ".txt":
                    todo.append(path)
            elif path.is_dir():
                below = (file for file in path.rglob("*") if file.is_file() and not file.is_symlink())
                found |= dict.fromkeys(sorted(below))
    return list(found)
