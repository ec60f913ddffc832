"""The control operations on endpoints. Source: API reference, CreateEndpoint and its siblings."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.artifacts import container_of
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.machine import advance_fresh
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row
from tobo.store.base import Row

KIND = "endpoint"


@operation("sagemaker", "CreateEndpoint")
def create_endpoint(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is deployed is fixed here: configuration and models may be deleted afterwards. Raises Fault ValidationException."""
    config = call.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=asked["EndpointConfigName"])
    variants = [_plan(call, variant) for variant in config["ProductionVariants"]]
    row = add_row(
        call,
        KIND,
        asked["EndpointName"],
        asked,
        lambda arn: validation(f'Cannot create already existing endpoint "{arn}".'),
        state="Creating",
        found={"_variants": variants, "_replicas": []},
        todo=("deploy", "await_ready"),
    )
    return {"EndpointArn": row.arn}


@operation("sagemaker", "DescribeEndpoint")
def describe_endpoint(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read. CurrentInstanceCount counts the replicas that answer pings."""
    row = known_row(call, KIND, asked["EndpointName"], _missing)
    variants = [_describe_variant(variant, row.found["_replicas"]) for variant in row.found["_variants"]]
    return {**row.asked, **row.found, **_summary(row), "ProductionVariants": variants}


@operation("sagemaker", "ListEndpoints")
def list_endpoints(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "Endpoints", _summary)


@operation("sagemaker", "DeleteEndpoint")
def delete_endpoint(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Replicas finish what they have begun, then go. Deleting a deleting endpoint changes nothing."""
    name = asked["EndpointName"]
    if known_row(call, KIND, name, _missing).state != "Deleting":
        advance_fresh(call.context, lambda: known_row(call, KIND, name, _missing), "delete")
    return {}


def _plan(call: Call, variant: Mapping[str, Any]) -> dict[str, Any]:
    """All that the work needs of a variant, taken from its model now."""
    model = call.call("sagemaker", "DescribeModel", ModelName=variant["ModelName"])
    return {
        **container_of(model),
        "VariantName": variant["VariantName"],
        "InstanceType": variant["InstanceType"],
        "InstanceCount": variant["InitialInstanceCount"],
        "Weight": variant["InitialVariantWeight"],
        "StartSeconds": variant.get("ContainerStartupHealthCheckTimeoutInSeconds", 60),
    }


def _describe_variant(variant: Mapping[str, Any], replicas: list[Mapping[str, Any]]) -> dict[str, Any]:
    ready = sum(1 for replica in replicas if replica["ready"] and replica["variant"] == variant["VariantName"])
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": variant["Image"], "ResolvedImage": variant["Image"]}],
        "CurrentWeight": variant["Weight"],
        "DesiredWeight": variant["Weight"],
        "CurrentInstanceCount": ready,
        "DesiredInstanceCount": variant["InstanceCount"],
    }


def _missing(arn: str) -> Fault:
    return validation(f'Could not find endpoint "{arn}".')


def _summary(row: Row) -> dict[str, Any]:
    return {
        "EndpointName": row.key.name,
        "EndpointArn": row.arn,
        "EndpointStatus": row.status,
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }
