"""The operations on a pool's groups, and on who is in them."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.resources.user_pools import records
from tobo.resources.user_pools.users import described as described_user
from tobo.store.base import Query, Row


@operation("cognito-idp", "CreateGroup", resource=records.asked_arn)
def create_group(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault GroupExistsException, ResourceNotFoundException."""
    records.pool_row(call, asked["UserPoolId"])
    taken = Fault("GroupExistsException", f"A group with the name '{asked['GroupName']}' already exists.")
    key = records.key_of(call, records.GROUP, asked["UserPoolId"], asked["GroupName"])
    return {"Group": _described(records.insert(call, key, asked, taken))}


@operation("cognito-idp", "GetGroup", resource=records.asked_arn)
def get_group(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    return {"Group": _described(records.group_row(call, asked))}


@operation("cognito-idp", "ListGroups", resource=records.asked_arn)
def list_groups(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their names."""
    records.pool_row(call, asked["UserPoolId"])
    query = Query(call.space, records.GROUP, name_prefix=f"{asked['UserPoolId']} ")
    return records.listed(call, query, asked, "Groups", _described)


@operation("cognito-idp", "DeleteGroup", resource=records.asked_arn)
def delete_group(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Its people stay in the pool."""
    row = records.group_row(call, asked)
    records.remove_all(call, records.MEMBER, row.key.name)
    records.remove(call, lambda: records.group_row(call, asked))
    return {}


@operation("cognito-idp", "AdminAddUserToGroup", resource=records.asked_arn)
def admin_add_user_to_group(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Who is in it already stays."""
    group, user = records.group_row(call, asked), records.user_row(call, asked)
    name = user.key.name.split(" ")[1]
    key = records.key_of(call, records.MEMBER, group.key.name, name)
    records.insert(call, key, {"Member": name, "GroupName": asked["GroupName"]}, None)
    return {}


@operation("cognito-idp", "AdminRemoveUserFromGroup", resource=records.asked_arn)
def admin_remove_user_from_group(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Who is not in it is no error."""
    group, user = records.group_row(call, asked), records.user_row(call, asked)
    row = records.find(call, records.MEMBER, group.key.name, user.key.name.split(" ")[1])
    if row is not None:
        call.context.store.delete(row)
    return {}


@operation("cognito-idp", "AdminListGroupsForUser", resource=records.asked_arn)
def admin_list_groups_for_user(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their names."""
    user = records.user_row(call, asked)
    pool, name = user.key.name.split(" ")
    query = Query(call.space, records.MEMBER, name_prefix=f"{pool} ", where={"Member": name})

    def summary(row: Row) -> dict[str, Any] | None:
        group = records.find(call, records.GROUP, pool, row.asked["GroupName"])
        return None if group is None else _described(group)

    return records.listed(call, query, asked, "Groups", summary)


@operation("cognito-idp", "ListUsersInGroup", resource=records.asked_arn)
def list_users_in_group(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of their names."""
    group = records.group_row(call, asked)
    query = Query(call.space, records.MEMBER, name_prefix=f"{group.key.name} ")

    def summary(row: Row) -> dict[str, Any] | None:
        user = records.find(call, records.USER, asked["UserPoolId"], row.asked["Member"])
        return None if user is None else described_user(user)

    return records.listed(call, query, asked, "Users", summary)


def _described(row: Row) -> dict[str, Any]:
    return {**row.asked, "CreationDate": row.created, "LastModifiedDate": row.modified}
