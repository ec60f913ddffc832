"""Alarms: which metric is beyond its bound, since when, and what was told."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from tobo.console.choices import topics_of
from tobo.console.figures import Figure, points_of
from tobo.console.lists import PAGE, addresses
from tobo.console.places import arn_place
from tobo.console.rendering import number
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

TYPES = ["MetricAlarm", "CompositeAlarm"]
STATES = ("ALARM", "INSUFFICIENT_DATA", "OK")
STATISTICS = ("Average", "Maximum", "Minimum", "Sum", "SampleCount")
COMPARISONS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": "≥",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤",
}

ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}

HOUR, PERIODS = 3600.0, 60
"""What an alarm's chart shows: an hour, or so many periods where they are longer."""


@shown("/alarms")
def _list(visit: Visit) -> Response:
    asked: dict[str, Any] = {"MaxRecords": PAGE, "AlarmTypes": TYPES}
    for name, member in (("name", "AlarmNamePrefix"), ("token", "NextToken")):
        if value := visit.query.get(name):
            asked[member] = value
    if visit.query.get("status") in STATES:
        asked["StateValue"] = visit.query["status"]
    found = visit.call("cloudwatch", "DescribeAlarms", **asked)
    return visit.page(
        "alarms/list.html",
        alarms=sorted(found["MetricAlarms"] + found["CompositeAlarms"], key=lambda alarm: str(alarm["AlarmName"])),
        watched=watched,
        next_token=found.get("NextToken"),
        asked=asked,
        **_choices(visit),
        at=addresses(visit, "alarms"),
    )


@shown("/alarms/{name}")
def _page(visit: Visit) -> Response:
    alarm = _alarm(visit, visit.call)
    history = visit.call("cloudwatch", "DescribeAlarmHistory", AlarmName=visit.path["name"], MaxRecords=PAGE)
    items = history.get("AlarmHistoryItems", [])
    return visit.page(
        "alarms/page.html",
        alarm=alarm,
        watched=watched,
        history=items,
        tells=_tells(visit, alarm),
        **_choices(visit),
    )


