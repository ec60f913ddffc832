"""Session tokens: temporary credentials that carry what they are, sealed with a key derived from the root's secret.

Nothing is stored, so nothing has to be cleaned up, and they survive a restart. A new root key ends them all.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass

import orjson

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Session:
    """What a token says. `source` is the ARN whose policies count (a role, a user, the root), `name` the session's name.

    `expires` in epoch seconds. `policy` is a document that limits the session to less than its source may do; "" for none.
    """

    access_key_id: str
    account: str
    source: str
    name: str
    expires: float
    policy: str = ""


@dataclass(frozen=True)
class Minted:
    """Temporary credentials as they are handed out."""

    access_key_id: str
    secret_access_key: str
    token: str
    expires: float


def mint(root_secret: str, account: str, source: str, name: str, expires: float, policy: str = "") -> Minted:
    """New temporary credentials of `source`."""
    key_id = "ASIA" + "".join(secrets.choice(_LETTERS) for _ in range(16))
    packed = orjson.dumps(asdict(Session(key_id, account, source, name, expires, policy)))
    token = base64.b64encode(_seal(root_secret, b"token", packed) + packed).decode()
    return Minted(key_id, _secret(root_secret, packed), token, expires)


def open_token(root_secret: str, token: str) -> tuple[Session, str] | None:
    """The session of a token and its secret key; None where the seal is not ours."""
    try:
        raw = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return None
    seal, packed = raw[:32], raw[32:]
    if not hmac.compare_digest(seal, _seal(root_secret, b"token", packed)):
        return None
    return Session(**orjson.loads(packed)), _secret(root_secret, packed)


def _seal(root_secret: str, purpose: bytes, packed: bytes) -> bytes:
    key = hmac.digest(root_secret.encode(), b"tobo session " + purpose, "sha256")
    return hmac.new(key, packed, hashlib.sha256).digest()


def _secret(root_secret: str, packed: bytes) -> str:
    return base64.b64encode(_seal(root_secret, b"secret", packed)).decode()[:40]
