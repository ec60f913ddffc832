"""Bundles: what is shipped to devices, content-addressed and signed.

A bundle is a .tar.gz with `manifest.json`, `manifest.sig` (the ed25519 signature of manifest.json's bytes, RFC 8032,
64 bytes) and the files that the manifest lists, each by its sha256 and size; those of a compiled model (compiled.py).
Its digest is the sha256 of manifest.json, and with it of everything. `sequence` grows with every bundle that an account
packages: a device takes nothing older than what it has.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # 12 MB, which an agent that has its version proved elsewhere does not need
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"


class BadBundle(ValueError):
    """The bundle is refused, before anything of it is loaded; the message is one sentence."""


@dataclass(frozen=True)
class File:
    """A file of a bundle: sha256 in hexadecimal, size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """`account` is whose bundle it is, `target` what it was compiled for, `created` epoch seconds, `files` by path."""

    name: str
    version: str
    sequence: int
    account: str
    target: str
    created: float
    files: Mapping[str, File]
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()


def digest_of(manifest: bytes) -> str:
    """The bundle's content address."""
    return hashlib.sha256(manifest).hexdigest()


def list_files(folder: Path) -> dict[str, File]:
    """Every file below `folder` but manifest and signature."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: _describe(path) for name, path in names.items() if name not in (MANIFEST, SIGNATURE)}


def seal(folder: Path, manifest: Manifest, key: "Ed25519PrivateKey") -> str:
    """Writes manifest and signature into `folder`; the bundle's digest."""
    data = manifest.to_bytes()
    (folder / MANIFEST).write_bytes(data)
    (folder / SIGNATURE).write_bytes(key.sign(data))
    return digest_of(data)


def pack(folder: Path, file: Path) -> None:
    """A sealed folder as a .tar.gz whose bytes depend on nothing but its content."""
    import tarfile  # for who packs; who only verifies does not need its compressors

    with tarfile.open(file, "w:gz", compresslevel=6) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = archive.gettarinfo(path, path.relative_to(folder).as_posix())
            member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode = 0, 0, 0, "", "", 0o644
            with path.open("rb") as content:
                archive.addfile(member, content)


def verify(folder: Path, keys: Iterable["Ed25519PublicKey"], account: str, target: str | None = None) -> Manifest:
    """The manifest of an unpacked bundle, once everything in it is proved.

    Raises BadBundle: no or no valid signature by any of `keys`, another account's or another target's bundle, a file
    that is missing, changed or not listed. What is older than what a device has is for the device to refuse.
    """
    try:
        data, signature = (folder / MANIFEST).read_bytes(), (folder / SIGNATURE).read_bytes()
    except OSError:
        raise BadBundle(f"The bundle is not signed: it has no {MANIFEST} with a {SIGNATURE}.") from None
    if not any(_signed(key, signature, data) for key in keys):
        raise BadBundle("The bundle's signature is by none of the keys that this device trusts.")
    manifest = read_manifest(data)
    if manifest.account != account:
        raise BadBundle(f"The bundle belongs to account {manifest.account}, this device to {account}.")
    if target is not None and manifest.target != target:
        raise BadBundle(f"The bundle was compiled for '{manifest.target}', this device is a '{target}'.")
    found = list_files(folder)
    if surplus := found.keys() - manifest.files.keys():
        raise BadBundle(f"The bundle holds '{min(surplus)}', which its manifest does not list.")
    for name, file in manifest.files.items():
        if found.get(name) != file:
            raise BadBundle(f"'{name}' of the bundle is {'changed' if name in found else 'missing'}.")
    return manifest


def read_manifest(data: bytes) -> Manifest:
    """Raises BadBundle where it is not one of this format."""
    try:
        found = json.loads(data)
        if found["format"] != FORMAT:
            raise BadBundle(f"The bundle is of format {found['format']}, this device reads {FORMAT}; update the agent.")
        files = {str(name): File(str(file["sha256"]), int(file["size"])) for name, file in found["files"].items()}
        return Manifest(**{**found, "files": files})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, BadBundle):
            raise
        raise BadBundle(f"The bundle's {MANIFEST} cannot be read ({error}).") from None


def _signed(key: "Ed25519PublicKey", signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _describe(path: Path) -> File:
    with path.open("rb") as file:
        return File(hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size)
