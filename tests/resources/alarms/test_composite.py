"""Composite alarms: their rules by tables, and on a real server over alarms that are set by hand."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conftest import Server
from tests.resources.alarms.test_alarms import items, refused
from tests.support.processes import until
from tests.support.unique import unique

from tobo.kit.fault import Fault
from tobo.resources.alarms.rules import read_rule

STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "my alarm": "ALARM"}
ARN = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:"


@pytest.mark.parametrize(
    ("text", "holds", "children"),
    [
        ("ALARM(a)", True, ("a",)),
        ('ALARM("a")', True, ("a",)),
        (f"ALARM({ARN}a)", True, ("a",)),
        (f'ALARM("{ARN}my alarm")', True, ("my alarm",)),
        ("ALARM(b)", False, ("b",)),
        ("OK(b)", True, ("b",)),
        ("INSUFFICIENT_DATA ( c )", True, ("c",)),
        ("TRUE", True, ()),
        ("FALSE OR NOT FALSE", True, ()),
        ("ALARM(a) AND ALARM(b)", False, ("a", "b")),
        ("ALARM(a) OR ALARM(b) AND FALSE", True, ("a", "b")),
        ("(ALARM(a) OR ALARM(b)) AND FALSE", False, ("a", "b")),
        ("NOT (ALARM(a) AND OK(b))", False, ("a", "b")),
        ("NOT NOT ALARM(a) AND NOT ALARM(b)", True, ("a", "b")),
        ("ALARM(a) OR\n  ALARM(a)", True, ("a",)),
    ],
)
def test_rules(text: str, holds: bool, children: tuple[str, ...]) -> None:
    rule = read_rule(text)
    assert (rule.holds(lambda name: STATES[name]), rule.children) == (holds, children)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "ends where a state"),
        ("ALARM", "ends where '('"),
        ("ALARM(", "ends where an alarm's name"),
        ("ALARM(a", "ends where ')'"),
        ("ALARM(a))", "')' is behind its end"),
        ("ALARM(a) ALARM(b)", "'ALARM' is behind"),
        ("ALARM(a) AND", "ends where a state"),
        ("alarm(a)", "'alarm' is none of"),
        ("AT_LEAST(2, ALARM, (a, b))", "'AT_LEAST' is none of"),
        ('ALARM("a)', "cannot be read"),
        ("(" * 60 + "TRUE" + ")" * 60, "nested deeper"),
        ("NOT " * 60 + "TRUE", "nested deeper"),
        ("TRUE OR " * 2000 + "TRUE", "characters"),
        (" OR ".join(f"OK(a{number})" for number in range(101)), "101 alarms"),
    ],
)
def test_what_is_no_rule_is_named(text: str, named: str) -> None:
    with pytest.raises(Fault) as error:
        read_rule(text)
    assert error.value.code == "ValidationError" and named in error.value.message


@pytest.fixture
def composite(cloudwatch: Any) -> Iterator[Callable[..., str]]:
    """`composite("ALARM(a)")` puts one; deleted after the test."""
    made: list[str] = []

    def put(rule: str, name: str | None = None, **asked: Any) -> str:
        made.append(name or unique("both"))
        cloudwatch.put_composite_alarm(AlarmName=made[-1], AlarmRule=rule, **asked)
        return made[-1]

    yield put
    for name in dict.fromkeys(made):
        if cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]:
            cloudwatch.delete_alarms(AlarmNames=[name])


def one(cloudwatch: Any, name: str) -> dict[str, Any]:
    (found,) = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    return dict(found)


def set_to(cloudwatch: Any, name: str, state: str) -> None:
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="by hand")


def test_one_follows_the_alarms_below(
    server: Server, cloudwatch: Any, alarm: Callable[..., str], composite: Callable[..., str]
) -> None:
    topic = server.client("sns").create_topic(Name=unique("both"))["TopicArn"]
    low, high = alarm(Period=3600), alarm(Period=3600)
    rule = f"ALARM({low}) AND ALARM({high})"
    name = composite(rule, AlarmActions=[topic], Tags=[{"Key": "a", "Value": "1"}])
    above = composite(f"NOT ALARM({name})")
    until(lambda: one(cloudwatch, name)["StateValue"] == "OK" and one(cloudwatch, above)["StateValue"] == "ALARM")
    set_to(cloudwatch, low, "ALARM")
    set_to(cloudwatch, high, "ALARM")
    until(lambda: one(cloudwatch, name)["StateValue"] == "ALARM" and one(cloudwatch, above)["StateValue"] == "OK")
    found = one(cloudwatch, name)
    assert found["AlarmRule"] == rule and f"{high} transitioned to ALARM" in found["StateReason"]
    arns = [each["arn"] for each in json.loads(found["StateReasonData"])["triggeringAlarms"]]
    assert [arn.rsplit(":", 1)[1] for arn in arns] == [low, high]
    until(lambda: bool(items(cloudwatch, name, "Action")))
    lines = (
        server.state / "notifications" / server.account / "us-east-1" / f"{topic.rsplit(':', 1)[1]}.jsonl"
    ).read_text()
    told = json.loads(lines.splitlines()[-1])
    assert (told["AlarmRule"], told["NewStateValue"]) == (rule, "ALARM") and "Trigger" not in told
    assert cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == [{"Key": "a", "Value": "1"}]
    cloudwatch.delete_alarms(AlarmNames=[low])  # what is gone is in no state that a rule asks for
    until(lambda: one(cloudwatch, name)["StateValue"] == "OK")
    kinds = cloudwatch.describe_alarm_history(AlarmName=name, AlarmTypes=["CompositeAlarm"])["AlarmHistoryItems"]
    assert {item["AlarmType"] for item in kinds} == {"CompositeAlarm"}


def test_lists_know_both_types(cloudwatch: Any, alarm: Callable[..., str], composite: Callable[..., str]) -> None:
    prefix = unique("family")
    low = alarm(f"{prefix}-a")
    name = composite(f"ALARM({low})", f"{prefix}-b")
    above = composite(f"OK({name})", f"{prefix}-c")

    def listed(**asked: Any) -> tuple[list[str], list[str]]:
        found = cloudwatch.describe_alarms(**asked)
        return tuple([each["AlarmName"] for each in found[member]] for member in ("MetricAlarms", "CompositeAlarms"))  # type: ignore[return-value]

    both = ["MetricAlarm", "CompositeAlarm"]
    assert listed(AlarmNamePrefix=prefix) == ([low], [])
    assert listed(AlarmNamePrefix=prefix, AlarmTypes=both) == ([low], [name, above])
    assert listed(ChildrenOfAlarmName=name) == ([low], []) and listed(ChildrenOfAlarmName=above) == ([], [name])
    assert listed(ParentsOfAlarmName=low) == ([], [name]) and listed(ParentsOfAlarmName=above) == ([], [])
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=prefix, AlarmTypes=both, PaginationConfig={"PageSize": 2}
    )
    sizes = [(len(page["MetricAlarms"]), len(page["CompositeAlarms"])) for page in pages]
    assert sizes == [(1, 1), (0, 1)]
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    assert one(cloudwatch, name)["ActionsEnabled"] is False


def test_what_cannot_be_is_refused(cloudwatch: Any, alarm: Callable[..., str], composite: Callable[..., str]) -> None:
    low = alarm()
    name = composite(f"ALARM({low})")
    above = composite(f"ALARM({name})")
    put = cloudwatch.put_composite_alarm
    refused(put, "ValidationError", "'nobody' does not exist", AlarmName="x", AlarmRule="ALARM(nobody)")
    refused(put, "ValidationError", "circle", AlarmName=name, AlarmRule=f"ALARM({above})")
    refused(put, "ValidationError", "circle", AlarmName=name, AlarmRule=f"ALARM({name})")
    refused(put, "ValidationError", "other type", AlarmName=low, AlarmRule="TRUE")
    refused(put, "ValidationError", "no rule", AlarmName="x", AlarmRule="ALARM(")
    refused(put, "ValidationError", "suppressing", AlarmName="x", AlarmRule="TRUE", ActionsSuppressor=low)
    refused(
        put,
        "ValidationError",
        "nothing that alarms do",
        AlarmName="x",
        AlarmRule="TRUE",
        AlarmActions=["arn:aws:lambda:us-east-1:111122223333:function:x"],
    )
    with pytest.raises(Exception, match="other type"):
        alarm(name)
