"""The endpoint's state table, its fleets and the steps of a deployment: pure."""

from itertools import pairwise
from typing import Any

import pytest

from tobo.kit.fault import Fault
from tobo.kit.states import states_of, walk
from tobo.resources.endpoints.deployment import check_deployment, shift_of
from tobo.resources.endpoints.fleets import (
    grown,
    new_fleet,
    replaced,
    replicas_of,
    restored,
    settled,
    shrunk,
)
from tobo.resources.endpoints.serverless import Demand, replicas_wanted
from tobo.resources.endpoints.states import STATUS, TABLE
from tobo.wire.models import service_model


def test_every_status_is_one_of_awss() -> None:
    known = service_model("sagemaker").shape_for("EndpointStatus").enum
    assert set(STATUS.values()) <= set(known)
    assert states_of(TABLE) == STATUS.keys()


@pytest.mark.parametrize(
    ("events", "statuses"),
    [
        (["serving"], ["InService"]),
        (["failed"], ["Failed"]),
        (["serving", "update", "serving", "retired"], ["InService", "Updating", "Updating", "InService"]),
        (["serving", "update", "failed", "retired"], ["InService", "Updating", "RollingBack", "InService"]),
        (["serving", "resize", "serving", "retired"], ["InService", "Updating", "Updating", "InService"]),
        (["serving", "resize", "failed", "retired"], ["InService", "Updating", "RollingBack", "InService"]),
    ],
)
def test_the_ways_of_an_endpoint(events: list[str], statuses: list[str]) -> None:
    state, seen = "Creating", []
    for event in events:
        assert walk(TABLE, state, "delete").state == "Deleting"
        state = walk(TABLE, state, event).state
        seen.append(STATUS[state])
    assert seen == statuses


def fleet(**counts: int) -> dict[str, Any]:
    variants = [{"VariantName": name, "InstanceCount": count, "Weight": 1.0} for name, count in counts.items()]
    return new_fleet(1, {"EndpointConfigName": "c"}, variants, 0.0, {})


def numbers(fleet: Any, variant: str) -> list[int]:
    return [replica["number"] for replica in replicas_of(fleet, variant)]


def test_a_number_is_never_given_twice() -> None:
    made = fleet(a=2, b=1)
    assert (numbers(made, "a"), numbers(made, "b")) == ([1, 2], [3])
    made = replaced(made, [1, 3])
    assert (numbers(made, "a"), numbers(made, "b"), made["last"]) == ([2, 4], [5], 5)
    made, surplus = shrunk(made, "a", 1)
    assert (numbers(made, "a"), [replica["number"] for replica in surplus]) == ([2], [4])
    assert numbers(grown(made, "a", 2), "a") == [2, 6]
    assert grown(made, "a", 1) == made


def test_ready_replicas_stay_when_a_variant_shrinks() -> None:
    made = fleet(a=3)
    made["replicas"][2]["ready"] = True
    assert numbers(shrunk(made, "a", 1)[0], "a") == [3]


def test_a_resize_settles_or_is_undone() -> None:
    made = fleet(a=1, b=2)
    resized = {
        **grown(made, "a", 3),
        "variants": [{**made["variants"][0], "InstanceCount": 3}, {**made["variants"][1], "InstanceCount": 1}],
        "before": {"variants": made["variants"], "last": made["last"]},
    }
    after, surplus = settled(resized)
    assert (numbers(after, "a"), numbers(after, "b"), numbers(surplus, "b")) == ([1, 4, 5], [2], [3])
    back, surplus = restored(resized)
    assert (numbers(back, "a"), numbers(back, "b"), numbers(surplus, "a")) == ([1], [2, 3], [4, 5])
    assert back["variants"] == made["variants"] and after["before"] is None and back["before"] is None


def policy(kind: str, wait: float, **size: Any) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **size}}
    }


@pytest.mark.parametrize(
    ("deployment", "shares", "end"),
    [
        ({}, {0: 1.0}, 0),
        (policy("ALL_AT_ONCE", 10), {0: 1.0, 9: 1.0}, 10),
        (policy("CANARY", 10, CanarySize={"Type": "CAPACITY_PERCENT", "Value": 20}), {0: 0.2, 9: 0.2, 10: 1.0}, 20),
        (policy("CANARY", 10, CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}), {0: 0.25, 10: 1.0, 99: 1.0}, 20),
        (
            policy("LINEAR", 10, LinearStepSize={"Type": "CAPACITY_PERCENT", "Value": 40}),
            {0: 0.4, 10: 0.8, 20: 1.0},
            30,
        ),
        (policy("LINEAR", 0, LinearStepSize={"Type": "CAPACITY_PERCENT", "Value": 40}), {0: 1.0}, 0),
        (policy("LINEAR", 1, LinearStepSize={"Type": "CAPACITY_PERCENT", "Value": 10}), {0: 0.1, 8: 0.9, 9: 1.0}, 10),
    ],
)
def test_the_shares_of_a_deployment(deployment: dict[str, Any], shares: dict[float, float], end: float) -> None:
    check_deployment(deployment, 4)
    shift = shift_of(deployment, 4)
    assert {at: shift.share(at) for at in shares} == pytest.approx(shares)
    assert shift.end == end
    assert all(before < after for before, after in pairwise(shift.shares)) and shift.share(shift.end) == 1.0


def test_a_step_of_one_instance_in_two_is_half() -> None:
    size = {"Type": "INSTANCE_COUNT", "Value": 1}
    check_deployment(policy("CANARY", 1, CanarySize=size), 2)
    with pytest.raises(Fault, match="of 1 instances"):
        check_deployment(policy("CANARY", 1, CanarySize=size), 1)


def test_replicas_of_a_serverless_variant() -> None:
    variant = {"ServerlessConfig": {"MaxConcurrency": 8}}
    provisioned = {"ServerlessConfig": {"MaxConcurrency": 8, "ProvisionedConcurrency": 5}}
    demand = Demand()
    demand.limit = 8
    assert replicas_wanted(variant, demand, 0, most=2, idle_after=0.0) == 0
    assert replicas_wanted(provisioned, demand, 0, most=2, idle_after=0.0) == 2
    assert replicas_wanted(variant, demand, 1, most=2, idle_after=60.0) == 1
    with demand, demand, demand:
        assert demand.busy == 3
        assert replicas_wanted(variant, demand, 0, most=2, idle_after=0.0) == 2
        assert replicas_wanted(variant, demand, 0, most=16, idle_after=0.0) == 3
        demand.limit = 3
        with pytest.raises(Fault) as refused, demand:
            pass
        assert (refused.value.code, refused.value.status) == ("ThrottlingException", 429)
    assert demand.busy == 0
