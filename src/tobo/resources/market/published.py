"""What an account has offered, by the digest that requests, grants and statements name: kept beside its key, 0600.

It outlives the offer: who has bought what is withdrawn goes on asking, using and telling.
"""

import re
from pathlib import Path
from typing import Any

import orjson

from tobo.operations.context import Call
from tobo.operations.market import PURPOSE
from tobo.operations.signing import key_folder, replace_file


def note_offer(call: Call, digest: str, offer_id: str, key: str) -> None:
    """`key` is what opens a sealed one, "" of others."""
    _file(call, digest).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_file(_file(call, digest), orjson.dumps({"OfferId": offer_id, "Key": key}), 0o600)


def noted_offer(call: Call, digest: Any) -> dict[str, str] | None:
    """{OfferId, Key} of an offer of this account; None of another's, and of what is no digest."""
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        return None
    try:
        found: dict[str, str] = orjson.loads(_file(call, digest).read_bytes())
    except FileNotFoundError:
        return None
    return found


def _file(call: Call, digest: str) -> Path:
    return key_folder(call.context.settings.state, call.space.account, PURPOSE) / "offers" / f"{digest}.json"
