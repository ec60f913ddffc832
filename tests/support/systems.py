"""A whole small system in a folder, as an image's files would be laid out."""

import os
import shutil
import subprocess
from pathlib import Path


def small_system(root: Path) -> Path:
    """A shell and what it needs, from this machine; /app has a file and a link to it."""
    for name in ("sh", "cat", "ls"):
        _copy_program(root, name)
    for folder in ("app", "tmp", "etc", "var/log/app", "opt"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "app" / "name").write_text("image\n")
    (root / "app" / "notes").symlink_to("name")
    return root


def _copy_program(root: Path, name: str) -> None:
    program = shutil.which(name)
    assert program is not None
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    needed = [word for word in linked.split() if word.startswith("/")]
    for source, target in [(program, f"/bin/{name}"), *((path, path) for path in needed)]:
        (root / target[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(source), root / target[1:])
