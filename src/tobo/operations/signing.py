"""The keys that an account signs with, one a purpose: ed25519, made at first use, kept in <state>/<purpose>/<account>/.

"edge" signs bundles for devices, "market" offers, requests and grants: a device must not take what was meant as an offer.

`signing.key` (0600) is the one that signs, `signing.pem` holds its public key and those of the keys before it, newest
first: a bundle that was signed before a rotation is still trusted. Read at each use, so that a rotation counts at once.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_END = "-----END PUBLIC KEY-----\n"


def signing_key(state: Path, account: str, purpose: str = "edge") -> "Ed25519PrivateKey":
    """The account's key; made where there is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    with locked(key_folder(state, account, purpose)) as folder:
        if not (folder / "signing.key").exists():
            _renew(folder)
        key = load_pem_private_key((folder / "signing.key").read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def public_keys(state: Path, account: str) -> list[str]:
    """PEM texts of the keys that an account's bundles may be signed with, newest first; the first is made where there is none."""
    signing_key(state, account)
    text = (key_folder(state, account) / "signing.pem").read_text()
    return [part + _END for part in text.split(_END) if part.strip()]


def rotate(state: Path, account: str) -> None:
    """A new key signs from now on. Devices must know its public key before they take what it signs."""
    with locked(key_folder(state, account)) as folder:
        _renew(folder)


def _renew(folder: Path) -> None:
    """The public key is on the disk before anything can be signed: killed in between, it is one that nobody uses."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    known = folder / "signing.pem"
    replace_file(known, public + (known.read_bytes() if known.exists() else b""), 0o644)
    replace_file(folder / "signing.key", private, 0o600)


def replace_file(file: Path, data: bytes, mode: int) -> None:
    """Whole or not at all, and on the disk; nobody who may not read it ever sees a draft."""
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


def key_folder(state: Path, account: str, purpose: str = "edge") -> Path:
    """Of the server's user alone."""
    return state / purpose / account


def made_once(folder: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """The content of a key's file (0600) in `folder`, which is made at first use."""
    with locked(folder):
        file = folder / name
        if not file.exists():
            replace_file(file, make(), 0o600)
        return file.read_bytes()


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """A folder of keys, made where there is none, that nobody else changes meanwhile: commands do, while the server signs."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield folder
