"""Links that sign in once: signed with a secret of the state folder, so that who may read it may enter."""

import hashlib
import hmac
import os
import secrets
import time
from pathlib import Path

from tobo.console import ROOT

LIFETIME = 600.0
"""Seconds in which a link works."""


def enter_link(state: Path, endpoint: str, now: float | None = None) -> str:
    """An address that signs in as the account's root, once and within ten minutes."""
    expires = int((time.time() if now is None else now) + LIFETIME)
    claim = f"{expires}.{secrets.token_urlsafe(16)}"
    return f"{endpoint}{ROOT}/enter?link={claim}.{_sign(_secret(state), claim)}"


class Links:
    """Those of one state folder; which were used, this server remembers as long as they would work."""

    def __init__(self, state: Path) -> None:
        self._secret = _secret(state)
        self._used: dict[str, int] = {}

    def use(self, link: str, now: float) -> bool:
        """Whether it opens the door; a second time it does not."""
        claim, _, signature = link.rpartition(".")
        if not hmac.compare_digest(_sign(self._secret, claim), signature):
            return False
        expires = int(claim.split(".")[0])
        self._used = {used: its for used, its in self._used.items() if its > now}
        if expires <= now or claim in self._used:
            return False
        self._used[claim] = expires
        return True


def _sign(secret: bytes, claim: str) -> str:
    return hmac.new(secret, claim.encode(), hashlib.sha256).hexdigest()


def _secret(state: Path) -> bytes:
    """Drawn at the first need; readable by the owner only."""
    file = state / "console.secret"
    try:
        return file.read_bytes()
    except FileNotFoundError:
        pass
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    draft.touch(0o600)
    draft.write_bytes(secrets.token_bytes(32))
    try:
        os.link(draft, file)  # of two that draw at once, one wins
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_bytes()
