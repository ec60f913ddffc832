"""Access keys of users: iam CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey."""

import secrets
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.identity import records
from tobo.resources.identity.callers import caller_name
from tobo.resources.identity.keyring import EVERYWHERE
from tobo.store.base import Key, Query, Row

MOST_KEYS = 2
"""Of one user (IAM User Guide, "IAM and AWS STS quotas")."""


def _user_arn(call: Call, asked: Asked) -> str:
    return records.arn_of(call, "user", asked.get("UserName") or "*")


def _user(call: Call, asked: Asked) -> str:
    """Whose keys are meant. Raises Fault NoSuchEntity; ValidationError for the root, whose key is the settings'."""
    name = asked.get("UserName") or caller_name(call)
    if name is None:
        raise Fault(
            "ValidationError", "UserName is missing; the root's own key is chosen by tobo's settings, not here."
        )
    return records.row_of(call, "user", name).key.name


def keys_of(call: Call, user: str) -> list[Row]:
    """A user's access keys, at most two."""
    query = Query(EVERYWHERE, "access-key", where={"UserName": user}, sort_by="CreationTime", descending=False)
    return [row for row in call.context.store.page(query).rows if row.found["Account"] == call.space.account]


def _key_row(call: Call, asked: Asked) -> Row:
    user = _user(call, asked)
    row = call.context.store.get(Key(EVERYWHERE, "access-key", asked["AccessKeyId"]))
    if row is None or row.asked["UserName"] != user or row.found["Account"] != call.space.account:
        raise records.no_such("Access Key", asked["AccessKeyId"])
    return row


def _described(row: Row) -> dict[str, Any]:
    return {
        "UserName": row.asked["UserName"],
        "AccessKeyId": row.key.name,
        "Status": row.status,
        "CreateDate": row.created,
    }


@operation("iam", "CreateAccessKey", resource=_user_arn)
def create_access_key(call: Call, asked: Asked) -> Any:
    """The secret is told this once."""
    user = _user(call, asked)
    if len(keys_of(call, user)) >= MOST_KEYS:
        raise Fault("LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {MOST_KEYS}", 409)
    key_id = "AKIA" + records.unique_id("")[:16]
    secret = secrets.token_urlsafe(30)
    found = {"Account": call.space.account, "SecretAccessKey": secret}
    key = Key(EVERYWHERE, "access-key", key_id)
    row = records.create(call, "access-key", key_id, "", {"UserName": user}, found, key)
    return {"AccessKey": {**_described(row), "SecretAccessKey": secret}}


@operation("iam", "ListAccessKeys", resource=_user_arn)
def list_access_keys(call: Call, asked: Asked) -> Any:
    keys = [_described(row) for row in keys_of(call, _user(call, asked))]
    return records.cut(keys, asked, "AccessKeyMetadata")


@operation("iam", "UpdateAccessKey", resource=_user_arn)
def update_access_key(call: Call, asked: Asked) -> Any:
    status = asked["Status"]
    if status not in ("Active", "Inactive"):
        raise Fault("InvalidInput", f"Status '{status}' is not one that a key can be given; Active or Inactive is.")
    records.change(call, lambda: _key_row(call, asked), lambda row: {"status": status, "state": status})
    return {}


@operation("iam", "DeleteAccessKey", resource=_user_arn)
def delete_access_key(call: Call, asked: Asked) -> Any:
    records.remove(call, lambda: _key_row(call, asked))
    return {}
