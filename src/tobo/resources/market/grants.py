"""Grants: what a seller gives one subscription, and what of it counts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tobo.operations.context import Context
from tobo.operations.envelopes import BadEnvelope, open_envelope
from tobo.operations.market import open_key
from tobo.resources.market import states
from tobo.store.base import Row


@dataclass(frozen=True)
class Grant:
    """`key` opens the model, sealed for the buyer; `ends` epoch seconds. A later grant replaces an earlier one."""

    subscription: str
    offer_digest: str
    granted: float
    key: str
    ends: float | None
    revoked: bool
    reason: str
    fingerprint: str


def grant_file(subscription: str) -> str:
    return f"grants/{subscription}.json"


def request_file(subscription: str) -> str:
    return f"requests/{subscription}.json"


def statement_file(subscription: str) -> str:
    return f"statements/{subscription}.json"


def open_grant(envelope: bytes | str) -> Grant:
    """Raises BadEnvelope."""
    opened = open_envelope("grant", envelope)
    content = opened.content
    try:
        ends = content.get("Ends")
        grant = Grant(
            subscription=str(content["Subscription"]),
            offer_digest=str(content["OfferDigest"]),
            granted=float(content["Granted"]),
            key=str(content.get("Key", "")),
            ends=None if ends is None else float(ends),
            revoked=bool(content.get("Revoked", False)),
            reason=str(content.get("Reason", ""))[:1000],
            fingerprint=opened.fingerprint,
        )
    except (KeyError, TypeError, ValueError):
        raise BadEnvelope("it lacks what a grant has.") from None
    if not re.fullmatch("[0-9a-f]{32}", grant.subscription):
        raise BadEnvelope("it names no subscription.")
    return grant


def accept(context: Context, row: Row, grant: Grant) -> tuple[str, Mapping[str, Any]]:
    """(event, what is found) that a grant makes of a subscription; ("", {}) where it says nothing new.

    Raises BadEnvelope where it is not for this subscription: another's, another seller's, one that does not open.
    """
    if grant.subscription != row.key.name or grant.offer_digest != row.found["_digest"]:
        raise BadEnvelope(f"it is for subscription {grant.subscription}, to another offer or version.")
    if grant.fingerprint != row.found["Fingerprint"]:
        raise BadEnvelope(f"it is signed with {grant.fingerprint}, the offer with {row.found['Fingerprint']}.")
    if grant.granted <= row.found.get("_granted", 0.0) or row.state not in (states.REQUESTED, states.ACTIVE):
        return "", {}
    if grant.revoked:
        reason = f"The seller has ended it: {grant.reason or 'no reason given'}"
        return "ended", {"Reason": reason, "Ends": context.clock.now(), "_granted": grant.granted}
    try:
        open_key(context, row.key.space.account, grant.key)
    except ValueError as error:
        raise BadEnvelope(f"it does not open: {error}.") from None
    found = {"Ends": grant.ends, "_key": grant.key, "_granted": grant.granted, "Reason": None}
    return "granted", found
