"""The operations on artifacts. Source: API reference, CreateArtifact and its siblings.

An artifact is its source: the row's name is a digest of SourceUri and one of SourceTypes, so that what is at an address
is found by the index of names.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from tobo.kit.arn import parse_arn, sagemaker_arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, known_row, made_by, remove_row
from tobo.resources.lineage.associations import check_unassociated
from tobo.resources.lineage.named import with_properties
from tobo.store.base import Row

KIND = "artifact"


def _resource(call: Call, asked: Mapping[str, Any]) -> str:
    return str(asked.get("ArtifactArn") or sagemaker_arn(call.space, KIND, "*"))


@operation("sagemaker", "CreateArtifact", resource=_resource)
def create_artifact(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where there is an artifact of this source."""
    row = add_row(
        call,
        KIND,
        _digests(asked["Source"]),
        asked,
        lambda arn: validation(f"The artifact of '{asked['Source']['SourceUri']}' already exists: {arn}."),
        found={"CreatedBy": made_by(call)},
    )
    return {"ArtifactArn": row.arn}


@operation("sagemaker", "DescribeArtifact", resource=_resource)
def describe_artifact(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    row = _known(call, asked["ArtifactArn"])
    return {**row.asked, **row.found, **_head(row)}


@operation("sagemaker", "UpdateArtifact", resource=_resource)
def update_artifact(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Properties are added or replaced, then those to remove are removed."""
    row = change_row(
        call,
        lambda: _known(call, asked["ArtifactArn"]),
        "updated",
        lambda row: with_properties(call, row, asked),
    )
    return {"ArtifactArn": row.arn}


@operation("sagemaker", "ListArtifacts")
def list_artifacts(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    uri = asked.get("SourceUri")
    return list_rows(
        call,
        KIND,
        asked,
        "ArtifactSummaries",
        _summary,
        where={"ArtifactType": asked.get("ArtifactType")},
        name_prefix=_digest(uri) if uri else None,
    )


@operation("sagemaker", "DeleteArtifact", resource=_resource)
def delete_artifact(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By ARN or by source. Raises Fault ValidationException while it is associated."""
    if asked.get("ArtifactArn"):
        row = _known(call, asked["ArtifactArn"])
    elif asked.get("Source"):
        row = known_row(call, KIND, _digests(asked["Source"]), _missing)
    else:
        raise validation("DeleteArtifact needs an ArtifactArn or a Source; give one of them.")
    check_unassociated(call, row.arn)
    remove_row(call, KIND, row.key.name, _missing)
    return {"ArtifactArn": row.arn}


def _known(call: Call, arn: str) -> Row:
    return known_row(call, KIND, parse_arn(arn).name, _missing)


def _missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"Artifact '{arn}' does not exist; ListArtifacts tells which do.")


def _digests(source: Mapping[str, Any]) -> str:
    types = orjson.dumps(source.get("SourceTypes", []), option=orjson.OPT_SORT_KEYS)
    return _digest(source["SourceUri"]) + hashlib.blake2s(types, digest_size=4).hexdigest()


def _digest(uri: str) -> str:
    return hashlib.blake2s(uri.encode(), digest_size=16).hexdigest()


def _head(row: Row) -> dict[str, Any]:
    return {"ArtifactArn": row.arn, "CreationTime": row.created, "LastModifiedTime": row.modified}


def _summary(row: Row) -> dict[str, Any]:
    names = ("ArtifactName", "Source", "ArtifactType")
    return {**{name: row.asked[name] for name in names if name in row.asked}, **_head(row)}
