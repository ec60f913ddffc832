"""The operations on flow definitions. Source: API reference, Create/Describe/List/DeleteFlowDefinition."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.machine import advance_fresh
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row
from tobo.resources.flow_definitions.requests import checked
from tobo.store.base import Row

KIND = "flow-definition"


@operation("sagemaker", "CreateFlowDefinition")
def create_flow_definition(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Active once the bucket of its answers is seen to be there. Raises Fault ResourceInUse, ValidationException."""
    name = asked["FlowDefinitionName"]
    row = add_row(call, KIND, name, checked(call, asked), _taken, state="Initializing", todo=("verify",))
    return {"FlowDefinitionArn": row.arn}


@operation("sagemaker", "DescribeFlowDefinition")
def describe_flow_definition(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read. Raises Fault ResourceNotFound."""
    row = known_row(call, KIND, asked["FlowDefinitionName"], _missing)
    return {**row.asked, **_head(row)}


@operation("sagemaker", "ListFlowDefinitions")
def list_flow_definitions(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "FlowDefinitionSummaries", _head)


@operation("sagemaker", "DeleteFlowDefinition")
def delete_flow_definition(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """As in AWS (Developer Guide, "Delete a Human Review Workflow"): its loops stop and go, but those on which somebody
    works go on until he is through; until then it is Deleting. Answers in S3 stay. Raises Fault ResourceNotFound."""

    def there() -> Row | None:
        row = known_row(call, KIND, asked["FlowDefinitionName"], _missing)
        return None if row.state == "Deleting" else row

    advance_fresh(call.context, there, "delete")
    return {}


def _head(row: Row) -> dict[str, Any]:
    return {
        "FlowDefinitionName": row.key.name,
        "FlowDefinitionArn": row.arn,
        "FlowDefinitionStatus": row.status,
        "CreationTime": row.created,
        **row.found,
    }


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"There is a flow definition of this name already ({arn}); choose another.")


def _missing(arn: str) -> Fault:
    name = arn.rsplit("/", 1)[-1]
    return Fault(
        "ResourceNotFound", f"There is no flow definition '{name}'; ListFlowDefinitions tells those that are there."
    )