@shown("/alarms/{name}/curve")
def _curve(visit: Visit) -> Response:
    """What the alarm watches, a point a period, and its bound."""
    alarm = _alarm(visit, visit.quietly)
    period = alarm["Period"]
    now = visit.context.clock.now()
    start = now - max(HOUR, PERIODS * period)
    statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic", "Average")
    where = {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])}
    figure = Figure(alarm["MetricName"], where, statistic)
    (points,) = points_of(visit, alarm["Namespace"], [figure], start // period * period, now + period, period)
    bound = [[start, alarm["Threshold"]], [now, alarm["Threshold"]]]
    series = [
        {"name": f"{statistic} {alarm['MetricName']}", "points": points},
        {"name": "Threshold", "points": bound, "dashed": True},
    ]
    return JSONResponse({"x": "time", "series": series, "range": [start, now]})


@posted("/alarms/put")
def _put(visit: Visit) -> Response:
    """Creates an alarm, or replaces what one of this name is about."""
    fields = fields_of(visit.form)
    name = fields.get("name", "")
    if not name:
        raise Fault("ValidationError", "The alarm has no name yet; give one.")
    kept = _kept(visit, name)
    others = [arn for arn in kept.get("AlarmActions", []) if arn != first_topic(kept)]
    topic = [fields["topic"]] if "topic" in fields else []
    visit.change(
        "cloudwatch",
        "PutMetricAlarm",
        **{**kept, "AlarmActions": topic + others},
        AlarmName=name,
        Namespace=fields.get("namespace", ""),
        MetricName=fields.get("metric", ""),
        Dimensions=_dimensions(fields.get("dimensions", "")),
        Statistic=fields.get("statistic", "Average"),
        ComparisonOperator=fields.get("comparison", "GreaterThanThreshold"),
        Threshold=_number(fields, "threshold"),
        Period=int(_number(fields, "period")),
        EvaluationPeriods=int(_number(fields, "periods")),
    )
    return visit.done(url("alarms", name), f"Alarm {name} was saved.")


@posted("/alarms/{name}/delete")
def _delete(visit: Visit) -> Response:
    visit.change("cloudwatch", "DeleteAlarms", AlarmNames=[visit.path["name"]])
    return visit.done(url("alarms"), f"Alarm {visit.path['name']} was deleted.")


@posted("/alarms/{name}/state")
def _set_state(visit: Visit) -> Response:
    name, state = visit.path["name"], fields_of(visit.form).get("state", "")
    reason = "Set in the console"
    visit.change("cloudwatch", "SetAlarmState", AlarmName=name, StateValue=state, StateReason=reason)
    return visit.done(url("alarms", name), f"Alarm {name} is {state} until its metric is looked at again.")


_UNSEEN = ("AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "Unit",
           "DatapointsToAlarm", "TreatMissingData")  # fmt: skip
"""What an alarm may have and the form has no field for: PutMetricAlarm replaces all, so it is sent along."""


def _kept(visit: Visit, name: str) -> dict[str, Any]:
    found = visit.quietly("cloudwatch", "DescribeAlarms", AlarmNames=[name])["MetricAlarms"]
    return {member: found[0][member] for member in _UNSEEN if member in found[0]} if found else {}


def _tells(visit: Visit, alarm: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The state of the alarm in which something is told, what it is, and its page."""
    return [
        (state, *arn_place(arn, visit.region)) for state, member in ACTIONS.items() for arn in alarm.get(member, [])
    ]


def first_topic(alarm: Mapping[str, Any]) -> str:
    """Of what it tells in ALARM, the one that the form has a field for; "" for none."""
    return next((arn for arn in alarm.get("AlarmActions", []) if arn.startswith("arn:aws:sns:")), "")


def _alarm(visit: Visit, ask: Callable[..., Any]) -> dict[str, Any]:
    """The one of the address. Raises Fault ResourceNotFound."""
    name = visit.path["name"]
    told = ask("cloudwatch", "DescribeAlarms", AlarmNames=[name], AlarmTypes=TYPES)
    found: list[dict[str, Any]] = told["MetricAlarms"] + told["CompositeAlarms"]
    if not found:
        raise Fault("ResourceNotFound", f"There is no alarm '{name}' in {visit.region}.", 404)
    return found[0]


def watched(alarm: Mapping[str, Any]) -> str:
    """When it goes off, in a line: its metric, its expression or its rule."""
    if "AlarmRule" in alarm:
        return str(alarm["AlarmRule"])
    if "Metrics" in alarm:
        query = next(each for each in alarm["Metrics"] if each.get("ReturnData", True))
        what = query.get("Expression") or f"{query['MetricStat']['Stat']} {query['MetricStat']['Metric']['MetricName']}"
    else:
        what = f"{alarm.get('Statistic') or alarm['ExtendedStatistic']} {alarm['MetricName']}"
    operator = alarm["ComparisonOperator"]
    return f"{what} {COMPARISONS.get(operator, operator)} {number(alarm['Threshold'])}"


def _choices(visit: Visit) -> dict[str, Any]:
    return {
        "topics": topics_of(visit),
        "states": STATES,
        "statistics": STATISTICS,
        "comparisons": COMPARISONS,
        "first_topic": first_topic,
    }


def _number(fields: dict[str, str], name: str) -> float:
    try:
        return float(fields.get(name, ""))
    except ValueError:
        raise Fault("ValidationError", f"'{fields.get(name, '')[:40]}' at {name} is no number; write one.") from None


def _dimensions(text: str) -> list[dict[str, str]]:
    """Lines of Name=Value. Raises Fault."""
    found = []
    for place, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.strip().partition("=")
        if line.strip() and not equals:
            raise Fault("ValidationError", f"Line {place} of the dimensions, '{line[:40]}', has no =.")
        if name:
            found.append({"Name": name.strip(), "Value": value.strip()})
    return found


SCREENS: tuple[Screen, ...] = (_list, _put, _curve, _page, _delete, _set_state)
