"""Step scaling by tables: which step a metric is in, what it makes of a capacity, and what is refused."""

from typing import Any

import pytest

from tobo.kit.fault import Fault
from tobo.resources.autoscaling.steps import CHANGE, EXACT, PERCENT, Adjustment, check_steps, find_step


def steps(*rows: tuple[float | None, float | None, int], kind: str = CHANGE, **more: Any) -> dict[str, Any]:
    """(lower bound, upper bound, adjustment)"""
    found = []
    for low, high, change in rows:
        bounds = {"MetricIntervalLowerBound": low, "MetricIntervalUpperBound": high}
        found.append({"ScalingAdjustment": change, **{name: at for name, at in bounds.items() if at is not None}})
    return {"AdjustmentType": kind, "StepAdjustments": found, **more}


OUT = steps((0.0, 10.0, 1), (10.0, None, 3))
BOTH = steps((None, -10.0, -2), (-10.0, 0.0, -1), (0.0, 10.0, 1), (10.0, None, 2))


@pytest.mark.parametrize(
    ("configuration", "values", "expected"),
    [
        # the threshold is 50
        (OUT, [50.0], 1),
        (OUT, [59.9], 1),
        (OUT, [60.0], 3),
        (OUT, [1e9], 3),
        (OUT, [49.9], None),
        (BOTH, [40.0], -2),
        (BOTH, [40.1], -1),
        (BOTH, [49.9], -1),
        (BOTH, [50.0], 1),
        (steps((None, 0.0, -1)), [50.0], -1),
        (steps((None, 0.0, -1)), [10.0], -1),
        (steps((None, 0.0, -1)), [50.1], None),
        # no datapoint: the alarm was set by hand, or by data that was missing
        (OUT, [], 1),
        (steps((None, 0.0, -1)), [], -1),
        (steps((5.0, None, 1)), [], None),
        # several datapoints
        (OUT, [50.0, 65.0], 1),
        ({**OUT, "MetricAggregationType": "Maximum"}, [50.0, 65.0], 3),
        ({**OUT, "MetricAggregationType": "Minimum"}, [50.0, 65.0], 1),
        ({**OUT, "MetricAggregationType": "Average"}, [55.0, 67.0], 3),
    ],
)
def test_which_step_it_is(configuration: dict[str, Any], values: list[float], expected: int | None) -> None:
    check_steps(configuration)
    found = find_step(configuration, 50.0, values)
    assert (None if found is None else found.amount) == expected


@pytest.mark.parametrize(
    ("step", "capacity", "expected"),
    [
        (Adjustment(CHANGE, 2), 3, 5),
        (Adjustment(CHANGE, -2), 3, 1),
        (Adjustment(CHANGE, -9), 3, 0),
        (Adjustment(CHANGE, 1), 0, 1),
        (Adjustment(EXACT, 4), 9, 4),
        (Adjustment(EXACT, 0), 9, 0),
        (Adjustment(PERCENT, 50), 4, 6),
        (Adjustment(PERCENT, 127), 10, 22),  # 12.7 is 12
        (Adjustment(PERCENT, 10), 4, 5),  # 0.4 is 1
        (Adjustment(PERCENT, -10), 4, 3),  # -0.4 is -1
        (Adjustment(PERCENT, -67), 10, 4),  # -6.7 is -6
        (Adjustment(PERCENT, 10), 0, 0),
        (Adjustment(PERCENT, 0), 4, 4),
        (Adjustment(PERCENT, 10, 3), 4, 7),
        (Adjustment(PERCENT, -10, 3), 4, 1),
        (Adjustment(PERCENT, 100, 3), 4, 8),
        (Adjustment(PERCENT, 10, 2), 0, 2),
        (Adjustment(PERCENT, 0, 2), 4, 4),
    ],
)
def test_what_a_step_makes_of_a_capacity(step: Adjustment, capacity: int, expected: int) -> None:
    assert step.of(capacity) == expected


@pytest.mark.parametrize(
    ("configuration", "complaint"),
    [
        ({}, "needs an AdjustmentType and StepAdjustments"),
        ({"AdjustmentType": CHANGE, "StepAdjustments": []}, "needs an AdjustmentType and StepAdjustments"),
        (steps((0.0, 10.0, 1), (5.0, None, 2)), "overlap: one ends at 10, one begins at 5"),
        (steps((0.0, 10.0, 1), (12.0, None, 2)), "gap between step adjustments, from 10 to 12"),
        (steps((0.0, None, 1), (0.0, None, 2)), "overlap"),
        (steps((None, -5.0, -1), (5.0, None, 1)), "gap between step adjustments, from -5 to 5"),
        (steps((0.0, 10.0, 1)), "No step adjustment is above 10"),
        (steps((-10.0, 0.0, -1)), "No step adjustment is below -10"),
        (steps((None, None, 1)), "neither MetricIntervalLowerBound nor MetricIntervalUpperBound"),
        (steps((10.0, 10.0, 1)), "MetricIntervalLowerBound 10 is not below"),
        (steps((0.0, None, -1), kind=EXACT), "ScalingAdjustment -1 is below 0"),
        (steps((0.0, None, 1), Cooldown=-1), "Cooldown -1 is below 0"),
        (steps((0.0, None, 1), kind=PERCENT, MinAdjustmentMagnitude=-1), "MinAdjustmentMagnitude -1 is below 0"),
        (steps((0.0, None, 1), MinAdjustmentMagnitude=2), "for the AdjustmentType PercentChangeInCapacity only"),
        (
            steps(*[(float(n), float(n + 1), 1) for n in range(20)], (20.0, None, 1)),
            "StepAdjustments has 21 members; a policy has at most 20",
        ),
    ],
)
def test_what_is_no_row_of_steps_is_refused(configuration: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Fault, match=complaint) as refused:
        check_steps(configuration)
    assert refused.value.code == "ValidationException"


def test_the_order_of_steps_does_not_matter() -> None:
    check_steps(steps((10.0, None, 2), (None, 0.0, -1), (0.0, 10.0, 1)))
