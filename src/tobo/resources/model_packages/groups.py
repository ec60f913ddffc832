"""The operations on model package groups. Source: API reference, CreateModelPackageGroup and its siblings."""

import json
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, known_row, made_by, remove_row
from tobo.store.base import Query, Row

KIND = "model-package-group"
PACKAGE = "model-package"


@operation("sagemaker", "CreateModelPackageGroup")
def create_model_package_group(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where the name is taken."""
    row = add_row(
        call, KIND, asked["ModelPackageGroupName"], asked, _taken, state="Completed", found={"CreatedBy": made_by(call)}
    )
    return {"ModelPackageGroupArn": row.arn}


@operation("sagemaker", "DescribeModelPackageGroup")
def describe_model_package_group(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By name or ARN."""
    row = group_row(call, asked["ModelPackageGroupName"])
    return {**row.asked, **row.found, **_head(row)}


@operation("sagemaker", "ListModelPackageGroups")
def list_model_package_groups(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "ModelPackageGroupSummaryList", _summary)


@operation("sagemaker", "DeleteModelPackageGroup")
def delete_model_package_group(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ConflictException while it has versions."""
    row = group_row(call, asked["ModelPackageGroupName"])
    there = call.context.store.count(Query(call.space, PACKAGE, where={"ModelPackageGroupName": row.key.name}))
    if there:
        raise Fault("ConflictException", f"The group '{row.key.name}' has {there} model packages; delete them first.")
    remove_row(call, KIND, row.key.name, missing)
    return {}


@operation("sagemaker", "PutModelPackageGroupPolicy")
def put_model_package_group_policy(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Kept as it is given. It is for other accounts, of which none comes here: a key's own policy decides."""
    try:
        json.loads(asked["ResourcePolicy"])
    except ValueError as error:
        raise validation(f"ResourcePolicy is not JSON: {error}.") from None
    row = _change(call, asked, {"_policy": asked["ResourcePolicy"]})
    return {"ModelPackageGroupArn": row.arn}


@operation("sagemaker", "GetModelPackageGroupPolicy")
def get_model_package_group_policy(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where there is none."""
    row = group_row(call, asked["ModelPackageGroupName"])
    if not row.found.get("_policy"):
        raise validation(f"The group '{row.key.name}' has no policy; PutModelPackageGroupPolicy gives it one.")
    return {"ResourcePolicy": row.found["_policy"]}


@operation("sagemaker", "DeleteModelPackageGroupPolicy")
def delete_model_package_group_policy(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A group without one is no error."""
    _change(call, asked, {"_policy": ""})
    return {}


def group_row(call: Call, name: str) -> Row:
    """The group of this name or ARN; raises Fault ValidationException."""
    return known_row(call, KIND, name.rsplit("/", 1)[-1], missing)


def next_version(call: Call, name: str) -> tuple[str, int]:
    """(the group's name, a number that no version of it had before). Raises Fault where there is no such group."""
    row = change_row(
        call,
        lambda: group_row(call, name),
        "versioned",
        lambda row: {"found": {**row.found, "_last": row.found.get("_last", 0) + 1}},
    )
    return row.key.name, row.found["_last"]


def missing(arn: str) -> Fault:
    name = arn.rsplit("/", 1)[-1]
    return validation(
        f"There is no model package group '{name}' ({arn}); ListModelPackageGroups tells those that are there."
    )


def _change(call: Call, asked: Mapping[str, Any], found: Mapping[str, Any]) -> Row:
    name = asked["ModelPackageGroupName"]
    return change_row(call, lambda: group_row(call, name), "policy", lambda row: {"found": {**row.found, **found}})


def _head(row: Row) -> dict[str, Any]:
    return {
        "ModelPackageGroupName": row.key.name,
        "ModelPackageGroupArn": row.arn,
        "ModelPackageGroupStatus": row.status,
        "CreationTime": row.created,
    }


def _summary(row: Row) -> dict[str, Any]:
    words = row.asked.get("ModelPackageGroupDescription")
    return {**_head(row), **({"ModelPackageGroupDescription": words} if words else {})}


def _taken(arn: str) -> Fault:
    return validation(f"There is a model package group of this name already ({arn}); choose another.")
