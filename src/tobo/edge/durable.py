"""Deeds on the disk of a device whose power may go at any moment.

What is written is safe only once its file has been synced, and a name only once its folder has (fsync(2), rename(2)).
Whatever has to outlive a power cut goes through a `Disk`, so that a test can cut the power between any two deeds.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any


class Disk:
    """Real deeds; none but the two syncs outlives a power cut by itself. Raises OSError as the system does."""

    def make_folder(self, path: Path) -> None:
        path.mkdir(exist_ok=True)

    def write(self, path: Path, data: bytes) -> None:
        """The file holds `data` and nothing else."""
        path.write_bytes(data)

    def append(self, path: Path, data: bytes) -> None:
        with path.open("ab") as file:
            file.write(data)

    def truncate(self, path: Path, size: int) -> None:
        os.truncate(path, size)

    def sync(self, path: Path) -> None:
        """The file's content is safe."""
        _sync(path)

    def sync_folder(self, path: Path) -> None:
        """The folder's names are safe."""
        _sync(path)

    def rename(self, source: Path, target: Path) -> None:
        """Within one folder; at once or not at all. A file takes the place of a file, a folder that of none."""
        source.rename(target)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def remove_tree(self, path: Path) -> None:
        """A folder with all that is in it; nothing where there is none."""
        if path.is_dir():
            shutil.rmtree(path)

    def unpack(self, archive: Path, folder: Path) -> None:
        """A .tar.gz into a folder that is made anew. Raises BadArchive."""
        from tobo.kit.archive import unpack  # with compressors of 1 MB, for an update in a month

        unpack(archive, folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(disk: Disk, folder: Path) -> None:
    """Every file below `folder`, then every folder, itself last."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            sync_tree(disk, path)
        else:
            disk.sync(path)
    disk.sync_folder(folder)


def replace_file(disk: Disk, path: Path, data: bytes) -> None:
    """`path` holds the old bytes or the new ones, whenever the power goes; the new ones once this returns."""
    new = path.with_name(path.name + ".new")
    disk.write(new, data)
    disk.sync(new)
    disk.rename(new, path)
    disk.sync_folder(path.parent)


def replace_json(disk: Disk, path: Path, value: Any) -> None:
    """`replace_file` with a JSON value."""
    replace_file(disk, path, json.dumps(value, indent=1).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object of a file; None where there is none that can be read."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
