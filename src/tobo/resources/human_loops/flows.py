"""The flow definition of a loop, asked by the one door."""

from typing import Any

from tobo.kit.arn import Namespace, parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Context


def flow_of(context: Context, space: Namespace, arn: str) -> dict[str, Any]:
    """What DescribeFlowDefinition says of it. Raises Fault ResourceNotFoundException."""
    told = parse_arn(arn)
    if (told.account, told.region) == space:
        try:
            found: dict[str, Any] = context.as_house(
                space, "sagemaker", "DescribeFlowDefinition", FlowDefinitionName=told.name
            )
        except Fault as fault:
            if fault.code != "ResourceNotFound":
                raise
        else:
            return found
    raise Fault(
        "ResourceNotFoundException",
        f"There is no flow definition '{arn}' in {space.region}; ListFlowDefinitions tells those that are there.",
    )
