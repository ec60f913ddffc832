"""ListEdgeDeploymentPlans."""

from typing import Any

from tobo.operations.context import Call
from tobo.operations.listing import list_among, list_rows, matching
from tobo.operations.registry import Asked, operation
from tobo.resources.edge_deployment_plans.api import head, plan_resource
from tobo.resources.edge_deployment_plans.plan import KIND

_SORTS = {
    "NAME": "Name",
    "DEVICE_FLEET_NAME": "DeviceFleetName",
    "CREATION_TIME": "CreationTime",
    "LAST_MODIFIED_TIME": "LastModifiedTime",
}


@operation("sagemaker", "ListEdgeDeploymentPlans", resource=plan_resource)
def list_edge_deployment_plans(call: Call, asked: Asked) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    asked = {**asked, "SortBy": _SORTS[asked.get("SortBy", "CREATION_TIME")]}
    member, part = "EdgeDeploymentPlanSummaries", asked.get("DeviceFleetNameContains")
    if part is None and asked["SortBy"] != "DeviceFleetName":
        return list_rows(call, KIND, asked, member, lambda row: head(call, row))
    rows = (row for row in matching(call, KIND, asked) if (part or "").lower() in row.asked["DeviceFleetName"].lower())
    return list_among(KIND, asked, member, lambda row: head(call, row), rows)
