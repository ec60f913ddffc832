"""What DescribeEndpoint says of an endpoint's fleets."""

from typing import Any

from tobo.resources.endpoints.capture import capture_summary
from tobo.resources.endpoints.fleets import Fleet, Variant, replicas_of
from tobo.store.base import Row


def describe(row: Row) -> dict[str, Any]:
    """All but names, status and times. Until an endpoint is in service it has the variants that it shall have."""
    found = row.found
    fleet: Fleet = found["_fleet"] or found["_next"]
    answer = {"EndpointConfigName": fleet["config"], **_variants(fleet)}
    if found["_next"] is not None and row.state in ("Creating", "Updating"):
        answer["PendingDeploymentSummary"] = _pending(found["_next"])
    told = {
        "FailureReason": found.get("FailureReason"),
        "LastDeploymentConfig": fleet["deployment"],
        "DataCaptureConfig": capture_summary(fleet.get("DataCaptureConfig")),
        "AsyncInferenceConfig": fleet.get("AsyncInferenceConfig"),
    }
    return {**answer, **{member: value for member, value in told.items() if value}}


def _variants(fleet: Fleet) -> dict[str, Any]:
    """ProductionVariants, and ShadowProductionVariants where there are any."""
    before = {variant["VariantName"]: variant for variant in (fleet["before"] or fleet)["variants"]}
    summaries: dict[str, Any] = {"ProductionVariants": []}
    for variant in fleet["variants"]:
        summary = _summary(fleet, variant, before[variant["VariantName"]])
        summaries.setdefault("ShadowProductionVariants" if variant["Shadow"] else "ProductionVariants", []).append(
            summary
        )
    return summaries


def _summary(fleet: Fleet, variant: Variant, before: Variant) -> dict[str, Any]:
    name = variant["VariantName"]
    summary: dict[str, Any] = {
        "VariantName": name,
        "DeployedImages": [{"SpecifiedImage": variant["Image"], "ResolvedImage": variant["Image"]}],
        "CurrentWeight": before["Weight"],
        "DesiredWeight": variant["Weight"],
        "CurrentInstanceCount": sum(replica["ready"] for replica in replicas_of(fleet, name)),
    }
    if serverless := variant.get("ServerlessConfig"):
        return {**summary, "CurrentServerlessConfig": before["ServerlessConfig"], "DesiredServerlessConfig": serverless}
    return {**summary, "DesiredInstanceCount": variant["InstanceCount"]}


def _pending(fleet: Fleet) -> dict[str, Any]:
    """PendingDeploymentSummary: a deployment that is under way."""
    since = fleet["serving_since"]
    stage = {"Status": "ActivatingTraffic" if since else "Creating", "StartTime": since or fleet["since"]}
    variants = _variants(fleet)
    types = {variant["VariantName"]: variant.get("InstanceType") for variant in fleet["variants"]}
    for summary in (summary for summaries in variants.values() for summary in summaries):
        summary["VariantStatus"] = [stage]
        if instance_type := types[summary["VariantName"]]:
            summary["InstanceType"] = instance_type
    return {"EndpointConfigName": fleet["config"], "StartTime": fleet["since"], **variants}
