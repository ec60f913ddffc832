"""The operations on model packages. Source: API reference, CreateModelPackage and its siblings.

A package is a version of a group (named <group>/<version> here, found by its ARN) or stands alone under its own name.
"""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import Arn, parse_arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.deploying import record_package
from tobo.operations.inference_specifications import check_specification
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, change_row, made_by
from tobo.operations.validating import TRANSFORM, planned, remove_validated, told
from tobo.resources.model_packages.groups import PACKAGE, group_row, next_version
from tobo.resources.model_packages.requests import check_package, from_algorithm, merged_properties, profile_to_run
from tobo.store.base import Key, Query, Row

_UPDATED = ("ModelApprovalStatus", "ApprovalDescription", "SourceUri", "ModelCard", "ModelLifeCycle", "InferenceSpecification",
            "ModelPackageRegistrationType")  # fmt: skip
"""Members that an update replaces."""


@operation("sagemaker", "CreateModelPackage", resource=lambda call, asked: _asked_arn(call, asked))
def create_model_package(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A version's number is never given twice, also where one was deleted; the same ClientToken answers what it
    answered. Raises Fault ValidationException."""
    asked = from_algorithm(call, asked)
    check_package(call, asked)
    kept = {name: value for name, value in asked.items() if name != "ClientToken"}
    found: dict[str, Any] = {"CreatedBy": made_by(call), "_type": "Unversioned"}
    if token := asked.get("ClientToken"):
        made = call.context.store.page(Query(call.space, PACKAGE, where={"_token": token}, limit=1)).rows
        if made:
            return {"ModelPackageArn": made[0].arn}
        found["_token"] = token
    name = asked.get("ModelPackageName", "")
    if not name:
        group, version = next_version(call, asked["ModelPackageGroupName"])
        kept = {"ModelApprovalStatus": "PendingManualApproval", **kept, "ModelPackageGroupName": group}
        found |= {"ModelPackageVersion": version, "_type": "Versioned"}
        name = f"{group}/{version}"
    if profile_to_run(asked):
        found |= planned(name, [TRANSFORM])
        row = add_row(call, PACKAGE, name, kept, _taken, state="Pending", found=found, todo=("transform",))
    else:
        row = add_row(call, PACKAGE, name, kept, _taken, state="Completed", found=found)
    record_package(call.context, row, call.principal.arn)
    return {"ModelPackageArn": row.arn}


@operation(
    "sagemaker", "DescribeModelPackage", resource=lambda call, asked: _named_arn(call, asked["ModelPackageName"])
)
def describe_model_package(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By name or ARN."""
    row = _row(call, asked["ModelPackageName"])
    details: dict[str, list[Any]] = {"ValidationStatuses": told(row.found), "ImageScanStatuses": []}
    return {**row.asked, **row.found, **_head(row), "ModelPackageStatusDetails": details}


@operation("sagemaker", "BatchDescribeModelPackage")
def batch_describe_model_packages(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is not there comes in the map of errors."""
    found, errors = {}, {}
    for arn in asked["ModelPackageArnList"]:
        try:
            row = _row(call, arn)
        except Fault as fault:
            errors[arn] = {"ErrorCode": fault.code, "ErrorResponse": fault.message}
            continue
        specification = row.asked.get("InferenceSpecification", {"Containers": []})
        found[arn] = {**_summary(row), "InferenceSpecification": specification}
    return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": errors}


@operation("sagemaker", "ListModelPackages")
def list_model_packages(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a group, newest first; without a group those that stand alone, unless ModelPackageType says otherwise."""
    group = asked.get("ModelPackageGroupName")
    if group is not None:
        group = group_row(call, group).key.name
    kind = asked.get("ModelPackageType") or ("Versioned" if group else "Unversioned")
    where = {
        "ModelPackageGroupName": group,
        "ModelApprovalStatus": asked.get("ModelApprovalStatus"),
        "_type": None if kind == "Both" else kind,
    }
    return list_rows(call, PACKAGE, asked, "ModelPackageSummaryList", _summary, where=where)


@operation("sagemaker", "UpdateModelPackage", resource=lambda call, asked: str(asked["ModelPackageArn"]))
def update_model_package(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Approves, rejects and describes. Raises Fault ValidationException."""
    if asked.get("InferenceSpecification"):
        check_specification(call, asked["InferenceSpecification"], "InferenceSpecification")

    def changed(row: Row) -> dict[str, Any]:
        if "InferenceSpecification" in asked and row.todo:
            raise validation(
                f"The validation of '{row.key.name}' is not over; wait for it, and change InferenceSpecification then."
            )
        if "ModelApprovalStatus" in asked and "ModelPackageVersion" not in row.found:
            raise validation(f"'{row.key.name}' is in no group, and only versions in a group are approved.")
        kept = {**row.asked, **{name: asked[name] for name in _UPDATED if name in asked}}
        if "CustomerMetadataProperties" in asked or "CustomerMetadataPropertiesToRemove" in asked:
            kept["CustomerMetadataProperties"] = merged_properties(kept.get("CustomerMetadataProperties", {}), asked)
        added = asked.get("AdditionalInferenceSpecificationsToAdd", [])
        if added:
            there = kept.get("AdditionalInferenceSpecifications", [])
            names = {one["Name"] for one in there}
            for one in added:
                check_specification(call, one, f"AdditionalInferenceSpecificationsToAdd '{one['Name']}'")
                if one["Name"] in names:
                    raise validation(f"The package has an inference specification '{one['Name']}' already.")
            kept["AdditionalInferenceSpecifications"] = [*there, *added]
        return {"asked": kept, "found": {**row.found, "LastModifiedBy": made_by(call), "LastModifiedTime": call.now}}

    row = change_row(call, lambda: _row(call, asked["ModelPackageArn"]), "updated", changed)
    record_package(call.context, row, call.principal.arn)
    return {"ModelPackageArn": row.arn}


@operation("sagemaker", "DeleteModelPackage", resource=lambda call, asked: _named_arn(call, asked["ModelPackageName"]))
def delete_model_package(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The archive in S3 stays, and so do models made from it. Raises Fault ValidationException while its validation runs."""
    remove_validated(call, lambda: _row(call, asked["ModelPackageName"]), "ModelPackage")
    return {}


def _row(call: Call, name: str) -> Row:
    """The package of this name or ARN; a version's ARN has its group in lower case."""
    if name.startswith("arn:"):
        row = call.context.store.find_arn(name)
        if row is None or row.key.kind != PACKAGE or row.key.space != call.space:
            raise _missing(name)
        return row
    found = call.context.store.get(Key(call.space, PACKAGE, name))
    if found is None:
        raise _missing(_named_arn(call, name))
    return found


def _named_arn(call: Call, name: str) -> str:
    if name.startswith("arn:"):
        return str(parse_arn(name))
    return str(Arn("sagemaker", call.space.region, call.space.account, f"{PACKAGE}/{name.lower()}"))


def _asked_arn(call: Call, asked: Mapping[str, Any]) -> str:
    """What a policy names: the package, or all versions of its group."""
    group = str(asked.get("ModelPackageGroupName", "")).rsplit("/", 1)[-1]
    return _named_arn(call, f"{group}/*" if group else str(asked.get("ModelPackageName", "*")))


def _head(row: Row) -> dict[str, Any]:
    members = {
        "ModelPackageName": row.asked.get("ModelPackageGroupName") or row.key.name,
        "ModelPackageArn": row.arn,
        "ModelPackageStatus": row.status,
        "CreationTime": row.created,
    }
    for member in ("ModelPackageGroupName", "ModelApprovalStatus", "ModelPackageDescription", "ModelLifeCycle"):
        if member in row.asked:
            members[member] = row.asked[member]
    return members


def _summary(row: Row) -> dict[str, Any]:
    version = row.found.get("ModelPackageVersion")
    return {**_head(row), **({"ModelPackageVersion": version} if version else {})}


def _taken(arn: str) -> Fault:
    return validation(f"ModelPackage already exists: {arn}; choose another name.")  # words that SDK 2.x looks for


def _missing(arn: str) -> Fault:
    return validation(f"There is no model package '{arn}'; ListModelPackages tells those that are there.")
