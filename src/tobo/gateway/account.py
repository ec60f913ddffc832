"""The first account: its number and root key, drawn at the first start and kept in the state folder for its owner only."""

import json
import os
import secrets
from dataclasses import replace
from pathlib import Path

from tobo.settings import Settings

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def open_state(state: Path) -> None:
    """Makes the state folder, readable by its owner only. Raises SystemExit where that cannot be."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.chmod(0o700)
    except OSError as error:
        raise SystemExit(
            f"The state folder {state} cannot be made: {error.strerror}; choose another with --state."
        ) from None


def first_account(settings: Settings) -> Settings:
    """The same settings with account id and root key filled in: chosen ones, else those kept in <state>/credentials.json.

    Chosen keys replace the kept ones. Raises SystemExit where the chosen account is not the one of the state folder.
    """
    open_state(settings.state)
    file = settings.state / "credentials.json"
    kept = _read(file)
    if settings.account_id and kept and settings.account_id != kept["AccountId"]:
        raise SystemExit(
            f"{settings.state} belongs to account {kept['AccountId']}, not to TOBO_ACCOUNT_ID={settings.account_id}; "
            "leave the variable out or choose another state folder."
        )
    account = settings.account_id or kept.get("AccountId") or "".join(secrets.choice("123456789") for _ in range(12))
    if not (len(account) == 12 and account.isascii() and account.isdigit()):
        raise SystemExit(f"TOBO_ACCOUNT_ID={account!r} is not an account id; it has 12 digits.")
    if bool(settings.root_access_key_id) != bool(settings.root_secret_access_key):
        raise SystemExit(
            "TOBO_ROOT_ACCESS_KEY_ID and TOBO_ROOT_SECRET_ACCESS_KEY belong together; set both or neither."
        )
    found = {
        "AccountId": account,
        "AccessKeyId": settings.root_access_key_id or kept.get("AccessKeyId") or access_key_id("AKIA"),
        "SecretAccessKey": settings.root_secret_access_key or kept.get("SecretAccessKey") or secret_access_key(),
    }
    if found != kept:
        _write(file, found)
    return replace(
        settings,
        account_id=found["AccountId"],
        root_access_key_id=found["AccessKeyId"],
        root_secret_access_key=found["SecretAccessKey"],
    )


def _read(file: Path) -> dict[str, str]:
    try:
        kept = json.loads(file.read_bytes())
        return {name: kept[name] for name in ("AccountId", "AccessKeyId", "SecretAccessKey")}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(
            f"{file} cannot be read ({error}); put it back from a copy or choose another --state."
        ) from None


def _write(file: Path, found: dict[str, str]) -> None:
    """Whole or not at all, and on the disk before anybody uses the key."""
    draft = file.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(found, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


def access_key_id(prefix: str) -> str:
    """20 characters: AKIA for lasting keys, ASIA for temporary ones (IAM User Guide, "IAM identifiers")."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(16))


def secret_access_key() -> str:
    """40 characters, 240 bits."""
    return secrets.token_urlsafe(30)
