"""Roles: iam CreateRole, GetRole, ListRoles, UpdateAssumeRolePolicy, DeleteRole, and the one born with the account."""

from typing import Any

import orjson

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context
from tobo.operations.registry import Asked, operation
from tobo.resources.identity import records
from tobo.resources.identity.keyring import EXECUTION_ROLE, EXECUTION_ROLE_POLICY, root_of
from tobo.store.base import Query, Row


def role_arn(call: Call, asked: Asked) -> str:
    """The role that a request is about, for the check of policies."""
    return records.arn_of(call, "role", asked.get("RoleName", "*"), asked.get("Path"))


def role_row(call: Call, asked: Asked) -> Row:
    return records.row_of(call, "role", asked["RoleName"])


def _described(row: Row) -> dict[str, Any]:
    """The members of shape Role."""
    return {
        "Path": "/",
        "MaxSessionDuration": 3600,
        **row.asked,
        "RoleId": row.found["RoleId"],
        "Arn": row.arn,
        "CreateDate": row.created,
        "AssumeRolePolicyDocument": records.encoded(row.asked["AssumeRolePolicyDocument"]),
        "RoleLastUsed": {},
        "Tags": records.tag_list(row),
    }


@operation("iam", "CreateRole", resource=role_arn)
def create_role(call: Call, asked: Asked) -> Any:
    records.refuse_boundary(asked)
    records.policy_text(asked["AssumeRolePolicyDocument"], "AssumeRolePolicyDocument")
    arn = records.iam_arn(call, "role", asked.get("Path"), asked["RoleName"])
    found = {"RoleId": records.unique_id("AROA"), "Attached": [], "Inline": {}}
    return {"Role": _described(records.create(call, "role", asked["RoleName"], arn, asked, found))}


@operation("iam", "GetRole", resource=role_arn)
def get_role(call: Call, asked: Asked) -> Any:
    return {"Role": _described(role_row(call, asked))}


@operation("iam", "ListRoles", resource=role_arn)
def list_roles(call: Call, asked: Asked) -> Any:
    query = Query(Namespace(call.space.account, ""), "role")
    return records.listed(call, query, asked, "Roles", _described, records.under_path(asked))


@operation("iam", "UpdateAssumeRolePolicy", resource=role_arn)
def update_assume_role_policy(call: Call, asked: Asked) -> Any:
    document = records.policy_text(asked["PolicyDocument"], "PolicyDocument")
    records.change(
        call,
        lambda: role_row(call, asked),
        lambda row: {"asked": {**row.asked, "AssumeRolePolicyDocument": document}},
    )
    return {}


@operation("iam", "DeleteRole", resource=role_arn)
def delete_role(call: Call, asked: Asked) -> Any:
    records.remove(call, lambda: role_row(call, asked), records.refuse_with_policies)
    return {}


def ensure_execution_role(context: Context) -> Row:
    """The role that jobs get who name one of another account; made where it is missing.

    Who is in the account may assume it, too: so the SDKs' get_execution_role() has a role to find.
    """
    call = Call(context, root_of(context), Namespace(root_of(context).account, ""))
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com", "AWS": call.principal.arn},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    asked = {
        "RoleName": EXECUTION_ROLE,
        "Path": "/service-role/",
        "AssumeRolePolicyDocument": orjson.dumps(trust).decode(),
        "Description": "Jobs and endpoints run with it where no other role is named.",
        "MaxSessionDuration": 43_200,
    }
    row = context.store.get(records.key_of(call, "role", EXECUTION_ROLE))
    if row is not None:
        return row
    arn = records.iam_arn(call, "role", asked["Path"], EXECUTION_ROLE)  # type: ignore[arg-type]
    found = {"RoleId": records.unique_id("AROA"), "Attached": [EXECUTION_ROLE_POLICY], "Inline": {}}
    try:
        return records.create(call, "role", EXECUTION_ROLE, arn, asked, found)
    except Fault:
        return records.row_of(call, "role", EXECUTION_ROLE)  # another start was quicker
