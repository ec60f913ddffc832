"""What PutMetricAlarm takes, and the sentences for what it does not. Source: API reference, PutMetricAlarm."""

import math
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.alarm_actions import alarm_action
from tobo.operations.context import Call
from tobo.operations.metric_math import evaluated, read_expression
from tobo.operations.statistics import percent_of
from tobo.resources.alarms.alarm import ACTIONS
from tobo.resources.alarms.evaluation import COMPARISONS, TREATMENTS
from tobo.resources.alarms.measuring import period_of

_SHORT_PERIODS = (1, 5, 10, 20, 30)
"""AWS takes those from 10 on; here a metric may be watched as closely as it is asked for."""

_HOUR, _DAY = 3600, 86400

_NOT_BUILT = {
    "ThresholdMetricId": "anomaly detection",
    "EvaluationCriteria": "a query",
    "EvaluationWindow": "a window of another kind",
    "EvaluationInterval": "an interval of its own",
    "WarmUpConfiguration": "a warm-up",
    "ActionConfiguration": "tags in its messages",
}
"""Members, and what an alarm with them would have."""

_OF_ONE = ("MetricName", "Namespace", "Dimensions", "Period", "Statistic", "ExtendedStatistic", "Unit")
_NEEDED = ("MetricName", "Namespace", "Period", "Threshold")


def check_alarm(call: Call, asked: Mapping[str, Any]) -> None:
    """Raises Fault ValidationError where no alarm can be made of it."""
    if member := next((member for member in _NOT_BUILT if asked.get(member)), None):
        raise _refused(
            f"{member} is given: alarms with {_NOT_BUILT[member]} are not built in tobo; give MetricName and Threshold."
        )
    if asked.get("Metrics"):
        _check_queries(asked)
    else:
        _check_metric(asked)
    if asked["ComparisonOperator"] not in COMPARISONS:
        raise _refused(
            f"ComparisonOperator {asked['ComparisonOperator']} compares with a band, which is not built in tobo; use one "
            f"of {', '.join(COMPARISONS)}."
        )
    if not math.isfinite(asked["Threshold"]):
        raise _refused(f"Threshold {asked['Threshold']} is no number.")
    if asked.get("TreatMissingData", "missing") not in TREATMENTS:
        raise _refused(f"TreatMissingData '{asked['TreatMissingData']}' is none of {', '.join(TREATMENTS)}.")
    if asked.get("EvaluateLowSampleCountPercentile", "evaluate") != "evaluate":
        raise _refused(
            "EvaluateLowSampleCountPercentile can only be 'evaluate' here: a percentile of few samples counts, too."
        )
    _check_periods(asked)
    for member in ACTIONS.values():
        for arn in asked.get(member, ()):
            _check_action(call, arn)


def _check_metric(asked: Mapping[str, Any]) -> None:
    if missing := [member for member in _NEEDED if asked.get(member) is None]:
        raise _refused(f"The alarm needs {', '.join(missing)}.")
    if ("Statistic" in asked) == ("ExtendedStatistic" in asked):
        raise _refused("Give either a Statistic or an ExtendedStatistic.")
    if "ExtendedStatistic" in asked and _percentile(asked["ExtendedStatistic"]) is None:
        raise _refused(f"ExtendedStatistic '{asked['ExtendedStatistic']}' is a Statistic; give it there.")


def _check_queries(asked: Mapping[str, Any]) -> None:
    """Metrics of one Period, and expressions over them, of which one is what the alarm is about."""
    queries = asked["Metrics"]
    if both := [member for member in _OF_ONE if asked.get(member)]:
        raise _refused(f"{both[0]} is given beside Metrics; the alarm is about the one or about the others.")
    if asked.get("Threshold") is None:
        raise _refused("The alarm needs Threshold.")
    if sum(query.get("ReturnData", True) for query in queries) != 1:
        raise _refused(
            "Exactly one of Metrics has ReturnData, and is what the alarm is about; set the others' to False."
        )
    names = {query["Id"] for query in queries}
    if len(names) < len(queries):
        raise _refused("Two of Metrics have the same Id.")
    stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
    if not stats or any(("MetricStat" in query) == ("Expression" in query) for query in queries):
        raise _refused("Each of Metrics has either a MetricStat or an Expression, and one a MetricStat at least.")
    if len({stat["Period"] for stat in stats}) > 1:
        raise _refused("The MetricStats have several Periods; give them one.")
    if nameless := [
        stat for stat in stats if not (stat["Metric"].get("Namespace") and stat["Metric"].get("MetricName"))
    ]:
        raise _refused(f"A MetricStat's Metric has no Namespace or no MetricName: {dict(nameless[0]['Metric'])}.")
    for stat in stats:
        _percentile(stat["Stat"])
    expressions = {q["Id"]: read_expression(q["Expression"]) for q in queries if "Expression" in q}
    for name, expression in expressions.items():
        if unknown := expression.ids - names:
            raise _refused(f"The Expression of '{name}' names '{min(unknown)}', which is the Id of none of Metrics.")
    evaluated({query["Id"]: {} for query in queries if "MetricStat" in query}, expressions, 60)


def _check_action(call: Call, arn: str) -> None:
    try:
        alarm_action(arn).check(call.context, call.space, arn)
    except Fault as fault:  # in the words of the service that the ARN is of
        raise _refused(fault.message) from None


def _check_periods(asked: Mapping[str, Any]) -> None:
    period, count = period_of(asked), asked["EvaluationPeriods"]
    if period % 60 and period not in _SHORT_PERIODS:
        raise _refused(f"Period {period} is neither one of 1, 5, 10, 20, 30 nor a multiple of 60 seconds.")
    longest = _DAY if period < _HOUR else 7 * _DAY
    if period * count > longest:
        raise _refused(
            f"{count} EvaluationPeriods of {period} s are more than the {longest // _DAY} days that an alarm of that "
            "Period may look back; take fewer."
        )
    if asked.get("DatapointsToAlarm", 1) > count:
        raise _refused(f"DatapointsToAlarm {asked['DatapointsToAlarm']} is above EvaluationPeriods {count}.")


def _percentile(name: str) -> float | None:
    try:
        return percent_of(name)
    except Fault as fault:
        raise _refused(fault.message) from None


def _refused(message: str) -> Fault:
    return Fault("ValidationError", message)
