"""The values of secrets: read, put, changed, and their labels moved; and passwords drawn at random."""

import secrets
import string
import uuid
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.secrets.rows import SERVICE, known, named, opened, seal, value_of
from tobo.resources.secrets.versions import CURRENT, added, find, moved
from tobo.store.base import Row

MOST_AT_ONCE = 20
_DAY = 86_400.0


@operation(SERVICE, "GetSecretValue", resource=named)
def get_secret_value(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The current one, unless VersionId or VersionStage says otherwise. Raises Fault ResourceNotFoundException,
    InvalidRequestException."""
    row = known(call, asked)
    version = find(row.found["_versions"], asked.get("VersionId"), asked.get("VersionStage"))
    today = call.now // _DAY * _DAY  # to the day, as AWS tells it: a read is no write each time
    if row.found.get("LastAccessedDate") != today:
        change_row(
            call, lambda: known(call, asked), "read", lambda row: {"found": {**row.found, "LastAccessedDate": today}}
        )
    return {
        "ARN": row.arn,
        "Name": row.key.name,
        "VersionId": version["Id"],
        "VersionStages": version["Stages"],
        "CreatedDate": version["Created"],
        **opened(call, version),
    }


@operation(SERVICE, "BatchGetSecretValue", resource=lambda call, asked: "*")
def batch_get_secret_value(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By SecretIdList; each needs the right to be read alone. Raises Fault InvalidParameterException."""
    ids = asked.get("SecretIdList")
    if not ids or asked.get("Filters"):
        raise Fault("InvalidParameterException", "Give SecretIdList; values by Filters are not built here.")
    values, errors = [], []
    for each in ids[:MOST_AT_ONCE]:
        try:
            values.append(call.call(SERVICE, "GetSecretValue", SecretId=each))
        except Fault as fault:
            errors.append({"SecretId": each, "ErrorCode": fault.code, "Message": fault.message})
    return {"SecretValues": values, "Errors": errors}


@operation(SERVICE, "PutSecretValue", resource=named)
def put_secret_value(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A new version; the same ClientRequestToken with the same value changes nothing.

    Raises Fault ResourceNotFoundException, InvalidParameterException, ResourceExistsException where the token is another value's.
    """
    value = value_of(asked)
    if value is None:
        raise Fault("InvalidParameterException", "You must provide either SecretString or SecretBinary.")
    stages = list(asked.get("VersionStages") or [CURRENT])
    token = asked.get("ClientRequestToken") or str(uuid.uuid4())
    row = change_row(call, lambda: known(call, asked), "put", lambda row: _with(call, row, token, value, stages))
    return {"ARN": row.arn, "Name": row.key.name, "VersionId": token, "VersionStages": stages}


@operation(SERVICE, "UpdateSecret", resource=named)
def update_secret(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Description, key and type, and a new current version where a value is given. Raises Fault as PutSecretValue."""
    value = value_of(asked)
    token = asked.get("ClientRequestToken") or str(uuid.uuid4())
    told = {name: asked[name] for name in ("Description", "KmsKeyId", "Type") if name in asked}

    def changed(row: Row) -> dict[str, Any]:
        kept = {"asked": {**row.asked, **told}}
        return kept if value is None else {**kept, **_with(call, row, token, value, [CURRENT])}

    row = change_row(call, lambda: known(call, asked), "updated", changed)
    return {"ARN": row.arn, "Name": row.key.name, **({} if value is None else {"VersionId": token})}


@operation(SERVICE, "UpdateSecretVersionStage", resource=named)
def update_secret_version_stage(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Moves a label. Raises Fault ResourceNotFoundException, InvalidParameterException."""
    stage, to, away = asked["VersionStage"], asked.get("MoveToVersionId"), asked.get("RemoveFromVersionId")
    row = change_row(
        call,
        lambda: known(call, asked),
        "labelled",
        lambda row: {"found": {**row.found, "_versions": moved(row.found["_versions"], stage, to, away)}},
    )
    return {"ARN": row.arn, "Name": row.key.name}


@operation(SERVICE, "GetRandomPassword", resource=lambda call, asked: "*")
def get_random_password(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """32 characters of four kinds, at least one of each, unless asked otherwise. Raises Fault InvalidParameterException."""
    excluded = set(asked.get("ExcludeCharacters", ""))
    kinds = {
        "Lowercase": string.ascii_lowercase,
        "Uppercase": string.ascii_uppercase,
        "Numbers": string.digits,
        "Punctuation": string.punctuation,
    }
    alphabets = [
        "".join(letter for letter in letters if letter not in excluded)
        for kind, letters in kinds.items()
        if not asked.get(f"Exclude{kind}")
    ]
    alphabets = [letters for letters in alphabets if letters]
    every = "".join(alphabets) + (" " if asked.get("IncludeSpace") and " " not in excluded else "")
    length = asked.get("PasswordLength") or 32
    required = alphabets if asked.get("RequireEachIncludedType", True) else []
    if not every or length < len(required):
        raise Fault(
            "InvalidParameterException",
            f"{length} characters of {len(alphabets)} kinds cannot be drawn; exclude less, or give a longer PasswordLength.",
        )
    drawn = [secrets.choice(letters) for letters in required]
    drawn += [secrets.choice(every) for _ in range(length - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return {"RandomPassword": "".join(drawn)}


def _with(call: Call, row: Row, token: str, value: bytes | str, stages: list[str]) -> dict[str, Any]:
    """The row's fields with a version more."""
    versions = row.found["_versions"]
    for version in versions:
        if version["Id"] == token:
            if opened(call, version) != {"SecretBinary" if isinstance(value, bytes) else "SecretString": value}:
                raise Fault(
                    "ResourceExistsException", f"The version '{token}' of '{row.key.name}' has another value already."
                )
            return {}
    new = {"Id": token, "Created": call.now, "Stages": stages, **seal(call, value)}
    return {"found": {**row.found, "_versions": added(versions, new)}}
