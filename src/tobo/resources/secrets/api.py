"""Secrets made, described, tagged, deleted and restored. What rotates by a Lambda, or lives in several regions, is refused."""

import secrets
import string
import uuid
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row
from tobo.resources.secrets.rows import KIND, SERVICE, arn_of, known, named, seal, value_of
from tobo.resources.secrets.versions import CURRENT
from tobo.store.base import Conflict, Row

_LETTERS = string.ascii_letters + string.digits
DAY = 86_400.0
WINDOW_DAYS = 30


@operation(SERVICE, "CreateSecret", resource=named)
def create_secret(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceExistsException, InvalidParameterException."""
    if asked.get("AddReplicaRegions"):
        raise Fault(
            "InvalidParameterException",
            "AddReplicaRegions: there is one server, and nothing to replicate to; leave it out.",
        )
    value = value_of(asked)
    token = asked.get("ClientRequestToken") or str(uuid.uuid4())
    version = {"Id": token, "Created": call.now, "Stages": [CURRENT]}
    kept = {name: asked[name] for name in ("Description", "KmsKeyId", "Type", "Tags") if name in asked}
    name = asked["Name"]
    row = add_row(
        call,
        KIND,
        name,
        {**kept, "Name": name},
        lambda arn: Fault("ResourceExistsException", f"The operation failed because the secret {name} already exists."),
        found={"_versions": [] if value is None else [{**version, **seal(call, value)}]},
        arn=arn_of(call, name, "".join(secrets.choice(_LETTERS) for _ in range(6))),
    )
    return {"ARN": row.arn, "Name": name, **({} if value is None else {"VersionId": token})}


@operation(SERVICE, "DescribeSecret", resource=named)
def describe_secret(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Never with the value. Raises Fault ResourceNotFoundException."""
    row = known(call, asked, deleted=True)
    return {**summary(row), "VersionIdsToStages": stages_of(row)}


@operation(SERVICE, "DeleteSecret", resource=named)
def delete_secret(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Marks it, to be removed in RecoveryWindowInDays (30), or removes it at once.

    Raises Fault ResourceNotFoundException, InvalidParameterException, InvalidRequestException.
    """
    days, at_once = asked.get("RecoveryWindowInDays"), asked.get("ForceDeleteWithoutRecovery")
    if days is not None and at_once:
        raise Fault("InvalidParameterException", "Give RecoveryWindowInDays or ForceDeleteWithoutRecovery, not both.")
    if days is not None and not 7 <= days <= WINDOW_DAYS:
        raise Fault("InvalidParameterException", f"RecoveryWindowInDays is {days}; it is 7 to {WINDOW_DAYS}.")
    if at_once:
        while True:
            row = known(call, asked, deleted=True)
            try:
                call.context.store.delete(row)
            except Conflict:
                continue
            return {"ARN": row.arn, "Name": row.key.name, "DeletionDate": call.now}
    ends = call.now + (days or WINDOW_DAYS) * DAY
    row = change_row(
        call, lambda: known(call, asked), "marked", lambda row: {"found": {**row.found, "DeletedDate": ends}}
    )
    return {"ARN": row.arn, "Name": row.key.name, "DeletionDate": ends}


@operation(SERVICE, "RestoreSecret", resource=named)
def restore_secret(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Takes a mark for deletion back. Raises Fault ResourceNotFoundException."""
    row = change_row(
        call,
        lambda: known(call, asked, deleted=True),
        "restored",
        lambda row: {"found": {**row.found, "DeletedDate": None}},
    )
    return {"ARN": row.arn, "Name": row.key.name}


@operation(SERVICE, "TagResource", resource=named)
def tag_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFoundException."""
    given = {tag["Key"]: tag.get("Value", "") for tag in asked["Tags"]}
    change_row(call, lambda: known(call, asked), "tagged", lambda row: {"tags": {**row.tags, **given}})
    return {}


@operation(SERVICE, "UntagResource", resource=named)
def untag_resource(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFoundException."""
    gone = set(asked["TagKeys"])
    change_row(
        call,
        lambda: known(call, asked),
        "untagged",
        lambda row: {"tags": {key: value for key, value in row.tags.items() if key not in gone}},
    )
    return {}


def stages_of(row: Row) -> dict[str, list[str]]:
    """The labels of each version that has any."""
    return {version["Id"]: version["Stages"] for version in row.found["_versions"] if version["Stages"]}


def summary(row: Row) -> dict[str, Any]:
    """What lists and DescribeSecret tell alike."""
    told = {name: row.asked[name] for name in ("Description", "KmsKeyId", "Type") if name in row.asked}
    times = {name: row.found[name] for name in ("DeletedDate", "LastAccessedDate") if row.found.get(name)}
    tags = [{"Key": key, "Value": value} for key, value in row.tags.items()]
    changed = max([row.created, *(version["Created"] for version in row.found["_versions"])])
    return {
        "ARN": row.arn,
        "Name": row.key.name,
        "CreatedDate": row.created,
        "LastChangedDate": changed,
        "Tags": tags,
        **told,
        **times,
    }
