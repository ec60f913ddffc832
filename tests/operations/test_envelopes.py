"""Envelopes: what was signed is read, and nothing else is; checked by DSSE's own example of what is signed."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tobo.operations.envelopes import BadEnvelope, enclose, fingerprint_of, open_envelope, own_fingerprint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def test_what_was_enclosed_is_read_with_who_signed_it() -> None:
    envelope = enclose("offer", {"b": 1, "a": "ä"}, KEY)
    opened = open_envelope("offer", envelope)
    assert opened.content == {"b": 1, "a": "ä"} and opened.fingerprint == own_fingerprint(KEY)
    assert opened.digest == open_envelope("offer", enclose("offer", {"a": "ä", "b": 1}, KEY)).digest
    assert opened.fingerprint.startswith("SHA256:") and len(opened.fingerprint) == 50


def test_the_signature_is_over_dsses_encoding() -> None:
    """protocol.md: "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body, in bytes."""
    told = json.loads(enclose("offer", {}, KEY))
    kind, body = told["payloadType"].encode(), base64.b64decode(told["payload"])
    signed = b" ".join((b"DSSEv1", str(len(kind)).encode(), kind, str(len(body)).encode(), body))
    [signature] = told["signatures"]
    KEY.public_key().verify(base64.b64decode(signature["sig"]), signed)  # raises where it is not
    assert signature["keyid"] == fingerprint_of(KEY.public_key().public_bytes_raw())


def changed(**members: Any) -> bytes:
    return json.dumps({**json.loads(enclose("offer", {"price": 1}, KEY)), **members}).encode()


@pytest.mark.parametrize(
    ("envelope", "said"),
    [
        (b"", "no signed envelope"),
        (b"[]", "no signed envelope"),
        (changed(signatures=[]), "no signed envelope"),
        (changed(signatures=[{"sig": "", "publicKey": ""}]), "no signed envelope"),
        (changed(payload="e30="), "changed after it was signed"),
        (changed(payload="!"), "no signed envelope"),
        (changed(payloadType="application/vnd.tobo.grant+json"), "not application/vnd.tobo.offer"),
        (enclose("grant", {"price": 1}, KEY), "not application/vnd.tobo.offer"),
    ],
    ids=["empty", "list", "unsigned", "no-key", "payload", "no-payload", "type", "grant"],
)
def test_what_is_refused(envelope: bytes, said: str) -> None:
    with pytest.raises(BadEnvelope, match=said):
        open_envelope("offer", envelope)


def test_a_grant_with_an_offers_type_does_not_pass() -> None:
    """The type is signed, too: relabelled, the signature does not hold."""
    grant = json.loads(enclose("grant", {"price": 1}, KEY))
    with pytest.raises(BadEnvelope, match="changed after it was signed"):
        open_envelope("offer", json.dumps({**grant, "payloadType": "application/vnd.tobo.offer+json"}))
