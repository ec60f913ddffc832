"""The operations on user pools. Source: Amazon Cognito user pools API Reference, Create/Describe/List/DeleteUserPool."""

import secrets
import string
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.resources.user_pools import records
from tobo.resources.user_pools.passwords import policy_of
from tobo.store.base import Conflict, Query, Row

_LETTERS = string.ascii_letters + string.digits


@operation("cognito-idp", "CreateUserPool", resource=records.asked_arn)
def create_user_pool(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Names may be taken several times; the Id is a pool's own. Raises Fault InvalidParameterException.

    What would send messages, ask for a second factor or call a function is kept, and does nothing.
    """
    if asked.get("MfaConfiguration") == "ON":
        raise Fault(
            "InvalidParameterException",
            "MfaConfiguration ON would promise a second factor, which tobo does not ask for; leave it OFF.",
        )
    pool = f"{call.space.region}_{''.join(secrets.choice(_LETTERS) for _ in range(9))}"
    taken = Fault("InternalErrorException", f"The id {pool} was drawn twice; try again.", 500)
    return {"UserPool": described(records.insert(call, records.key_of(call, records.POOL, pool), asked, taken))}


@operation("cognito-idp", "DescribeUserPool", resource=records.asked_arn)
def describe_user_pool(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With the number of its users."""
    row = records.pool_row(call, asked["UserPoolId"])
    users = call.context.store.count(Query(call.space, records.USER, name_prefix=f"{row.key.name} "))
    return {"UserPool": {**described(row), "EstimatedNumberOfUsers": users}}


@operation("cognito-idp", "ListUserPools", resource=records.asked_arn)
def list_user_pools(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their Ids."""
    return records.listed(
        call, Query(call.space, records.POOL), asked, "UserPools", _summary, "NextToken", "MaxResults"
    )


@operation("cognito-idp", "DeleteUserPool", resource=records.asked_arn)
def delete_user_pool(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With all that is in it, and the pool last: killed in between, it is there to be deleted again."""
    row = records.pool_row(call, asked["UserPoolId"])
    if row.asked.get("DeletionProtection") == "ACTIVE":
        raise Fault("InvalidParameterException", f"The user pool {row.key.name} has DeletionProtection ACTIVE.")
    if "Domain" in row.found:
        raise Fault(
            "InvalidParameterException",
            f"User pool cannot be deleted. It has the domain '{row.found['Domain']}', that should be deleted first.",
        )
    for kind in (records.MEMBER, records.USER, records.GROUP, records.CLIENT):
        records.remove_all(call, kind, row.key.name)
    records.remove(call, lambda: records.pool_row(call, asked["UserPoolId"]))
    return {}


@operation("cognito-idp", "CreateUserPoolDomain", resource=records.asked_arn)
def create_user_pool_domain(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Kept, so that scripts for AWS go through; people sign in at the worker page, whose address no domain changes."""

    def named(row: Row) -> dict[str, Any]:
        if row.found.get("Domain", asked["Domain"]) != asked["Domain"]:
            raise Fault("InvalidParameterException", f"The user pool has the domain '{row.found['Domain']}' already.")
        return {"Domain": asked["Domain"]}

    records.change(call, lambda: records.pool_row(call, asked["UserPoolId"]), named)
    return {}


@operation("cognito-idp", "DeleteUserPoolDomain", resource=records.asked_arn)
def delete_user_pool_domain(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFoundException for a domain that the pool does not have."""
    while True:
        row = records.pool_row(call, asked["UserPoolId"])
        if row.found.get("Domain") != asked["Domain"]:
            raise Fault("ResourceNotFoundException", f"The user pool {row.key.name} has no domain '{asked['Domain']}'.")
        kept = {name: value for name, value in row.found.items() if name != "Domain"}
        try:
            call.context.store.update(row, modified=call.now, found=kept)
        except Conflict:
            continue
        return {}


def described(row: Row) -> dict[str, Any]:
    """The members of shape UserPoolType."""
    policies = {**row.asked.get("Policies", {}), "PasswordPolicy": dict(policy_of(row.asked))}
    return {
        "MfaConfiguration": "OFF",
        "DeletionProtection": "INACTIVE",
        **row.asked,
        **row.found,
        "Policies": policies,
        **_summary(row),
        "Arn": row.arn,
    }


def _summary(row: Row) -> dict[str, Any]:
    return {
        "Id": row.key.name,
        "Name": row.asked["PoolName"],
        "CreationDate": row.created,
        "LastModifiedDate": row.modified,
    }
