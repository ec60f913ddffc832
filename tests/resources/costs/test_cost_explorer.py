"""Cost Explorer's answers from a real ledger: sums by period, groups, filters, values, pages, refusals."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.resources.costs.conftest import ACCOUNT, DAY, HOUR, NEW_YEAR

from tobo.kit.fault import Fault
from tobo.operations.context import Context

Ask = Callable[..., Any]
Used = Callable[..., None]

JANUARY = {"Start": "2026-01-01", "End": "2026-02-01"}
QUARTER = {"Start": "2026-01-01", "End": "2026-04-01"}


@pytest.fixture
def year(used: Used) -> None:
    """Three hours over midnight to the 2nd of January, one of two instances on the 3rd, an endpoint all March."""
    used("training-job", "night", NEW_YEAR + DAY - HOUR, NEW_YEAR + DAY + 2 * HOUR, project="marbles")
    used(
        "training-job",
        "pair",
        NEW_YEAR + 2 * DAY,
        NEW_YEAR + 2 * DAY + HOUR,
        count=2,
        region="eu-west-1",
        user="arn:bob",
    )
    used(
        "endpoint",
        "line",
        NEW_YEAR + 59 * DAY,
        NEW_YEAR + 90 * DAY,
        price=0.5,
        instance_type="ml.c5.xlarge",
        project="Line",
    )
    used("training-job", "other", NEW_YEAR, NEW_YEAR + HOUR, account="999999999999")


def amounts(answer: Any, metric: str = "UnblendedCost") -> list[tuple[str, float]]:
    return [
        (result["TimePeriod"]["Start"], float(result["Total"][metric]["Amount"])) for result in answer["ResultsByTime"]
    ]


def grouped(answer: Any, metric: str = "UnblendedCost") -> dict[tuple[str, ...], float]:
    """Of the first period."""
    groups = answer["ResultsByTime"][0]["Groups"]
    return {tuple(group["Keys"]): float(group["Metrics"][metric]["Amount"]) for group in groups}


@pytest.mark.usefixtures("year")
class TestSums:
    def test_days_are_cut_at_midnight(self, ask: Ask) -> None:
        period = {"Start": "2026-01-01", "End": "2026-01-05"}
        answer = ask("GetCostAndUsage", TimePeriod=period, Granularity="DAILY", Metrics=["UnblendedCost"])
        assert amounts(answer) == [("2026-01-01", 1.0), ("2026-01-02", 2.0), ("2026-01-03", 2.0), ("2026-01-04", 0.0)]
        assert answer["ResultsByTime"][0]["Total"]["UnblendedCost"]["Unit"] == "USD"

    def test_months_and_what_is_estimated(self, ask: Ask, context: Context) -> None:
        period = {"Start": "2026-01-15", "End": "2026-05-01"}
        answer = ask("GetCostAndUsage", TimePeriod=period, Granularity="MONTHLY", Metrics=["UnblendedCost"])
        assert amounts(answer) == [
            ("2026-01-15", 0.0),
            ("2026-02-01", 0.0),
            ("2026-03-01", 31 * 12),
            ("2026-04-01", 0.0),
        ]
        assert [result["Estimated"] for result in answer["ResultsByTime"]] == [False, False, False, True]

    def test_hours(self, ask: Ask) -> None:
        period = {"Start": "2026-01-01T22:30:00Z", "End": "2026-01-02T01:00:00Z"}
        answer = ask("GetCostAndUsage", TimePeriod=period, Granularity="HOURLY", Metrics=["UsageQuantity"])
        assert amounts(answer, "UsageQuantity") == [
            ("2026-01-01T22:30:00Z", 0.0),
            ("2026-01-01T23:00:00Z", 1.0),
            ("2026-01-02T00:00:00Z", 1.0),
        ]
        assert answer["ResultsByTime"][0]["Total"]["UsageQuantity"]["Unit"] == "Hrs"

    def test_what_it_cost_here_stands_beside_what_it_would_have_cost(self, ask: Ask) -> None:
        metrics = ["UNBLENDED_COST", "BlendedCost", "NetUnblendedCost", "AmortizedCost", "NetAmortizedCost"]
        answer = ask("GetCostAndUsage", TimePeriod=JANUARY, Granularity="MONTHLY", Metrics=metrics)
        told = {name: float(value["Amount"]) for name, value in answer["ResultsByTime"][0]["Total"].items()}
        listed, own = 5.0, 0.5
        assert told == {
            "UnblendedCost": listed,
            "BlendedCost": listed,
            "NetUnblendedCost": listed,
            "AmortizedCost": own,
            "NetAmortizedCost": own,
        }

    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ([("DIMENSION", "REGION")], {("us-east-1",): 3.0, ("eu-west-1",): 2.0}),
            ([("DIMENSION", "SERVICE")], {("Amazon SageMaker",): 5.0}),
            ([("TAG", "project")], {("project$marbles",): 3.0, ("project$",): 2.0}),
            (
                [("DIMENSION", "USAGE_TYPE"), ("TAG", "aws:createdBy")],
                {
                    ("USE1-Train:ml.m5.large", "aws:createdBy$arn:aws:iam::111122223333:user/anna"): 3.0,
                    ("EUW1-Train:ml.m5.large", "aws:createdBy$arn:bob"): 2.0,
                },
            ),
        ],
    )
    def test_groups(self, ask: Ask, keys: list[tuple[str, str]], expected: dict[tuple[str, ...], float]) -> None:
        groups = [{"Type": kind, "Key": key} for kind, key in keys]
        asked = {"TimePeriod": JANUARY, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"], "GroupBy": groups}
        answer = ask("GetCostAndUsage", **asked)
        assert grouped(answer) == expected
        assert answer["ResultsByTime"][0]["Total"] == {} and answer["GroupDefinitions"] == groups

    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            (None, 377.0),
            ({"Dimensions": {"Key": "REGION", "Values": ["eu-west-1", "ap-south-1"]}}, 2.0),
            (
                {
                    "Dimensions": {
                        "Key": "USAGE_TYPE",
                        "Values": ["train"],
                        "MatchOptions": ["CONTAINS", "CASE_INSENSITIVE"],
                    }
                },
                5.0,
            ),
            ({"Dimensions": {"Key": "INSTANCE_TYPE", "Values": ["ml.c5"], "MatchOptions": ["STARTS_WITH"]}}, 372.0),
            ({"Dimensions": {"Key": "RESOURCE_ID", "Values": ["/night"], "MatchOptions": ["ENDS_WITH"]}}, 3.0),
            ({"Tags": {"Key": "project", "Values": ["line"]}}, 0.0),
            ({"Tags": {"Key": "project", "Values": ["line"], "MatchOptions": ["CASE_INSENSITIVE"]}}, 372.0),
            ({"Tags": {"Key": "project", "MatchOptions": ["ABSENT"]}}, 2.0),
            ({"Tags": {"Key": "project", "Values": [""]}}, 2.0),
            ({"Not": {"Tags": {"Key": "project", "Values": ["marbles"]}}}, 374.0),
            (
                {
                    "Or": [
                        {"Dimensions": {"Key": "REGION", "Values": ["eu-west-1"]}},
                        {
                            "And": [
                                {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon SageMaker"]}},
                                {"Tags": {"Key": "project", "Values": ["marbles"]}},
                            ]
                        },
                    ]
                },
                5.0,
            ),
        ],
    )
    def test_filters(self, ask: Ask, expression: Any, expected: float) -> None:
        more = {} if expression is None else {"Filter": expression}
        answer = ask("GetCostAndUsage", TimePeriod=QUARTER, Granularity="MONTHLY", Metrics=["UnblendedCost"], **more)
        assert sum(amount for _, amount in amounts(answer)) == pytest.approx(expected)

    def test_resources_by_their_arn(self, ask: Ask) -> None:
        answer = ask(
            "GetCostAndUsageWithResources",
            TimePeriod=JANUARY,
            Granularity="MONTHLY",
            Metrics=["UnblendedCost"],
            Filter={"Dimensions": {"Key": "SERVICE", "Values": ["Amazon SageMaker"]}},
            GroupBy=[{"Type": "DIMENSION", "Key": "RESOURCE_ID"}],
        )
        assert grouped(answer) == {
            (f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/night",): 3.0,
            (f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:training-job/pair",): 2.0,
        }

    def test_values_of_dimensions_and_tags(self, ask: Ask) -> None:
        answer = ask("GetDimensionValues", TimePeriod=QUARTER, Dimension="INSTANCE_TYPE")
        assert [each["Value"] for each in answer["DimensionValues"]] == ["ml.c5.xlarge", "ml.m5.large"]
        assert (answer["ReturnSize"], answer["TotalSize"]) == (2, 2)
        dearest = [{"Key": "UnblendedCost", "SortOrder": "DESCENDING"}]
        answer = ask("GetDimensionValues", TimePeriod=QUARTER, Dimension="REGION", SortBy=dearest)
        assert [each["Value"] for each in answer["DimensionValues"]] == ["us-east-1", "eu-west-1"]
        answer = ask("GetDimensionValues", TimePeriod=JANUARY, Dimension="REGION", SearchString="WEST")
        assert [each["Value"] for each in answer["DimensionValues"]] == ["eu-west-1"]
        assert ask("GetTags", TimePeriod=QUARTER)["Tags"] == ["aws:createdBy", "project"]
        assert ask("GetTags", TimePeriod=QUARTER, TagKey="project")["Tags"] == ["Line", "marbles"]
        assert ask("GetTags", TimePeriod=JANUARY, TagKey="nobody")["Tags"] == []

    def test_values_are_paged(self, ask: Ask) -> None:
        asked = {"TimePeriod": QUARTER, "Dimension": "RESOURCE_ID", "MaxResults": 2}
        first = ask("GetDimensionValues", **asked)
        second = ask("GetDimensionValues", **asked, NextPageToken=first["NextPageToken"])
        values = [each["Value"].rsplit("/", 1)[-1] for page in (first, second) for each in page["DimensionValues"]]
        assert values == ["pair", "line", "night"] and "NextPageToken" not in second
        assert [page["ReturnSize"] for page in (first, second)] == [2, 1]
        with pytest.raises(Fault) as refused:
            ask("GetTags", TimePeriod=QUARTER, NextPageToken=first["NextPageToken"])
        assert refused.value.code == "InvalidNextTokenException"


def test_groups_are_paged_by_whole_periods(ask: Ask, used: Used) -> None:
    for number in range(600):
        used("training-job", f"j{number:03}", NEW_YEAR, NEW_YEAR + 3 * DAY)
    asked = {
        "TimePeriod": {"Start": "2026-01-01", "End": "2026-01-04"},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "DIMENSION", "Key": "RESOURCE_ID"}],
    }
    first = ask("GetCostAndUsage", **asked)
    second = ask("GetCostAndUsage", **asked, NextPageToken=first["NextPageToken"])
    days = [result["TimePeriod"]["Start"] for page in (first, second) for result in page["ResultsByTime"]]
    assert days == ["2026-01-01", "2026-01-02", "2026-01-03"] and "NextPageToken" not in second
    assert all(len(result["Groups"]) == 600 for page in (first, second) for result in page["ResultsByTime"])


def test_what_runs_costs_until_now(ask: Ask, used: Used, context: Context) -> None:
    used("endpoint", "line", context.clock.now() - 2 * HOUR, None)
    period = {"Start": "2026-03-31", "End": "2026-04-02"}
    asked = {"TimePeriod": period, "Granularity": "DAILY", "Metrics": ["UsageQuantity"]}
    assert amounts(ask("GetCostAndUsage", **asked), "UsageQuantity") == [("2026-03-31", 2.0), ("2026-04-01", 0.0)]
    context.clock.turn(HOUR)  # type: ignore[attr-defined]
    assert amounts(ask("GetCostAndUsage", **asked), "UsageQuantity") == [("2026-03-31", 2.0), ("2026-04-01", 1.0)]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"TimePeriod": {"Start": "2026-02-01", "End": "2026-01-01"}}, "2026-02-01"),
        ({"TimePeriod": {"Start": "2026-02-30", "End": "2026-03-01"}}, "2026-02-30"),
        ({"TimePeriod": {"Start": "2020-01-01", "End": "2026-01-01"}, "Granularity": "HOURLY"}, "10000 periods"),
        ({"Metrics": ["Cents"]}, "Cents"),
        ({"Metrics": []}, "Metrics is empty"),
        ({"GroupBy": [{"Type": "DIMENSION", "Key": "TENANCY"}]}, "TENANCY"),
        ({"GroupBy": [{"Type": "COST_CATEGORY", "Key": "mine"}]}, "COST_CATEGORY"),
        ({"GroupBy": [{"Type": "TAG", "Key": key} for key in "abc"]}, "3 keys"),
        ({"Filter": {}}, "none"),
        ({"Filter": {"CostCategories": {"Key": "mine", "Values": ["a"]}}}, "CostCategories"),
        ({"Filter": {"And": [{"Tags": {"Key": "a", "Values": ["b"]}}]}}, "And joins two"),
        ({"Filter": {"Tags": {"Key": "a"}}}, "no Values"),
        ({"Filter": {"Tags": {"Values": ["a"]}}}, "no Key"),
        ({"Filter": {"Tags": {"Key": "a", "Values": ["b"], "MatchOptions": ["ABSENT"]}}}, "ABSENT stands alone"),
        (
            {"Filter": {"Tags": {"Key": "a", "Values": ["b"], "MatchOptions": ["GREATER_THAN_OR_EQUAL"]}}},
            "GREATER_THAN",
        ),
        ({"Filter": {"Dimensions": {"Key": "AZ", "Values": ["a"]}}}, "AZ"),
    ],
)
def test_refusals_name_what_is_wrong(ask: Ask, changed: dict[str, Any], named: str) -> None:
    asked = {"TimePeriod": JANUARY, "Granularity": "DAILY", "Metrics": ["UnblendedCost"], **changed}
    with pytest.raises(Fault) as refused:
        ask("GetCostAndUsage", **asked)
    assert refused.value.code == "ValidationException" and named in refused.value.message


def test_a_token_of_something_else_is_refused(ask: Ask) -> None:
    asked = {"TimePeriod": JANUARY, "Granularity": "DAILY", "Metrics": ["UnblendedCost"]}
    with pytest.raises(Fault) as refused:
        ask("GetCostAndUsage", **asked, NextPageToken="bm90IG91cnM=")
    assert refused.value.code == "InvalidNextTokenException"
