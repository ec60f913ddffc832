"""Role aliases: what a device names to get a role's credentials. iot Create/Describe/Update/Delete/ListRoleAlias(es)."""

from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import Asked, operation
from tobo.operations.rows import add_row, change_row, known_row, remove_row
from tobo.resources.things.names import ALIAS, iot_arn, missing
from tobo.store.base import Row


def _resource(call: Call, asked: Asked) -> str:
    return iot_arn(call.space, f"rolealias/{asked.get('roleAlias', '*')}")


def alias_row(call: Call, name: str) -> Row:
    """Raises Fault ResourceNotFoundException."""
    return known_row(call, ALIAS, name, lambda arn: missing("role alias", name))


@operation("iot", "CreateRoleAlias", resource=_resource)
def create_role_alias(call: Call, asked: Asked) -> dict[str, Any]:
    """Raises Fault ResourceAlreadyExistsException."""
    tags = [{"Key": tag["Key"], "Value": tag.get("Value", "")} for tag in asked.get("tags", [])]
    kept = {name: value for name, value in asked.items() if name != "tags"}
    row = add_row(call, ALIAS, asked["roleAlias"], {**kept, "Tags": tags}, _taken, arn=_resource(call, asked))
    return {"roleAlias": row.key.name, "roleAliasArn": row.arn}


@operation("iot", "DescribeRoleAlias", resource=_resource)
def describe_role_alias(call: Call, asked: Asked) -> dict[str, Any]:
    row = alias_row(call, asked["roleAlias"])
    return {
        "roleAliasDescription": {
            "credentialDurationSeconds": 3600,
            **row.asked,
            "roleAliasArn": row.arn,
            "owner": call.space.account,
            "creationDate": row.created,
            "lastModifiedDate": row.modified,
        }
    }


@operation("iot", "UpdateRoleAlias", resource=_resource)
def update_role_alias(call: Call, asked: Asked) -> dict[str, Any]:
    """What is not given stays."""
    row = change_row(
        call,
        lambda: alias_row(call, asked["roleAlias"]),
        "updated",
        lambda row: {"asked": {**row.asked, **asked}},
    )
    return {"roleAlias": row.key.name, "roleAliasArn": row.arn}


@operation("iot", "DeleteRoleAlias", resource=_resource)
def delete_role_alias(call: Call, asked: Asked) -> dict[str, Any]:
    """Devices that name it get no credentials any more. Raises Fault ResourceNotFoundException."""
    remove_row(call, ALIAS, asked["roleAlias"], lambda arn: missing("role alias", asked["roleAlias"]))
    return {}


@operation("iot", "ListRoleAliases", resource=_resource)
def list_role_aliases(call: Call, asked: Asked) -> dict[str, Any]:
    like = {"SortBy": "Name", "MaxResults": asked.get("pageSize") or 25, "NextToken": asked.get("marker")}
    descending = not asked.get("ascendingOrder", False)
    answer = list_rows(call, ALIAS, like, "roleAliases", _summary, default_descending=descending)
    more = {"nextMarker": answer["NextToken"]} if "NextToken" in answer else {}
    return {"roleAliases": [one["roleAlias"] for one in answer["roleAliases"]], **more}


def _summary(row: Row) -> dict[str, Any]:
    return {"roleAlias": row.key.name}


def _taken(arn: str) -> Fault:
    return Fault("ResourceAlreadyExistsException", f"The role alias exists ({arn}); update it.", 409)
