"""Periods and thresholds of budgets, by the calendar."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tobo.operations.budgeting import expression_of
from tobo.resources.budgets.spending import is_over, metric_of, period_at


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("unit", "now", "begin", "end"),
    [
        ("DAILY", "2026-12-31T23:59", "2026-12-31", "2027-01-01"),
        ("MONTHLY", "2026-02-28T12:00", "2026-02-01", "2026-03-01"),
        ("MONTHLY", "2026-12-01T00:00", "2026-12-01", "2027-01-01"),
        ("QUARTERLY", "2026-03-31T23:59", "2026-01-01", "2026-04-01"),
        ("QUARTERLY", "2026-11-28T10:00", "2026-10-01", "2027-01-01"),
        ("ANNUALLY", "2024-02-29T10:00", "2024-01-01", "2025-01-01"),
    ],
)
def test_periods_are_those_of_the_calendar(unit: str, now: str, begin: str, end: str) -> None:
    assert period_at({"TimeUnit": unit}, day(now)) == (day(begin), day(end))


@pytest.mark.parametrize(
    ("changed", "spent", "forecast", "over"),
    [
        ({}, 80.0, 0.0, False),
        ({}, 80.01, 0.0, True),
        ({"ThresholdType": "ABSOLUTE_VALUE"}, 80.01, 0.0, True),
        ({"ThresholdType": "ABSOLUTE_VALUE", "Threshold": 90.0}, 80.01, 0.0, False),
        ({"NotificationType": "FORECASTED"}, 0.0, 81.0, True),
        ({"NotificationType": "FORECASTED"}, 99.0, 79.0, False),
        ({"ComparisonOperator": "LESS_THAN"}, 79.0, 0.0, True),
        ({"ComparisonOperator": "EQUAL_TO"}, 80.0, 0.0, True),
    ],
)
def test_thresholds(changed: dict[str, Any], spent: float, forecast: float, over: bool) -> None:
    notification = {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": 80.0,
        "ThresholdType": "PERCENTAGE",
    }
    assert is_over({**notification, **changed}, 100.0, spent, forecast) is over


def test_what_is_counted() -> None:
    assert metric_of({"BudgetType": "COST"}) == "UnblendedCost"
    assert metric_of({"BudgetType": "COST", "CostTypes": {"UseAmortized": True}}) == "AmortizedCost"
    assert metric_of({"BudgetType": "COST", "Metrics": ["AmortizedCost"]}) == "AmortizedCost"
    assert metric_of({"BudgetType": "USAGE"}) == "UsageQuantity"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, None),
        ({"Region": ["eu-west-1"]}, {"Dimensions": {"Key": "REGION", "Values": ["eu-west-1"]}}),
        (
            {"TagKeyValue": ["user:project$marbles", "user:project$pcb"]},
            {"Tags": {"Key": "project", "Values": ["marbles", "pcb"]}},
        ),
        (
            {"TagKeyValue": ["a$1", "b$2"], "InstanceType": ["ml.m5.large"]},
            {
                "And": [
                    {"Or": [{"Tags": {"Key": "a", "Values": ["1"]}}, {"Tags": {"Key": "b", "Values": ["2"]}}]},
                    {"Dimensions": {"Key": "INSTANCE_TYPE", "Values": ["ml.m5.large"]}},
                ]
            },
        ),
    ],
)
def test_filters_are_cost_explorers(filters: dict[str, list[str]], expected: Any) -> None:
    assert expression_of({"CostFilters": filters}) == expected
