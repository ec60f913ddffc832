"""The control operations on endpoints. Source: API reference, CreateEndpoint and its siblings."""

from collections.abc import Callable, Mapping
from typing import Any

from tobo.kit.arn import sagemaker_arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.machine import advance, advance_fresh
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row
from tobo.resources.endpoints.describing import describe
from tobo.resources.endpoints.plan import planned_fleet, resizing, retained_properties
from tobo.store.base import Conflict, Row

KIND = "endpoint"


@operation("sagemaker", "CreateEndpoint")
def create_endpoint(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is deployed is fixed here: configuration and models may be deleted afterwards.

    Raises Fault ValidationException, ResourceLimitExceeded.
    """
    fleet = planned_fleet(call, asked["EndpointConfigName"], 1, asked.get("DeploymentConfig", {}), {})
    row = add_row(
        call,
        KIND,
        asked["EndpointName"],
        asked,
        lambda arn: validation(f'Cannot create already existing endpoint "{arn}".'),
        state="Creating",
        found={"_fleet": None, "_next": fleet, "_old": None, "_deployments": 1},
        todo=("stand_up", "shift"),
    )
    return {"EndpointArn": row.arn}


@operation("sagemaker", "DescribeEndpoint")
def describe_endpoint(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read. CurrentInstanceCount counts the replicas that answer pings."""
    row = known_row(call, KIND, asked["EndpointName"], _missing)
    return {**describe(row), **_summary(row)}


@operation("sagemaker", "ListEndpoints")
def list_endpoints(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "Endpoints", _summary)


@operation("sagemaker", "UpdateEndpoint")
def update_endpoint(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A new fleet beside the one that answers, which goes when the new one has taken over.

    Raises Fault ValidationException where the endpoint is not InService, or as CreateEndpoint does.
    """
    excluded = frozenset(each["VariantPropertyType"] for each in asked.get("ExcludeRetainedVariantProperties", ()))

    def next_fleet(row: Row) -> dict[str, Any]:
        fleet, number = row.found["_fleet"], row.found["_deployments"] + 1
        last = fleet["deployment"] if asked.get("RetainDeploymentConfig") else {}
        retained = retained_properties(fleet, excluded) if asked.get("RetainAllVariantProperties") else {}
        config, deployment = asked["EndpointConfigName"], asked.get("DeploymentConfig", last)
        return {"_next": planned_fleet(call, config, number, deployment, retained), "_deployments": number}

    return {"EndpointArn": _change(call, asked["EndpointName"], "update", next_fleet).arn}


@operation(
    "sagemaker",
    "UpdateEndpointWeightsAndCapacities",
    resource=lambda call, asked: sagemaker_arn(call.space, KIND, asked["EndpointName"]),
)
def update_endpoint_weights_and_capacities(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Other weights and counts for the fleet that answers; a count of 0 pauses a variant, which is an extension of ours.

    Raises Fault ValidationException where the endpoint is not InService or a wish does not fit its variant,
    ResourceLimitExceeded.
    """
    wishes = asked["DesiredWeightsAndCapacities"]
    return {
        "EndpointArn": _change(
            call,
            asked["EndpointName"],
            "resize",
            lambda row: {"_fleet": resizing(call.context, row.found["_fleet"], row.arn, wishes)},
        ).arn
    }


@operation("sagemaker", "DeleteEndpoint")
def delete_endpoint(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Replicas finish what they have begun, then go; also in mid-update. Deleting a deleting endpoint changes nothing."""

    def standing() -> Row | None:
        row = known_row(call, KIND, asked["EndpointName"], _missing)
        return None if row.state == "Deleting" else row

    advance_fresh(call.context, standing, "delete")
    return {}


def _change(call: Call, name: str, event: str, change: Callable[[Row], dict[str, Any]]) -> Row:
    """Begins a change of an endpoint that is in service; decides anew where its work wrote meanwhile."""
    while True:
        row = known_row(call, KIND, name, _missing)
        if row.state == "Failed":
            raise validation(f'Cannot update failed endpoint "{row.arn}": {row.found["FailureReason"]} Delete it.')
        if row.state != "InService":
            raise validation(f'Cannot update in-progress endpoint "{row.arn}"; it is {row.status}.')
        try:
            return advance(call.context, row, event, change(row))
        except Conflict:
            continue


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
