"""Actions and contexts: lineage entities that have a name. Source: API reference, CreateAction, CreateContext and siblings."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import Asked, operation
from tobo.operations.rows import add_row, change_row, known_row, made_by, remove_row
from tobo.resources.lineage.associations import check_unassociated
from tobo.store.base import Row

MOST_PROPERTIES = 30


def with_properties(call: Call, row: Row, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a row that an Update changes. Raises Fault ValidationException for more than 30 properties."""
    gone = set(asked.get("PropertiesToRemove", ()))
    merged = {**row.asked.get("Properties", {}), **asked.get("Properties", {})}
    kept = {name: value for name, value in merged.items() if name not in gone}
    if len(kept) > MOST_PROPERTIES:
        raise validation(f"'{row.arn}' would have {len(kept)} properties; at most {MOST_PROPERTIES} are kept.")
    given = {name: value for name, value in asked.items() if not name.endswith(("Arn", "PropertiesToRemove"))}
    return {
        "asked": {**row.asked, **given, "Properties": kept},
        "found": {**row.found, "LastModifiedBy": made_by(call)},
    }


def _register(noun: str) -> None:
    """The five operations of "Action" or "Context"."""
    kind, name_member, arn_member = noun.lower(), f"{noun}Name", f"{noun}Arn"

    def missing(arn: str) -> Fault:
        return Fault("ResourceNotFound", f"{noun} '{arn.rsplit('/', 1)[-1]}' does not exist; create it first.")

    def known(call: Call, asked: Asked) -> Row:
        return known_row(call, kind, asked[name_member].rsplit("/", 1)[-1], missing)

    def head(row: Row) -> dict[str, Any]:
        return {
            name_member: row.key.name,
            arn_member: row.arn,
            "CreationTime": row.created,
            "LastModifiedTime": row.modified,
        }

    def summary(row: Row) -> dict[str, Any]:
        names = ("Source", f"{noun}Type", "Status")
        return {**{name: row.asked[name] for name in names if name in row.asked}, **head(row)}

    @operation("sagemaker", f"Create{noun}")
    def create(call: Call, asked: Asked) -> dict[str, Any]:
        row = add_row(
            call,
            kind,
            asked[name_member],
            asked,
            lambda arn: validation(f"{noun} names are unique in an account and region, and {arn} already exists."),
            found={"CreatedBy": made_by(call), "_source": asked["Source"]["SourceUri"]},
        )
        return {arn_member: row.arn}

    @operation("sagemaker", f"Describe{noun}")
    def describe(call: Call, asked: Asked) -> dict[str, Any]:
        row = known(call, asked)
        return {**row.asked, **row.found, **head(row)}

    @operation("sagemaker", f"Update{noun}")
    def update(call: Call, asked: Asked) -> dict[str, Any]:
        row = change_row(call, lambda: known(call, asked), "updated", lambda row: with_properties(call, row, asked))
        return {arn_member: row.arn}

    @operation("sagemaker", f"List{noun}s")
    def listed(call: Call, asked: Asked) -> dict[str, Any]:
        where = {"_source": asked.get("SourceUri"), f"{noun}Type": asked.get(f"{noun}Type")}
        return list_rows(call, kind, asked, f"{noun}Summaries", summary, where=where)

    @operation("sagemaker", f"Delete{noun}")
    def delete(call: Call, asked: Asked) -> dict[str, Any]:
        row = known(call, asked)
        check_unassociated(call, row.arn)
        remove_row(call, kind, row.key.name, missing)
        return {arn_member: row.arn}


_register("Action")
_register("Context")
