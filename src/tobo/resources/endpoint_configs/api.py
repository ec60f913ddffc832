"""The operations on endpoint configurations. Source: API reference, CreateEndpointConfig and its siblings."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row, remove_row
from tobo.resources.endpoint_configs.features import check_features
from tobo.resources.endpoint_configs.variants import check_variants
from tobo.store.base import Row

KIND = "endpoint-config"

_NOT_YET = {
    "ExplainerConfig": "explainers",
    "CrossRegionTrafficConfig": "cross-region traffic",
}


@operation("sagemaker", "CreateEndpointConfig")
def create_endpoint_config(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where a model is unknown, a feature is not built or the name is taken."""
    _check(call, asked)
    variants = {
        member: [{"InitialVariantWeight": 1.0, **variant} for variant in asked[member]]
        for member in ("ProductionVariants", "ShadowProductionVariants")
        if asked.get(member)
    }
    row = add_row(call, KIND, asked["EndpointConfigName"], {**asked, **variants}, _taken)
    return {"EndpointConfigArn": row.arn}


@operation("sagemaker", "DescribeEndpointConfig")
def describe_endpoint_config(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    row = known_row(call, KIND, asked["EndpointConfigName"], _missing)
    return {**row.asked, "EndpointConfigArn": row.arn, "CreationTime": row.created}


@operation("sagemaker", "ListEndpointConfigs")
def list_endpoint_configs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "EndpointConfigs", _summary)


@operation("sagemaker", "DeleteEndpointConfig")
def delete_endpoint_config(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Endpoints that were made from it go on."""
    remove_row(call, KIND, asked["EndpointConfigName"], _missing)
    return {}


def _taken(arn: str) -> Fault:
    return validation(f'Cannot create already existing endpoint configuration "{arn}".')


def _missing(arn: str) -> Fault:
    return validation(f'Could not find endpoint configuration "{arn}".')


def _summary(row: Row) -> dict[str, Any]:
    return {"EndpointConfigName": row.key.name, "EndpointConfigArn": row.arn, "CreationTime": row.created}


def _check(call: Call, asked: Mapping[str, Any]) -> None:
    for member, feature in _NOT_YET.items():
        if asked.get(member):
            raise validation(f"{member} is given, but {feature} is not supported yet; leave it out.")
    check_features(asked)
    for variant in check_variants(asked):
        call.call("sagemaker", "DescribeModel", ModelName=variant["ModelName"])
