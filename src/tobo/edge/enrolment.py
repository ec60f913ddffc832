"""What a device was given when it was enrolled: who it is, where its house is, its certificate, and whom it trusts.

A folder with `device.json` (the fields of `Enrolment`), `device.pem` and `device.key` (its certificate and key),
`authority.pem` (the TLS server's authority) and `signing.pem` (ed25519 public keys that bundles may be signed with).
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = 1
FILES = ("device.json", "device.pem", "device.key", "authority.pem", "signing.pem")


class BadEnrolment(ValueError):
    """The folder is not one of an enrolled device; the message is one sentence with the mend."""


@dataclass(frozen=True)
class Mqtt:
    """Where the nudge comes from."""

    host: str
    port: int
    topic: str


@dataclass(frozen=True)
class Enrolment:
    """`endpoint` is the house's for signed requests and S3, `credentials` where the certificate buys keys for them."""

    folder: Path
    account: str
    region: str
    fleet: str
    device: str
    target: str
    endpoint: str
    credentials: str
    thing: str
    mqtt: Mqtt | None

    @property
    def certificate(self) -> Path:
        return self.folder / "device.pem"

    @property
    def key(self) -> Path:
        return self.folder / "device.key"

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def signing_keys(self) -> str:
        """signing.pem: the public keys that bundles may be signed with."""
        return (self.folder / "signing.pem").read_text()


def read(folder: Path) -> Enrolment:
    """Raises BadEnrolment naming what is missing or wrong."""
    for name in FILES:
        if not (folder / name).is_file():
            raise BadEnrolment(
                f"'{folder}' has no {name}; enrol the device with `tobo edge enroll` and copy all of it."
            )
    try:
        found = json.loads((folder / "device.json").read_text())
        if found["format"] != FORMAT:
            raise BadEnrolment(
                f"'{folder}' is of format {found['format']}, this agent reads {FORMAT}; update the agent."
            )
        mqtt = found["mqtt"]
        names = ("account", "region", "fleet", "device", "target", "endpoint", "credentials", "thing")
        return Enrolment(
            folder=folder,
            **{name: str(found[name]) for name in names},
            mqtt=None if mqtt is None else Mqtt(str(mqtt["host"]), int(mqtt["port"]), str(mqtt["topic"])),
        )
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, BadEnrolment):
            raise
        raise BadEnrolment(f"'{folder / 'device.json'}' lacks or mistypes {error}; enrol the device again.") from None


def keys_of(text: str) -> "list[Ed25519PublicKey]":
    """The public keys of PEM blocks, one after the other. Raises BadEnrolment where one is no ed25519 key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    keys: list[Ed25519PublicKey] = []
    for block in re.findall(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", text, re.DOTALL):
        try:
            key = load_pem_public_key(block.encode())
        except ValueError as error:
            raise BadEnrolment(
                f"signing.pem holds a key that cannot be read ({error}); enrol the device again."
            ) from None
        if not isinstance(key, Ed25519PublicKey):
            raise BadEnrolment("signing.pem holds a key that is not ed25519; enrol the device again.")
        keys.append(key)
    return keys
