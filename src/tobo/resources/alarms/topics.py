"""The action of an SNS topic's ARN: a message about an alarm's change of state, as CloudWatch publishes it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.alarm_actions import ALARM_ACTIONS, AlarmAction, AlarmCall
from tobo.operations.context import Context
from tobo.operations.notifications import post, publish, write_down_once
from tobo.resources.alarms.alarm import iso_time
from tobo.resources.alarms.measuring import period_of

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]{1,32}:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")


def _check(context: Context, space: Namespace, arn: str) -> None:
    if _TOPIC.fullmatch(arn) is None:
        raise Fault(
            "ValidationError", f"The action '{arn}' is no topic's ARN; expected arn:aws:sns:REGION:ACCOUNT:NAME."
        )


def _publish(context: Context, space: Namespace, arn: str, call: AlarmCall) -> None:
    """A server killed in the middle writes it down once; the webhook is then told at most once."""
    told = message(space, call)
    publish(context, arn, f'{call.alarm["StateValue"]}: "{call.alarm["AlarmName"]}" in {space.region}', told)
    if write_down_once(context.settings, arn, told):
        post(context.settings, arn, told)


def message(space: Namespace, call: AlarmCall) -> dict[str, Any]:
    """What CloudWatch publishes (User Guide, "Notifying users on alarm changes"); Region is the region's code here."""
    alarm = call.alarm
    if "AlarmRule" in alarm:
        return {**_common(space, call), "AlarmRule": alarm["AlarmRule"]}
    if "Metrics" in alarm:
        return {**_common(space, call), "Trigger": _of_expression(alarm)}
    extended = "ExtendedStatistic" in alarm
    statistic = alarm["ExtendedStatistic"] if extended else alarm["Statistic"].upper()
    trigger = _trigger(alarm) | {
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        "Statistic": statistic,
    }
    return {**_common(space, call), "Trigger": trigger}


def _common(space: Namespace, call: AlarmCall) -> dict[str, Any]:
    alarm = call.alarm
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": space.account,
        "AlarmConfigurationUpdatedTimestamp": _time(iso_time(alarm["AlarmConfigurationUpdatedTimestamp"])),
        "NewStateValue": alarm["StateValue"],
        "NewStateReason": alarm["StateReason"],
        "StateChangeTime": _time(iso_time(call.at)),
        "Region": space.region,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": call.was,
        **{member: alarm[member] for member in ("OKActions", "AlarmActions", "InsufficientDataActions")},
    }


def _of_expression(alarm: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Period": period_of(alarm),
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        "DatapointsToAlarm": alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]),
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm.get("TreatMissingData", ""),
        "Metrics": alarm["Metrics"],
    }


def _trigger(alarm: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "Unit": alarm.get("Unit"),
        "Dimensions": [{"value": pair["Value"], "name": pair["Name"]} for pair in alarm["Dimensions"]],
        "Period": alarm["Period"],
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        "DatapointsToAlarm": alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]),
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm.get("TreatMissingData", ""),
        "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile", ""),
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


ALARM_ACTIONS["sns"] = AlarmAction(_check, _publish)
