"""An archive that comes over a thin line: what has arrived is kept, and the rest is asked for the next time."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tobo.edge.durable import Disk, read_json, replace_json

SYNC_BYTES = 1 << 20
"""So much at most is fetched again after a power cut."""

LIMIT_BYTES = 512 << 20
"""An archive that does not end must not fill the disk."""

Fetch = Callable[[str, int], Iterator[bytes]]
"""(address, offset) -> the bytes from `offset` on, in blocks; raises OSError where the line breaks."""


class BadDownload(ValueError):
    """A whole download that is not what its checksum says; the message is one sentence."""


def _begun(disk: Disk, folder: Path, url: str, checksum: str) -> tuple[Path, int]:
    """The file of this download, cut back to what is surely on the disk, and its size."""
    part, notes = folder / "download.part", folder / "download.json"
    noted = read_json(notes) or {}
    size = part.stat().st_size if part.exists() else 0
    kept = int(noted.get("safe", 0)) if (noted.get("url"), noted.get("checksum")) == (url, checksum) else 0
    if size < kept or not kept:
        # The notes first: old ones would call safe what is about to be written over.
        replace_json(disk, notes, {"url": url, "checksum": checksum, "safe": 0})
        disk.write(part, b"")
        kept = 0
    elif size > kept:
        disk.truncate(part, kept)  # what came after the last sync may be zeros
    return part, kept


def download(disk: Disk, folder: Path, url: str, checksum: str, fetch: Fetch) -> Path:
    """The archive of `url`, whose SHA-1 is `checksum` (hexadecimal); the file is `discard`ed by who asked for it.

    Raises OSError where the line or the disk fails: the next call goes on from there. Raises BadDownload where the whole
    is not what was promised; the next call begins anew.
    """
    part, kept = _begun(disk, folder, url, checksum)
    noted = kept
    for block in fetch(url, kept):
        if kept + len(block) > LIMIT_BYTES:
            discard(disk, folder)
            raise BadDownload(f"The archive is larger than {LIMIT_BYTES >> 20} MiB, which is no model of this device.")
        disk.append(part, block)
        kept += len(block)
        if kept - noted >= SYNC_BYTES:
            _note(disk, folder, part, url, checksum, kept)
            noted = kept
    _note(disk, folder, part, url, checksum, kept)
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha1").hexdigest()
    if found != checksum:
        discard(disk, folder)
        raise BadDownload(f"The archive's SHA-1 is {found}, the deployment says {checksum}.")
    return part


def discard(disk: Disk, folder: Path) -> None:
    """The download is used up."""
    disk.remove(folder / "download.json")
    disk.remove(folder / "download.part")


def _note(disk: Disk, folder: Path, part: Path, url: str, checksum: str, safe: int) -> None:
    disk.sync(part)
    replace_json(disk, folder / "download.json", {"url": url, "checksum": checksum, "safe": safe})
