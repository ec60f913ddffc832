"""The operations on endpoint configurations. Source: API reference, CreateEndpointConfig and its siblings."""

from collections.abc import Mapping
from typing import Any

from tobo.compute.instances import instance
from tobo.kit.arn import sagemaker_arn
from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Row

KIND = "endpoint-config"

_NOT_YET = {
    "AsyncInferenceConfig": "asynchronous inference",
    "ShadowProductionVariants": "shadow variants",
    "ExplainerConfig": "explainers",
    "CrossRegionTrafficConfig": "cross-region traffic",
}


@operation("sagemaker", "CreateEndpointConfig")
def create_endpoint_config(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where a model is unknown, a feature is not built or the name is taken."""
    name = asked["EndpointConfigName"]
    _check(call, asked)
    arn = sagemaker_arn(call.space, KIND, name)
    now = call.now
    variants = [{"InitialVariantWeight": 1.0, **variant} for variant in asked["ProductionVariants"]]
    row = Row(
        key=Key(call.space, KIND, name),
        arn=arn,
        asked={member: value for member, value in asked.items() if member != "Tags"} | {"ProductionVariants": variants},
        found={},
        status="Created",
        state="Created",
        created=now,
        modified=now,
        tags={tag["Key"]: tag["Value"] for tag in asked.get("Tags", [])},
    )
    try:
        call.context.store.insert(row, Event(now, "created", "Created"))
    except AlreadyExists:
        raise validation(f'Cannot create already existing endpoint configuration "{arn}".') from None
    return {"EndpointConfigArn": arn}


@operation("sagemaker", "DescribeEndpointConfig")
def describe_endpoint_config(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    row = _known(call, asked["EndpointConfigName"])
    return {**row.asked, "EndpointConfigArn": row.arn, "CreationTime": row.created}


@operation("sagemaker", "ListEndpointConfigs")
def list_endpoint_configs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "EndpointConfigs", _summary)


@operation("sagemaker", "DeleteEndpointConfig")
def delete_endpoint_config(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Endpoints that were made from it go on."""
    try:
        call.context.store.delete(_known(call, asked["EndpointConfigName"]))
    except Conflict:
        _known(call, asked["EndpointConfigName"])
    return {}


def _known(call: Call, name: str) -> Row:
    row = call.context.store.get(Key(call.space, KIND, name))
    if row is None:
        raise validation(f'Could not find endpoint configuration "{sagemaker_arn(call.space, KIND, name)}".')
    return row


def _summary(row: Row) -> dict[str, Any]:
    return {"EndpointConfigName": row.key.name, "EndpointConfigArn": row.arn, "CreationTime": row.created}


def _check(call: Call, asked: Mapping[str, Any]) -> None:
    for member, feature in _NOT_YET.items():
        if asked.get(member):
            raise validation(f"{member} is given, but {feature} is not supported yet; leave it out.")
    if asked.get("DataCaptureConfig", {}).get("EnableCapture"):
        raise validation(
            "DataCaptureConfig.EnableCapture is true, but data capture is not supported yet; leave it out."
        )
    variants = asked["ProductionVariants"]
    if len(variants) != 1:
        raise validation(f"ProductionVariants has {len(variants)} entries; one variant an endpoint is supported yet.")
    variant = variants[0]
    if variant.get("ServerlessConfig"):
        raise validation("ServerlessConfig is not supported yet; give InstanceType and InitialInstanceCount.")
    if not variant.get("ModelName"):
        raise validation(
            f"The variant '{variant['VariantName']}' has no ModelName; inference components are not supported."
        )
    if not variant.get("InstanceType") or not variant.get("InitialInstanceCount"):
        raise validation(
            f"The variant '{variant['VariantName']}' needs an InstanceType and an InitialInstanceCount of 1 or more."
        )
    instance(variant["InstanceType"])
    call.call("sagemaker", "DescribeModel", ModelName=variant["ModelName"])
