"""Signed texts that go from hand to hand: JSON in an envelope with the ed25519 key that signed it.

The envelope is DSSE's (github.com/secure-systems-lab/dsse, envelope.md and protocol.md): {"payloadType", "payload" in
Base64, "signatures": [{"keyid", "sig"}]}, and the signature is over the type, too, so that a grant cannot pass for an
offer. The public key travels along ("publicKey", 32 bytes in Base64), and `keyid` is its fingerprint: whom a
fingerprint belongs to is for the reader to know.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class BadEnvelope(ValueError):
    """It is not what it should be, or not signed; the message is one sentence."""


@dataclass(frozen=True)
class Opened:
    """What was in an envelope: the JSON object, who signed it, and the hash of its bytes, by which others refer to it."""

    content: dict[str, Any]
    fingerprint: str
    digest: str


def fingerprint_of(public_key: bytes) -> str:
    """As OpenSSH writes them: SHA256:... of the key's 32 bytes, in Base64 without padding."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_key).digest()).decode().rstrip("=")


def own_fingerprint(key: "Ed25519PrivateKey") -> str:
    return fingerprint_of(key.public_key().public_bytes_raw())


def enclose(kind: str, content: dict[str, Any], key: "Ed25519PrivateKey") -> bytes:
    """`kind` is a word such as "offer"."""
    payload = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    public = key.public_key().public_bytes_raw()
    signature = {
        "keyid": fingerprint_of(public),
        "publicKey": base64.b64encode(public).decode(),
        "sig": base64.b64encode(key.sign(_signed(kind, payload))).decode(),
    }
    envelope = {"payloadType": _type(kind), "payload": base64.b64encode(payload).decode(), "signatures": [signature]}
    return orjson.dumps(envelope, option=orjson.OPT_INDENT_2)


def open_envelope(kind: str, data: bytes | str) -> Opened:
    """Raises BadEnvelope where it is of another kind, or its signature does not hold."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        envelope = orjson.loads(data)
        told, [signature] = envelope["payloadType"], envelope["signatures"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        public = base64.b64decode(signature["publicKey"], validate=True)
        key, proof = Ed25519PublicKey.from_public_bytes(public), base64.b64decode(signature["sig"], validate=True)
    except (ValueError, KeyError, TypeError):
        raise BadEnvelope(f"The {kind} is no signed envelope.") from None
    if told != _type(kind):
        raise BadEnvelope(f"The envelope holds '{str(told)[:100]}', not {_type(kind)}.")
    try:
        key.verify(proof, _signed(kind, payload))
    except InvalidSignature:
        raise BadEnvelope(f"The {kind}'s signature does not hold: it was changed after it was signed.") from None
    content = orjson.loads(payload)
    if not isinstance(content, dict):
        raise BadEnvelope(f"The {kind} is no JSON object.")
    return Opened(content, fingerprint_of(public), hashlib.sha256(payload).hexdigest())


def _type(kind: str) -> str:
    return f"application/vnd.tobo.{kind}+json"


def _signed(kind: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    name = _type(kind).encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)
