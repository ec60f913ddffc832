"""Sealed models: an archive that its seller has encrypted, opened in a replica and nowhere else.

The archive is an age file (age-encryption.org/v1). What opens it, an age identity, comes over `<TOBO_SOCKET>.key` from
the house, so that it is in no environment, no command line and no file. The archive is opened into the model folder,
which lies in memory and is seen by nobody else (compute's Sandbox.memory).

Who is root on the machine can read any process's memory: this keeps a model from those who have the API, the disk, a
backup or another process on the machine, not from root.
"""

import ctypes
import shutil
import sys
from pathlib import Path

from tobo.inference.listening import listen
from tobo.kit.archive import BadArchive, unpack
from tobo.kit.guest import UserError
from tobo.kit.paths import MlPaths

_SET_DUMPABLE = 4
"""prctl(2), PR_SET_DUMPABLE: a process that is not dumpable can be traced, and its memory read, by root alone."""


def unseal(paths: MlPaths, asked_on: Path) -> None:
    """Waits for the key and opens the archive at `paths.sealed` into `paths.model`. Raises UserError where it does not open."""
    import pyrage

    _forbid_looking()
    key = _receive(asked_on.with_name(asked_on.name + ".key"))
    opened, unpacked = paths.model / ".opened", paths.model / ".unpacked"
    try:
        pyrage.decrypt_file(str(paths.sealed), str(opened), [pyrage.x25519.Identity.from_str(key)])
        unpack(opened, unpacked)
    except (pyrage.DecryptError, pyrage.IdentityError):
        raise UserError("The sealed model does not open with the key of its subscription.") from None
    except BadArchive as bad:
        raise UserError(f"The sealed model's archive is refused: {bad}") from None
    opened.unlink()
    for path in unpacked.iterdir():
        shutil.move(path, paths.model / path.name)
    unpacked.rmdir()


def _receive(path: Path) -> str:
    """The text that the first who connects sends."""
    with listen(path) as listener:
        asker, _ = listener.accept()
        with asker:
            data = b"".join(iter(lambda: asker.recv(4096), b""))
    path.unlink(missing_ok=True)
    return data.decode()


def _forbid_looking() -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
