"""The alarms that things are born with. They are CloudWatch's like any other: to be changed, silenced or deleted.

Each tells the topic `tobo-alerts` of its region, which is created with the first of them: who subscribes to it is told.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.rows import rows_of
from tobo.resources.vitals.readings import NAMESPACE
from tobo.store.base import AlreadyExists, Conflict, Key, Row

MARK = "default-alarm"
"""Kind of the rows that say which alarms were made: one that somebody deletes is not made again."""

TOPIC = "tobo-alerts"

TAGS = [{"Key": "tobo:default", "Value": "true"}]

Alarm = Mapping[str, Any]


def of_endpoint(name: str, variants: list[str]) -> dict[str, Alarm]:
    """Alarm names -> PutMetricAlarm's members."""
    found = {
        f"tobo-unreachable-{name}": _alarm(
            f"No replica of endpoint {name} answers.",
            "Unreachable",
            {"EndpointName": name},
            Statistic="Average",
            Period=5,
            Threshold=0.5,
        )
    }
    for variant in variants:
        where = {"EndpointName": name, "VariantName": variant}
        found[f"tobo-errors-{name}-{variant}"] = _alarm(
            f"5 % or more of the requests to endpoint {name} end in a server error.",
            "Invocation5XXErrors",
            where,
            Namespace="AWS/SageMaker",
            Statistic="Average",
            Period=60,
            Threshold=0.05,
        )
        found[f"tobo-slow-{name}-{variant}"] = _alarm(
            f"1 % or more of the requests to endpoint {name} take the model longer than a second.",
            "ModelLatency",
            where,
            Namespace="AWS/SageMaker",
            ExtendedStatistic="p99",
            Period=60,
            Threshold=1_000_000.0,
        )
    return found


def of_fleet(name: str) -> dict[str, Alarm]:
    where = {"DeviceFleetName": name}
    return {
        f"tobo-silent-{name}": _alarm(
            f"A device of fleet {name} has not been heard for five minutes.", "DevicesSilent", where, Period=30
        ),
        f"tobo-drift-{name}": _alarm(
            f"The scores of a device of fleet {name} have left their band.", "DevicesDrifting", where, Period=30
        ),
    }


def of_region() -> dict[str, Alarm]:
    said = "A job has failed; the list of jobs says which."
    return {"tobo-job-failed": _alarm(said, "JobsFailed", {}, Statistic="Sum", Period=5)}


def of_machine() -> dict[str, Alarm]:
    return {
        "tobo-disk-full": _alarm(
            "The disk of the state folder is nearly full: 90 % or more are used.",
            "DiskUsedPercent",
            {},
            Period=60,
            Threshold=90.0,
        )
    }


def keep(context: Context, space: Namespace, wanted: Mapping[str, Mapping[str, Alarm]]) -> None:
    """Makes those of `wanted` (by what they are about: an ARN, "region" or "machine") that were not made yet, and takes away those
    about an ARN that is there no longer. A server killed in the middle does it again."""
    made = {row.key.name: row for row in rows_of(context.store, space, MARK)}
    for subject, alarms in wanted.items():
        for name in alarms.keys() - made.keys():
            _make(context, space, subject, name, alarms[name])
    for row in made.values():
        subject = row.asked["Subject"]
        if subject.startswith("arn:") and subject not in wanted:
            with suppress(Fault):
                context.as_house(space, "cloudwatch", "DeleteAlarms", AlarmNames=[row.key.name])
            with suppress(Conflict):
                context.store.delete(row)


def _make(context: Context, space: Namespace, subject: str, name: str, alarm: Alarm) -> None:
    topic = context.as_house(space, "sns", "CreateTopic", Name=TOPIC)["TopicArn"]
    asked = {"AlarmName": name, "AlarmActions": [topic], "OKActions": [topic], "Tags": TAGS, **alarm}
    context.as_house(space, "cloudwatch", "PutMetricAlarm", **asked)
    now = context.clock.now()
    with suppress(AlreadyExists):
        context.store.insert(Row(Key(space, MARK, name), "", {"Subject": subject}, {}, "", "Made", now, now))


def _alarm(said: str, metric: str, where: Mapping[str, str], **changed: Any) -> Alarm:
    statistic = {} if "ExtendedStatistic" in changed else {"Statistic": "Maximum"}
    return {
        "AlarmDescription": said,
        "Namespace": NAMESPACE,
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in where.items()],
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        **statistic,
        **changed,
    }
