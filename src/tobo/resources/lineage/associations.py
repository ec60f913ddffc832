"""The operations on associations. Source: API reference, AddAssociation and its siblings.

An association has no ARN on AWS: its row's name is "<source ARN> <destination ARN>" and its `arn` says where it leads, so
that both ends find it by an index. `status` and `state` hold the types of the two, by which lists are sorted.
"""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import parse_arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import made_by
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Query, Row

KIND = "association"

_SORTS = {"SourceArn": "Name", "DestinationArn": "Arn", "SourceType": "Status", "DestinationType": "State"}


@operation("sagemaker", "AddAssociation", resource=lambda call, asked: str(asked["SourceArn"]))
def add_association(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFound where an end does not exist, ValidationException where they are associated."""
    source, destination = (known_entity(call, asked[end]) for end in ("SourceArn", "DestinationArn"))
    row = Row(
        key=Key(call.space, KIND, f"{source.arn} {destination.arn}"),
        arn=leading_to(destination.arn),
        asked={"AssociationType": "AssociatedWith", **asked},
        found={
            "SourceType": type_of(source),
            "DestinationType": type_of(destination),
            "SourceName": _name(source),
            "DestinationName": _name(destination),
            "CreatedBy": made_by(call),
        },
        status=type_of(source),
        state=type_of(destination),
        created=call.now,
        modified=call.now,
    )
    try:
        call.context.store.insert(row, Event(call.now, "created", row.state))
    except AlreadyExists:
        raise validation(f"An association from {source.arn} to {destination.arn} already exists.") from None
    return {"SourceArn": source.arn, "DestinationArn": destination.arn}


@operation("sagemaker", "DeleteAssociation", resource=lambda call, asked: str(asked["SourceArn"]))
def delete_association(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFound."""
    key = Key(call.space, KIND, f"{asked['SourceArn']} {asked['DestinationArn']}")
    while (row := call.context.store.get(key)) is not None:
        try:
            call.context.store.delete(row)
        except Conflict:
            continue
        return {"SourceArn": asked["SourceArn"], "DestinationArn": asked["DestinationArn"]}
    raise Fault("ResourceNotFound", f"No association leads from {asked['SourceArn']} to {asked['DestinationArn']}.")


@operation("sagemaker", "ListAssociations", resource=lambda call, asked: "*")
def list_associations(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    source, destination = asked.get("SourceArn"), asked.get("DestinationArn")
    wanted = dict(asked)
    if "SortBy" in asked:
        wanted["SortBy"] = _SORTS.get(asked["SortBy"], "CreationTime")
    return list_rows(
        call,
        KIND,
        wanted,
        "AssociationSummaries",
        lambda row: {**row.asked, **row.found, "CreationTime": row.created},
        where={name: asked.get(name) for name in ("AssociationType", "SourceType", "DestinationType")},
        name_prefix=f"{source} " if source else None,
        arn=leading_to(destination) if destination else None,
    )


def leading_to(arn: str) -> str:
    """The `arn` of associations to a destination."""
    return f"to {arn}"


def known_entity(call: Call, arn: str) -> Row:
    """What an association or a query may name; raises Fault ResourceNotFound."""
    row = call.context.store.find_arn(arn)
    if row is None or row.key.space != call.space:
        raise Fault("ResourceNotFound", f"'{arn}' does not exist; create it before it is associated.")
    return row


def type_of(row: Row) -> str:
    """ArtifactType, ActionType, ContextType, or the source type of a trial component."""
    if "Source" in row.found:
        return str(row.found["Source"]["SourceType"])
    if row.key.kind in ("artifact", "action", "context"):
        return str(row.asked[f"{row.key.kind.capitalize()}Type"])
    return "TrialComponent" if row.key.kind == "experiment-trial-component" else "Experiment"


def check_unassociated(call: Call, arn: str) -> None:
    """Raises Fault ValidationException where an association leads here or from here."""
    outward = Query(call.space, KIND, limit=1, name_prefix=f"{arn} ")
    inward = Query(call.space, KIND, limit=1, arn=leading_to(arn))
    for query in (outward, inward):
        if call.context.store.page(query).rows:
            raise validation(f"'{arn}' has associations; delete them first.")


def _name(row: Row) -> str:
    return str(row.asked.get("ArtifactName", parse_arn(row.arn).name) if row.key.kind == "artifact" else row.key.name)
