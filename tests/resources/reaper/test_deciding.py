"""Rules and what they decide, by tables; and a thousand random worlds in which the plan is what is done."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.resources.reaper.cases import cases_of
from tobo.resources.reaper.deciding import DAY, Case, Deed, decide
from tobo.resources.reaper.reaping import plan, reap
from tobo.resources.reaper.rules import KEEP, Fact, check_rule, reason
from tobo.settings import Settings
from tobo.store.base import Key, Query, Row
from tobo.store.sql import SqlStore
from tobo.telemetry.base import Point
from tobo.telemetry.series import SqlMetrics

SPACE = Namespace("111122223333", "us-east-1")
NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""


def rule(conditions: dict[str, Any], action: str = "PAUSE", **changed: Any) -> dict[str, Any]:
    kinds = changed.pop("Kinds", ["endpoint"])
    return {"RuleName": "r", "Kinds": kinds, "Conditions": conditions, "Action": action, "GraceMinutes": 60, **changed}


def fact(**changed: Any) -> Fact:
    given: dict[str, Any] = {
        "kind": "endpoint",
        "name": "e",
        "arn": "arn:e",
        "space": SPACE,
        "created": NOON - 7200,
        "runs": True,
        "counts": {"a": 2},
    }
    return Fact(**{**given, **changed})


@pytest.mark.parametrize(
    ("conditions", "changed", "why"),
    [
        ({"UntaggedKeys": ["project"]}, {}, "it has no tag 'project'"),
        ({"UntaggedKeys": ["project", "owner"]}, {"tags": {"project": "a"}}, "it has no tag 'owner'"),
        ({"UntaggedKeys": ["project"]}, {"tags": {"project": ""}}, None),
        ({"UntaggedKeys": ["project"]}, {"tags": {KEEP: ""}}, None),
        ({"UntaggedKeys": ["project"]}, {"runs": False}, None),
        ({"UntaggedKeys": ["project"]}, {"kind": "training-job"}, None),
        ({"IdleMinutes": 120}, {}, "nobody has used it for 120 minutes"),
        ({"IdleMinutes": 120}, {"used": NOON - 3600}, None),
        ({"IdleMinutes": 60}, {"used": NOON - 3600}, "nobody has used it for 60 minutes"),
        ({"IdleMinutes": 121}, {"used": NOON - 9999}, None),
        ({"OlderThanMinutes": 120}, {}, "it is 120 minutes old"),
        ({"OlderThanMinutes": 121}, {}, None),
        ({"BudgetName": "b"}, {"spent_budgets": frozenset({"b"})}, "budget 'b' is spent"),
        ({"BudgetName": "b"}, {"spent_budgets": frozenset({"c"})}, None),
        ({"Schedule": {"From": "11:00", "To": "13:00"}}, {}, "it is 12:00, between 11:00 and 13:00"),
        ({"Schedule": {"From": "13:00", "To": "11:00"}}, {}, None),
        ({"Schedule": {"From": "22:00", "To": "12:00"}}, {}, None),
        ({"Schedule": {"From": "22:00", "To": "12:01"}}, {}, "it is 12:00, between 22:00 and 12:01"),
        (
            {"Schedule": {"From": "20:00", "To": "22:00", "TimeZone": "Asia/Tokyo"}},
            {},
            "it is 21:00, between 20:00 and 22:00",
        ),
        ({"OlderThanMinutes": 1, "UntaggedKeys": ["a"]}, {}, "it is 120 minutes old; it has no tag 'a'"),
        ({"OlderThanMinutes": 1, "UntaggedKeys": ["a"]}, {"tags": {"a": ""}}, None),
    ],
)
def test_conditions(conditions: dict[str, Any], changed: dict[str, Any], why: str | None) -> None:
    assert reason(rule(conditions), fact(**changed), NOON) == why


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Conditions": {}}, "Conditions is empty"),
        ({"Kinds": ["training-job"], "Conditions": {"IdleMinutes": 1}, "Action": "STOP"}, "never idle"),
        ({"Kinds": ["endpoint", "training-job"], "Action": "DELETE"}, "take STOP"),
        ({"Kinds": ["notebook-instance"]}, "PAUSE is for endpoints"),
        ({"Conditions": {"Schedule": {"From": "10:00", "To": "10:00"}}}, "no time"),
        ({"Conditions": {"Schedule": {"From": "10:00", "To": "11:00", "TimeZone": "Mars"}}}, "Mars"),
    ],
)
def test_rules_that_mean_nothing_are_refused(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(Fault) as refused:
        check_rule({**rule({"OlderThanMinutes": 1}), **changed})
    assert refused.value.code == "ValidationException" and named in refused.value.message


PAUSED = Deed(
    "UpdateEndpointWeightsAndCapacities",
    (("EndpointName", "e"), ("DesiredWeightsAndCapacities", [{"VariantName": "a", "DesiredInstanceCount": 0}])),
)


def test_an_endpoint_is_noticed_paused_and_left() -> None:
    old = rule({"OlderThanMinutes": 1})
    first = decide(old, fact(), None, NOON)
    assert first is not None and (first.what, first.deeds) == ("Notice", ())
    noticed = Case("Noticed", NOON)
    waits = decide(old, fact(), noticed, NOON + 3599)
    assert waits is not None and (waits.what, waits.at, waits.deeds) == ("Wait", NOON + 3600, (PAUSED,))
    acts = decide(old, fact(), noticed, NOON + 3600)
    assert acts is not None and (acts.what, acts.deeds) == ("Act", (PAUSED,))
    kept = decide(old, fact(tags={KEEP: "yes"}), noticed, NOON + 3600)
    assert kept is not None and kept.what == "Drop"
    done = Case("Done", NOON, NOON + 3600)
    again = decide(old, fact(), done, NOON + 9999)
    assert again is not None and again.what == "Drop"  # somebody has started it: a new notice comes first


def test_what_is_deleted_stays_a_day() -> None:
    old = rule({"OlderThanMinutes": 1}, "DELETE")
    doomed, asleep = Case("Doomed", NOON, NOON), fact(runs=False, counts={})
    waits = decide(old, asleep, doomed, NOON + DAY - 1)
    assert waits is not None and (waits.what, waits.at) == ("Wait", NOON + DAY)
    ends = decide(old, asleep, doomed, NOON + DAY)
    assert ends is not None and (ends.what, ends.deeds) == (
        "Delete",
        (Deed("DeleteEndpoint", (("EndpointName", "e"),)),),
    )
    for wanted in (fact(), fact(runs=False, tags={KEEP: ""})):
        saved = decide(old, wanted, doomed, NOON + DAY)
        assert saved is not None and saved.what == "Drop"
    undone = Case("Undone", NOON, NOON)
    assert decide(old, fact(), undone, NOON + DAY - 1) is None


KINDS = ("training-job", "transform-job", "endpoint", "notebook-instance")
TAGS = st.dictionaries(st.sampled_from(["project", "owner", KEEP]), st.just("x"))
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "UntaggedKeys": st.lists(st.sampled_from(["project", "owner"]), min_size=1, unique=True),
        "IdleMinutes": st.integers(0, 3000),
        "OlderThanMinutes": st.integers(0, 3000),
        "BudgetName": st.just("b"),
        "Schedule": st.sampled_from([{"From": "20:00", "To": "06:00"}, {"From": "09:00", "To": "17:00"}]),
    },
)
RULES = st.lists(
    st.builds(
        lambda kinds, conditions, action, grace: rule(conditions, action, Kinds=kinds, GraceMinutes=grace),
        st.lists(st.sampled_from(KINDS), min_size=1, unique=True),
        CONDITIONS,
        st.sampled_from(["NOTIFY", "STOP", "PAUSE", "DELETE"]),
        st.integers(0, 600),
    ),
    min_size=1,
    max_size=3,
)
WORLDS = st.lists(st.tuples(st.sampled_from(KINDS), TAGS, st.integers(0, 5000), st.booleans()), max_size=6)
CLOCKS = st.lists(st.floats(-4000, 100_000), min_size=1, max_size=5)


class World:
    """A real store and real metrics, in which a deed changes what it would change in the house."""

    def __init__(self, folder: Path) -> None:
        none = cast(Any, None)
        self.clock = SetClock(NOON)
        self.store, self.metrics = SqlStore(f"sqlite:///{folder / 'tobo.db'}"), SqlMetrics(folder / "metrics.db")
        self.context = Context(Settings(folder), self.clock, self.store, none, none, self.metrics, none, none, none)
        self.done: list[tuple[str, dict[str, Any]]] = []

    def empty(self) -> None:
        self.clock.at, self.done = NOON, []
        for kind in (*KINDS, "reaper-case", "budget"):
            for space in self.store.spaces(kind):
                for row in self.store.page(Query(space, kind)).rows:
                    self.store.delete(row)

    def add(self, number: int, kind: str, tags: dict[str, str], minutes: int, runs: bool) -> None:
        status = (
            ("InService" if runs or kind == "endpoint" else "Stopped")
            if kind in ("endpoint", "notebook-instance")
            else ("InProgress" if runs else "Completed")
        )
        fleet = {"variants": [{"VariantName": "a", "InstanceCount": 2 if runs else 0}], "since": NOON - 60 * minutes}
        asked = {
            "ResourceConfig": {"InstanceType": "ml.m5.large"},
            "TransformResources": {"InstanceType": "ml.m5.large"},
        }
        name = f"{kind}-{number}"
        created = NOON - 60 * minutes
        self.store.insert(
            Row(Key(SPACE, kind, name), f"arn:{name}", asked, {"_fleet": fleet}, status, "s", created, created, tags)
        )
        if kind == "endpoint" and minutes % 2:
            dimensions = {"EndpointName": name, "VariantName": "a"}
            point = Point("AWS/SageMaker", "Invocations", dimensions, NOON - 30 * minutes, 1.0, "None")
            self.metrics.put(SPACE, [point])

    def perform(self, context: Context, space: Namespace, deed: Deed) -> None:
        self.done.append((deed.operation, deed.request))
        kind, name = next(
            (kind, value)
            for kind in KINDS
            for value in deed.request.values()
            if isinstance(value, str) and value.startswith(f"{kind}-")
        )
        row = self.store.get(Key(SPACE, kind, name))
        assert row is not None
        if deed.operation.startswith("Delete"):
            self.store.delete(row)
        elif kind == "endpoint":
            wish = deed.request["DesiredWeightsAndCapacities"][0]["DesiredInstanceCount"]
            fleet = {**row.found["_fleet"], "variants": [{"VariantName": "a", "InstanceCount": wish}]}
            self.store.update(row, found={"_fleet": fleet})
        else:
            self.store.update(row, status="Stopped" if deed.operation.startswith("Stop") else "InService")

    def state(self) -> dict[str, tuple[str, Any]]:
        return {
            row.arn: (row.status, row.found["_fleet"]["variants"])
            for kind in KINDS
            for row in self.store.page(Query(SPACE, kind)).rows
        }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    found = World(tmp_path_factory.mktemp("world"))
    yield found
    found.store.close()
    found.metrics.close()


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=RULES, resources=WORLDS, clocks=CLOCKS)
def test_the_plan_is_what_is_done_and_nothing_else_is_touched(
    world: World,
    rules: list[dict[str, Any]],
    resources: list[tuple[str, dict[str, str], int, bool]],
    clocks: list[float],
) -> None:
    rules = [{**each, "RuleName": f"r{number}"} for number, each in enumerate(rules) if is_a_rule(each)]
    world.empty()
    for number, (kind, tags, minutes, runs) in enumerate(resources):
        world.add(number, kind, tags, minutes, runs)
    kept = {row.arn for kind in KINDS for row in world.store.page(Query(SPACE, kind)).rows if KEEP in row.tags}
    for seconds in clocks:
        world.clock.turn(seconds)
        before, cases = world.state(), len(list(cases_of(world.context, SPACE.account)))
        planned = list(plan(world.context, SPACE.account, rules))
        assert world.state() == before and len(list(cases_of(world.context, SPACE.account))) == cases, (
            "a plan did something"
        )
        expected: list[tuple[str, dict[str, Any]]] = []
        touched = set[str]()
        for each in planned:
            if each.decision.what in ("Act", "Delete") and each.fact.arn not in touched:
                touched.add(each.fact.arn)
                expected += [(deed.operation, deed.request) for deed in each.decision.deeds]
        world.done.clear()
        reap(world.context, SPACE.account, rules, world.perform)
        assert world.done == expected
        after = world.state()
        assert all(after.get(arn) == before[arn] for arn in before if arn not in touched), "it touched something else"
        assert not touched & kept


def is_a_rule(given: dict[str, Any]) -> bool:
    try:
        check_rule(given)
    except Fault:
        return False
    return True
