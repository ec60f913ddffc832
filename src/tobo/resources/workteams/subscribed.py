"""Subscribed work teams, those of vendors: there are none, and the refusal says why."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.listing import Tokens
from tobo.operations.registry import operation


@operation("sagemaker", "DescribeSubscribedWorkteam")
def describe_subscribed_workteam(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException, always."""
    raise validation(
        f"'{asked['WorkteamArn']}' is not a team of yours: vendors' and public teams label in AWS Marketplace and Mechanical "
        "Turk, outside of this house. Import the result file that they give you, or make a private team with CreateWorkteam."
    )


@operation("sagemaker", "ListSubscribedWorkteams")
def list_subscribed_workteams(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """None. Raises Fault ValidationException for a token, which it gives to nobody."""
    if Tokens.of("subscribed-workteam", asked).read(asked.get("NextToken")):
        raise validation("NextToken is not one that this operation gave; start again without it.")
    return {"SubscribedWorkteams": []}
