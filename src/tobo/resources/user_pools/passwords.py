"""Passwords: kept as scrypt (RFC 7914) with a salt of their own, checked against the pool's policy, guessed slowly."""

import base64
import hashlib
import hmac
import secrets
import string
import unicodedata
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault

COST, BLOCK, LANES = 1 << 14, 8, 5
"""scrypt's N, r and p: 16 MiB and a fifth of a second (OWASP, Password Storage Cheat Sheet, "scrypt")."""

SYMBOLS = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`=+"
"""What counts as a symbol (Cognito Developer Guide, "Adding user pool password requirements")."""

DEFAULT_POLICY = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}

FREE_FAILURES, LONGEST_LOCK = 5, 900
"""Wrong passwords before a user is locked out, for a second first, twice as long each time; and seconds at most
(Cognito Developer Guide, "Lockout behavior for failed sign-in attempts")."""

_CLEAR = "abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-_!?%+="
"""Letters that are not mistaken for each other when read aloud, by class."""


def sealed(password: str) -> str:
    """`scrypt$N$r$p$salt$hash`, from which nobody gets the password back."""
    salt = secrets.token_bytes(16)
    return f"scrypt${COST}${BLOCK}${LANES}${_text(salt)}${_text(_hash(password, salt, COST, BLOCK, LANES))}"


def fits(password: str, kept: str) -> bool:
    """Whether it is the password of which `kept` was made. With "" it takes as long and is false."""
    if not kept:
        _hash(password, b"nobody's salt...", COST, BLOCK, LANES)
        return False
    _, cost, block, lanes, salt, hashed = kept.split("$")
    made = _hash(password, base64.b64decode(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(made, base64.b64decode(hashed))


def _hash(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    """Of the text however its accents were typed (Unicode's NFC)."""
    raw = unicodedata.normalize("NFC", password).encode()
    return hashlib.scrypt(raw, salt=salt, n=cost, r=block, p=lanes, maxmem=64 << 20, dklen=32)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def policy_of(pool: Mapping[str, Any]) -> Mapping[str, Any]:
    """A pool's PasswordPolicy. Where one is given, what it does not name is not required."""
    given = pool.get("Policies", {}).get("PasswordPolicy")
    if given is None:
        return DEFAULT_POLICY
    required = {name: False for name, value in DEFAULT_POLICY.items() if value is True}
    return {**required, "MinimumLength": 8, "TemporaryPasswordValidityDays": 7, **given}


def check(password: str, policy: Mapping[str, Any]) -> None:
    """Raises Fault InvalidPasswordException, which names what is missing and never the password."""
    missing = []
    if len(password) < policy["MinimumLength"]:
        missing.append(f"at least {policy['MinimumLength']} characters")
    if policy.get("RequireLowercase") and not any(letter.islower() for letter in password):
        missing.append("a lowercase letter")
    if policy.get("RequireUppercase") and not any(letter.isupper() for letter in password):
        missing.append("an uppercase letter")
    if policy.get("RequireNumbers") and not any(letter in string.digits for letter in password):
        missing.append("a digit")
    if policy.get("RequireSymbols") and not any(letter in SYMBOLS for letter in password):
        missing.append(f"one of {SYMBOLS}")
    if missing:
        raise Fault(
            "InvalidPasswordException",
            f"Password did not conform with policy: the pool asks for {', '.join(missing)}; choose another one.",
        )


def invented(policy: Mapping[str, Any]) -> str:
    """A password that every policy of this length allows, easy to read aloud."""
    length = max(12, policy["MinimumLength"])
    letters = [secrets.choice(each) for each in _CLEAR]
    letters += [secrets.choice("".join(_CLEAR[:3])) for _ in range(length - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def lock_seconds(failures: int) -> int:
    """How long nobody may try again after so many wrong passwords in a row."""
    return 0 if failures < FREE_FAILURES else min(LONGEST_LOCK, 1 << min(failures - FREE_FAILURES, 10))
