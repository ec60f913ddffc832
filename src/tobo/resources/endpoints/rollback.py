"""Alarms that take a deployment back: they exist when it begins, and none may be in ALARM until the old fleet is gone."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Context
from tobo.resources.endpoints.deployment import rollback_alarms


def check_alarms_exist(context: Context, space: Namespace, deployment: Mapping[str, Any]) -> None:
    """Raises Fault ValidationException where the DeploymentConfig names an alarm that is none."""
    names = rollback_alarms(deployment)
    known = {alarm["AlarmName"] for alarm in _alarms(context, space, names)}
    if unknown := [name for name in names if name not in known]:
        raise validation(
            f"DeploymentConfig.AutoRollbackConfiguration names the alarm '{unknown[0]}', which does not exist; put it first."
        )


def check_alarms(context: Context, space: Namespace, deployment: Mapping[str, Any]) -> None:
    """Raises Fault where one of the deployment's alarms has gone off."""
    for alarm in _alarms(context, space, rollback_alarms(deployment), StateValue="ALARM"):
        raise Fault("ClientError", f"The alarm '{alarm['AlarmName']}' went off: {alarm['StateReason']}")


def _alarms(context: Context, space: Namespace, names: list[str], **asked: Any) -> list[Mapping[str, Any]]:
    if not names:
        return []
    answer = context.as_house(space, "cloudwatch", "DescribeAlarms", AlarmNames=names, **asked)
    found: list[Mapping[str, Any]] = answer["MetricAlarms"]
    return found
