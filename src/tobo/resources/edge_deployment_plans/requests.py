"""What the operations on plans refuse, beyond what the AWS model says."""

from collections.abc import Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call

_NEEDED = {"PERCENTAGE": "Percentage", "SELECTION": "DeviceNames", "NAMECONTAINS": "DeviceNameContains"}
MOST_STAGES = 100


def check_plan(call: Call, asked: Mapping[str, Any]) -> None:
    """Raises Fault ResourceNotFound (fleet, packaging job), ValidationException (a model that is not packaged)."""

    def ask(name: str, **members: str) -> Any:
        return call.context.as_house(call.space, "sagemaker", name, **members)

    ask("DescribeDeviceFleet", DeviceFleetName=asked["DeviceFleetName"])
    if not asked["ModelConfigs"]:
        raise validation("ModelConfigs is empty; a plan deploys one model at least.")
    _check_unique([model["ModelHandle"] for model in asked["ModelConfigs"]], "ModelHandle")
    for model in asked["ModelConfigs"]:
        name = model["EdgePackagingJobName"]
        status = ask("DescribeEdgePackagingJob", EdgePackagingJobName=name)["EdgePackagingJobStatus"]
        if status != "COMPLETED":
            raise validation(
                f"The edge packaging job '{name}' of the model '{model['ModelHandle']}' is {status}; only what is "
                "COMPLETED can be deployed."
            )


def check_stages(stages: Sequence[Mapping[str, Any]], known: Sequence[str] = ()) -> None:
    """Raises Fault ValidationException; `known` are names of stages that the plan has already."""
    if len(stages) + len(known) > MOST_STAGES:
        raise Fault("ResourceLimitExceeded", f"A plan has at most {MOST_STAGES} stages.")
    _check_unique([*known, *(stage["StageName"] for stage in stages)], "StageName")
    for stage in stages:
        selection = stage["DeviceSelectionConfig"]
        place = f"DeviceSelectionConfig of the stage '{stage['StageName']}'"
        needed = _NEEDED[selection["DeviceSubsetType"]]
        if surplus := next((name for name in _NEEDED.values() if name in selection and name != needed), None):
            raise validation(
                f"{place} has {surplus}, which is not for DeviceSubsetType {selection['DeviceSubsetType']}."
            )
        if not selection.get(needed) or selection.get("Percentage", 1) < 1:
            raise validation(
                f"{place} needs {needed} for DeviceSubsetType {selection['DeviceSubsetType']}, and not an empty one."
            )


def _check_unique(names: Sequence[str], member: str) -> None:
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise validation(f"The {member} '{twice}' stands twice in the plan; names are unique.")
