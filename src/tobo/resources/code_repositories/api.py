"""The operations on code repositories. Source: API reference, CreateCodeRepository and its siblings.

A SecretArn is read by the notebook instance that clones, with its role.
"""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, known_row, remove_row
from tobo.store.base import Row

KIND = "code-repository"


@operation("sagemaker", "CreateCodeRepository")
def create_code_repository(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where the name is taken."""
    row = add_row(
        call,
        KIND,
        asked["CodeRepositoryName"],
        asked,
        lambda arn: validation(f'Cannot create already existing Code Repository: "{arn}".'),
    )
    return {"CodeRepositoryArn": row.arn}


@operation("sagemaker", "DescribeCodeRepository")
def describe_code_repository(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    return _summary(known_row(call, KIND, asked["CodeRepositoryName"], _missing))


@operation("sagemaker", "ListCodeRepositories")
def list_code_repositories(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By name unless asked otherwise."""
    return list_rows(
        call, KIND, {"SortBy": "Name", **asked}, "CodeRepositorySummaryList", _summary, default_descending=False
    )


@operation("sagemaker", "UpdateCodeRepository")
def update_code_repository(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The secret alone can be changed."""

    def changed(row: Row) -> dict[str, Any]:
        return {"asked": {**row.asked, "GitConfig": {**row.asked["GitConfig"], **asked.get("GitConfig", {})}}}

    row = change_row(call, lambda: known_row(call, KIND, asked["CodeRepositoryName"], _missing), "updated", changed)
    return {"CodeRepositoryArn": row.arn}


@operation("sagemaker", "DeleteCodeRepository")
def delete_code_repository(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was cloned of it stays."""
    remove_row(call, KIND, asked["CodeRepositoryName"], _missing)
    return {}


def _missing(arn: str) -> Fault:
    return validation(f'Cannot find Code Repository: "{arn}".')


def _summary(row: Row) -> dict[str, Any]:
    return {
        "CodeRepositoryName": row.key.name,
        "CodeRepositoryArn": row.arn,
        "GitConfig": row.asked["GitConfig"],
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }
