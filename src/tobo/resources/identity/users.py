"""Users: iam CreateUser, GetUser, ListUsers, DeleteUser. A user is who has access keys of its own."""

from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.identity import records
from tobo.resources.identity.access_keys import keys_of
from tobo.resources.identity.callers import caller_name
from tobo.store.base import Query, Row


def _user_arn(call: Call, asked: Asked) -> str:
    return records.arn_of(call, "user", asked.get("UserName") or "*", asked.get("Path"))


def _row(call: Call, asked: Asked) -> Row:
    return records.row_of(call, "user", asked["UserName"])


def _described(row: Row) -> dict[str, Any]:
    """The members of shape User."""
    return {
        "Path": "/",
        **row.asked,
        "UserId": row.found["UserId"],
        "Arn": row.arn,
        "CreateDate": row.created,
        "Tags": records.tag_list(row),
    }


@operation("iam", "CreateUser", resource=_user_arn)
def create_user(call: Call, asked: Asked) -> Any:
    records.refuse_boundary(asked)
    arn = records.iam_arn(call, "user", asked.get("Path"), asked["UserName"])
    found = {"UserId": records.unique_id("AIDA"), "Attached": [], "Inline": {}}
    return {"User": _described(records.create(call, "user", asked["UserName"], arn, asked, found))}


@operation("iam", "GetUser", resource=_user_arn)
def get_user(call: Call, asked: Asked) -> Any:
    """Without a name: the user who asks; the root is told its account, as AWS does."""
    name = asked.get("UserName") or caller_name(call)
    if name is None:
        principal = call.principal
        return {
            "User": {
                "Path": "/",
                "UserName": "root",
                "UserId": principal.user_id,
                "Arn": principal.arn,
                "CreateDate": 0,
            }
        }
    return {"User": _described(records.row_of(call, "user", name))}


@operation("iam", "ListUsers", resource=_user_arn)
def list_users(call: Call, asked: Asked) -> Any:
    query = Query(Namespace(call.space.account, ""), "user")
    return records.listed(call, query, asked, "Users", _described, records.under_path(asked))


@operation("iam", "DeleteUser", resource=_user_arn)
def delete_user(call: Call, asked: Asked) -> Any:
    def refuse(row: Row) -> None:
        if keys_of(call, asked["UserName"]):
            raise Fault("DeleteConflict", "Cannot delete entity, must delete access keys first.", 409)
        records.refuse_with_policies(row)

    records.remove(call, lambda: _row(call, asked), refuse)
    return {}
