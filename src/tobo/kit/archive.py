"""Model archives: unpacked only where they cannot reach outside their folder or fill the disk."""

import shutil
import tarfile
from pathlib import Path
from typing import Any

LIMIT_BYTES = 20 * 2**30
LIMIT_MEMBERS = 100_000
LIMIT_RATIO = 200
"""Unpacked bytes a packed byte; weights reach 1 to 3, gzip's own end is about 1,000."""
SEALED = b"age-encryption.org/v1"
"""How the file of an archive begins that its seller has sealed (age-encryption.org/v1)."""
_FREE_BYTES = 64 * 2**20
"""Small archives may compress better than LIMIT_RATIO without harm."""

_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""Python before 3.11.4, which is what Debian 12 and with it a Raspberry Pi has, knows no filters; what this one would
refuse is refused before."""


class BadArchive(ValueError):
    """The archive is refused; the message is one sentence that names the member."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a .tar or .tar.gz into `folder`, which is made anew; plain files and folders only.

    Raises BadArchive for members that are absolute or climb out with `..`, links, devices, too many members, or far
    more bytes than the archive could honestly hold; nothing is left in `folder` then.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        _unpack(archive, folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if is_sealed(archive):
            raise BadArchive("The archive is sealed by its seller: it can be served, and nothing else.") from None
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault, not the archive's
        raise BadArchive(f"The archive cannot be read: {error}.") from None
    except BadArchive:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def is_sealed(archive: Path) -> bool:
    """Whether only a replica can open it."""
    with archive.open("rb") as file:
        return file.read(len(SEALED)) == SEALED


def _unpack(archive: Path, folder: Path) -> None:
    allowed = min(LIMIT_BYTES, max(_FREE_BYTES, archive.stat().st_size * LIMIT_RATIO))
    count = total = 0
    with tarfile.open(archive, "r:*") as packed:
        for member in packed:
            parts = Path(member.name).parts
            if member.name.startswith("/") or ".." in parts:
                raise BadArchive(f"The archive's member '{member.name}' leads out of its folder.")
            if not (member.isreg() or member.isdir()):
                raise BadArchive(
                    f"The archive's member '{member.name}' is a link or a device; only files and folders are taken."
                )
            count += 1
            total += member.size
            if count > LIMIT_MEMBERS or total > allowed:
                raise BadArchive(
                    f"The archive unpacks to more than {LIMIT_MEMBERS} members or {allowed} bytes, at '{member.name}'."
                )
            packed.extract(member, folder, set_attrs=False, **_FILTER)
