"""The operations on a pool's people. Source: Amazon Cognito user pools API Reference, Admin...User, ListUsers.

`found` keeps what must not be shown under names that begin with `_`: the sealed password, wrong attempts, the challenge.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.resources.user_pools import passwords, records
from tobo.store.base import Query, Row

FORCED, CONFIRMED = "FORCE_CHANGE_PASSWORD", "CONFIRMED"

TEMPORARY = "tobo:temporary_password"
"""The attribute of AdminCreateUser's answer that tells a password which tobo has invented; it is kept nowhere."""

_FILTER = re.compile(r'\s*"?([\w:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*')


@operation("cognito-idp", "AdminCreateUser", resource=records.asked_arn)
def admin_create_user(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault UsernameExistsException, InvalidPasswordException, UnsupportedUserStateException (RESEND).

    No mail is sent. Without a TemporaryPassword one is invented, and told in the answer alone. RESEND gives one who has
    not signed in yet a new one.
    """
    pool = records.pool_row(call, asked["UserPoolId"])
    policy = passwords.policy_of(pool.asked)
    password = asked.get("TemporaryPassword") or passwords.invented(policy)
    passwords.check(password, policy)
    secrets = {**_clean(), "_password": passwords.sealed(password), "_given": call.now}
    if asked.get("MessageAction") == "RESEND":
        row = records.change(call, lambda: records.user_row(call, asked), lambda row: {**_unused(row), **secrets})
    else:
        row = _inserted(call, pool, asked, secrets)
    user = described(row)
    if "TemporaryPassword" not in asked:
        user["Attributes"] = [*user["Attributes"], {"Name": TEMPORARY, "Value": password}]
    return {"User": user}


def _inserted(call: Call, pool: Row, asked: Mapping[str, Any], secrets: Mapping[str, Any]) -> Row:
    name = records.user_name(pool, asked["Username"])
    given = [one for one in asked.get("UserAttributes", ()) if one["Name"] != "sub"]
    if any(one["Name"] == TEMPORARY for one in given):
        raise Fault("InvalidParameterException", f"The attribute {TEMPORARY} is tobo's own; choose another name.")
    kept = {"Username": asked["Username"]}
    attributes = [{"Name": "sub", "Value": str(uuid.uuid4())}, *({"Value": "", **one} for one in given)]
    found = {"Attributes": attributes, "Enabled": True, "UserStatus": FORCED, **secrets}
    taken = Fault("UsernameExistsException", f"User account already exists: '{asked['Username']}'.")
    return records.insert(call, records.key_of(call, records.USER, pool.key.name, name), kept, taken, found)


def _unused(row: Row) -> Mapping[str, Any]:
    if row.found["UserStatus"] != FORCED:
        raise Fault(
            "UnsupportedUserStateException",
            f"'{row.asked['Username']}' has chosen a password already; set another one with AdminSetUserPassword.",
        )
    return {}


@operation("cognito-idp", "AdminSetUserPassword", resource=records.asked_arn)
def admin_set_user_password(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Permanent, or to be changed at the next sign-in. Ends a lock-out. Raises Fault InvalidPasswordException."""
    pool = records.pool_row(call, asked["UserPoolId"])
    records.user_row(call, asked)
    passwords.check(asked["Password"], passwords.policy_of(pool.asked))
    status = CONFIRMED if asked.get("Permanent") else FORCED
    changes = {
        **_clean(),
        "_password": passwords.sealed(asked["Password"]),
        "_given": call.now,
        "UserStatus": status,
    }
    records.change(call, lambda: records.user_row(call, asked), lambda row: changes)
    return {}


@operation("cognito-idp", "AdminGetUser", resource=records.asked_arn)
def admin_get_user(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    found = described(records.user_row(call, asked))
    return {**found, "UserAttributes": found["Attributes"]}


@operation("cognito-idp", "AdminDeleteUser", resource=records.asked_arn)
def admin_delete_user(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Out of all groups, too."""
    pool, name = records.user_row(call, asked).key.name.split(" ")
    records.remove_all(call, records.MEMBER, pool, where={"Member": name})
    records.remove(call, lambda: records.user_row(call, asked))
    return {}


@operation("cognito-idp", "AdminDisableUser", resource=records.asked_arn)
def admin_disable_user(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Nobody signs in as this user any more."""
    records.change(call, lambda: records.user_row(call, asked), lambda row: {"Enabled": False, "_challenge": None})
    return {}


@operation("cognito-idp", "AdminEnableUser", resource=records.asked_arn)
def admin_enable_user(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With the password as it was."""
    records.change(call, lambda: records.user_row(call, asked), lambda row: {"Enabled": True})
    return {}


@operation("cognito-idp", "ListUsers", resource=records.asked_arn)
def list_users(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their names; Filter `name = "value"` or, for what begins so, `name ^= "value"`."""
    records.pool_row(call, asked["UserPoolId"])
    query = Query(call.space, records.USER, name_prefix=f"{asked['UserPoolId']} ")
    wanted = asked.get("AttributesToGet")

    def summary(row: Row) -> dict[str, Any]:
        user = described(row)
        if wanted:
            user["Attributes"] = [one for one in user["Attributes"] if one["Name"] in wanted]
        return user

    return records.listed(call, query, asked, "Users", summary, "PaginationToken", keep=_filter(asked.get("Filter")))


def _filter(text: str | None) -> Callable[[Row], bool]:
    """Raises Fault InvalidParameterException where it cannot be read."""
    if not text or not text.strip():
        return lambda row: True
    matched = _FILTER.fullmatch(text)
    if matched is None:
        raise Fault(
            "InvalidParameterException",
            f'The Filter \'{text}\' cannot be read; write it as username = "ada" or username ^= "a".',
        )
    name, relation, value = matched[1], matched[2], re.sub(r"\\(.)", r"\1", matched[3])

    def keep(row: Row) -> bool:
        found = {one["Name"]: one["Value"] for one in row.found["Attributes"]}
        found["username"] = row.asked["Username"]
        found["cognito:user_status"] = row.found["UserStatus"]
        found["status"] = "Enabled" if row.found["Enabled"] else "Disabled"
        has = found.get(name, "").lower()
        return has == value.lower() if relation == "=" else has.startswith(value.lower()) and name in found

    return keep


def described(row: Row) -> dict[str, Any]:
    """The members of shape UserType: none of the secrets."""
    return {
        "Username": row.asked["Username"],
        "Attributes": list(row.found["Attributes"]),
        "UserCreateDate": row.created,
        "UserLastModifiedDate": row.modified,
        "Enabled": row.found["Enabled"],
        "UserStatus": row.found["UserStatus"],
    }


def _clean() -> dict[str, Any]:
    """Of who has just got a password: no wrong attempts, no challenge."""
    return {"_failures": 0, "_locked": 0.0, "_challenge": None}
