"""Secrets as rows, found by name or ARN, and their values, encrypted for the state folder's key.

The key (Fernet's: AES-128-CBC with HMAC-SHA256) is <state>/secrets/<account>/key, of the server's user alone: a copy of the
database without that folder tells no value.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tobo.kit.arn import Arn
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.signing import key_folder, made_once
from tobo.store.base import Key, Row

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

SERVICE, KIND = "secretsmanager", "secret"
LONGEST = 65_536
"""Bytes of a value, as at AWS."""


def arn_of(call: Call, name: str, ending: str) -> str:
    return str(Arn(SERVICE, call.space.region, call.space.account, f"secret:{name}-{ending}"))


def named(call: Call, asked: Mapping[str, Any]) -> str:
    """The ARN that a policy is about: that of the secret, where there is one."""
    told = str(asked.get("SecretId") or asked.get("Name") or "*")
    row = find(call, told)
    if row is not None:
        return row.arn
    return told if told.startswith("arn:") else arn_of(call, told, "??????")


def find(call: Call, told: str) -> Row | None:
    """By name, by ARN, or by an ARN without its six random letters."""
    if not told.startswith("arn:"):
        return call.context.store.get(Key(call.space, KIND, told))
    row = call.context.store.find_arn(told)
    if row is None:
        row = call.context.store.get(Key(call.space, KIND, told.split(":secret:", 1)[-1]))
        if row is None or row.arn[:-7] != told:
            return None
    return row if row.key.kind == KIND and row.key.space == call.space else None


def known(call: Call, asked: Mapping[str, Any], deleted: bool = False) -> Row:
    """Raises Fault ResourceNotFoundException; InvalidRequestException for one that is marked for deletion, unless `deleted`."""
    row = find(call, asked["SecretId"])
    if row is None:
        raise Fault(
            "ResourceNotFoundException",
            f"Secrets Manager can't find the specified secret: '{asked['SecretId']}'; ListSecrets tells those that are there.",
        )
    if row.found.get("DeletedDate") and not deleted:
        raise Fault(
            "InvalidRequestException",
            f"You can't perform this operation on the secret because it was marked for deletion: '{row.key.name}'; "
            "RestoreSecret takes that back.",
        )
    return row


def value_of(asked: Mapping[str, Any]) -> bytes | str | None:
    """Raises Fault InvalidParameterException where there are two, or one that is too long."""
    text, data = asked.get("SecretString"), asked.get("SecretBinary")
    if text is not None and data is not None:
        raise Fault("InvalidParameterException", "Give SecretString or SecretBinary, not both.")
    value: bytes | str | None = text if text is not None else data
    size = len(value.encode() if isinstance(value, str) else value or b"")
    if size > LONGEST:
        raise Fault("InvalidParameterException", f"The value has {size} bytes; a secret has {LONGEST} at most.")
    return value


def seal(call: Call, value: bytes | str) -> dict[str, Any]:
    """The members of a version that hold its value."""
    data = value.encode() if isinstance(value, str) else value
    return {"Sealed": _box(call).encrypt(data).decode(), "Binary": isinstance(value, bytes)}


def opened(call: Call, version: Mapping[str, Any]) -> dict[str, Any]:
    """{"SecretString"} or {"SecretBinary"}."""
    data = _box(call).decrypt(version["Sealed"].encode())
    return {"SecretBinary": data} if version["Binary"] else {"SecretString": data.decode()}


def _box(call: Call) -> "Fernet":
    """Imported late: cryptography costs a start that needs none 50 ms."""
    from cryptography.fernet import Fernet

    folder = key_folder(call.context.settings.state, call.space.account, "secrets")
    return Fernet(made_once(folder, "key", Fernet.generate_key))
