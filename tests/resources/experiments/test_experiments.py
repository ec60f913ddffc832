"""Experiments, trials and components as a boto3 user handles them, and what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server


def names(listed: list[dict[str, Any]], noun: str) -> list[str]:
    return [one[f"{noun}Name"] for one in listed]


def test_from_birth_to_deletion(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    arn = sagemaker.create_experiment(ExperimentName="Life", Description="d")["ExperimentArn"]
    assert arn.endswith(":experiment/life")
    sagemaker.update_experiment(ExperimentName="Life", DisplayName="shown")
    told = sagemaker.describe_experiment(ExperimentName="Life")
    assert (told["DisplayName"], told["Description"], told["ExperimentArn"]) == ("shown", "d", arn)
    assert told["CreatedBy"]["IamIdentity"]["Arn"].endswith(":root") and told["LastModifiedTime"] > told["CreationTime"]

    assert sagemaker.create_trial(TrialName="life-1", ExperimentName="Life")["TrialArn"].endswith("trial/life-1")
    sagemaker.update_trial(TrialName="life-1", DisplayName="first")
    trial = sagemaker.describe_trial(TrialName="life-1")
    assert (trial["ExperimentName"], trial["DisplayName"]) == ("Life", "first")

    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    sagemaker.create_trial_component(
        TrialComponentName="life-c",
        Status={"PrimaryStatus": "InProgress"},
        StartTime=start,
        Parameters={"lr": {"NumberValue": 0.1}, "net": {"StringValue": "small"}},
        InputArtifacts={"data": {"Value": "s3://b/data", "MediaType": "text/csv"}},
    )
    for _ in range(2):  # twice is once
        sagemaker.associate_trial_component(TrialName="life-1", TrialComponentName="life-c")
    sagemaker.update_trial_component(
        TrialComponentName="life-c",
        Status={"PrimaryStatus": "Completed", "Message": "done"},
        EndTime=start.replace(hour=13),
        Parameters={"lr": {"NumberValue": 0.2}, "seed": {"NumberValue": 1}},
        ParametersToRemove=["net"],
        OutputArtifacts={"model": {"Value": "s3://b/model"}},
        InputArtifactsToRemove=["data"],
    )
    component = sagemaker.describe_trial_component(TrialComponentName="life-c")
    assert component["Parameters"] == {"lr": {"NumberValue": 0.2}, "seed": {"NumberValue": 1.0}}
    assert component["Status"] == {"PrimaryStatus": "Completed", "Message": "done"}
    assert (component["StartTime"], component["EndTime"]) == (start, start.replace(hour=13))
    assert component["OutputArtifacts"] == {"model": {"Value": "s3://b/model"}} and not component["InputArtifacts"]
    assert sagemaker.describe_trial_component(TrialComponentName=component["TrialComponentArn"]) | {
        "ResponseMetadata": None
    } == component | {"ResponseMetadata": None}

    assert names(sagemaker.list_trials(ExperimentName="Life")["TrialSummaries"], "Trial") == ["life-1"]
    assert names(sagemaker.list_trials(TrialComponentName="life-c")["TrialSummaries"], "Trial") == ["life-1"]
    for of in ({"TrialName": "life-1"}, {"ExperimentName": "Life"}):
        listed = sagemaker.list_trial_components(**of)["TrialComponentSummaries"]
        assert names(listed, "TrialComponent") == ["life-c"] and listed[0]["Status"]["PrimaryStatus"] == "Completed"

    # From the outside in: what holds something else is not deleted.
    for refused, text in (
        (lambda: sagemaker.delete_experiment(ExperimentName="Life"), "still has the trial 'life-1'"),
        (lambda: sagemaker.delete_trial(TrialName="life-1"), "still has the component 'life-c'"),
        (lambda: sagemaker.delete_trial_component(TrialComponentName="life-c"), "belongs to the trial 'life-1'"),
    ):
        with pytest.raises(ClientError, match=text):
            refused()
    sagemaker.disassociate_trial_component(TrialName="life-1", TrialComponentName="life-c")
    assert sagemaker.list_trial_components(TrialName="life-1")["TrialComponentSummaries"] == []
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="does not belong"):
        sagemaker.disassociate_trial_component(TrialName="life-1", TrialComponentName="life-c")
    sagemaker.delete_trial_component(TrialComponentName="life-c")
    sagemaker.delete_trial(TrialName="life-1")
    sagemaker.delete_experiment(ExperimentName="Life")
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_experiment(ExperimentName="Life")


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("create_trial", {"TrialName": "t", "ExperimentName": "nobody"}),
        ("describe_trial", {"TrialName": "nobody"}),
        ("delete_trial", {"TrialName": "nobody"}),
        ("update_experiment", {"ExperimentName": "nobody"}),
        ("list_trials", {"ExperimentName": "nobody"}),
        ("list_trials", {"TrialComponentName": "nobody"}),
        ("list_trial_components", {"TrialName": "nobody"}),
        ("describe_trial_component", {"TrialComponentName": "nobody"}),
        ("update_trial_component", {"TrialComponentName": "nobody"}),
        ("delete_trial_component", {"TrialComponentName": "nobody"}),
    ],
)
def test_what_is_not_there(server: Server, operation: str, asked: dict[str, Any]) -> None:
    sagemaker = server.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="'nobody' does not exist"):
        getattr(sagemaker, operation)(**asked)


def test_names_are_unique(server: Server) -> None:
    """In the words that the SDKs look for before they load what is there."""
    sagemaker = server.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="twice")
    sagemaker.create_trial(TrialName="twice", ExperimentName="twice")
    sagemaker.create_trial_component(TrialComponentName="twice")
    for again in (
        lambda: sagemaker.create_experiment(ExperimentName="twice"),
        lambda: sagemaker.create_trial(TrialName="twice", ExperimentName="twice"),
        lambda: sagemaker.create_trial_component(TrialComponentName="twice"),
    ):
        with pytest.raises(ClientError, match="already exists") as refused:
            again()
        assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_names_are_taken_without_regard_to_case(server: Server) -> None:
    """The SageMaker SDK creates a run's experiment in small letters and lists it as its user wrote it, or the other way."""
    sagemaker = server.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="mixed-case")
    sagemaker.create_trial(TrialName="Mixed-Trial", ExperimentName="Mixed-Case")
    sagemaker.create_trial_component(TrialComponentName="Mixed-Part")
    sagemaker.associate_trial_component(TrialName="mixed-trial", TrialComponentName="mixed-part")
    assert sagemaker.describe_trial(TrialName="MIXED-TRIAL")["ExperimentName"] == "mixed-case"
    for of in ({"ExperimentName": "MIXED-case"}, {"TrialName": "mixed-TRIAL"}):
        listed = sagemaker.list_trial_components(**of)["TrialComponentSummaries"]
        assert names(listed, "TrialComponent") == ["Mixed-Part"]
    assert names(sagemaker.list_trials(ExperimentName="Mixed-Case")["TrialSummaries"], "Trial") == ["Mixed-Trial"]
    sagemaker.update_trial_component(TrialComponentName="mixed-part", DisplayName="d")
    assert sagemaker.describe_trial_component(TrialComponentName="mixed-part")["TrialComponentName"] == "Mixed-Part"
    with pytest.raises(ClientError, match="already exists"):
        sagemaker.create_experiment(ExperimentName="MIXED-CASE")
    sagemaker.disassociate_trial_component(TrialName="MIXED-TRIAL", TrialComponentName="MIXED-PART")
    sagemaker.delete_trial(TrialName="mixed-trial")


def test_a_component_keeps_so_much(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    many = {f"p{number}": {"NumberValue": float(number)} for number in range(300)}
    sagemaker.create_trial_component(TrialComponentName="full", Parameters=many)
    with pytest.raises(ClientError, match="would have 301 Parameters; at most 300"):
        sagemaker.update_trial_component(TrialComponentName="full", Parameters={"one-more": {"NumberValue": 1.0}})
    sagemaker.update_trial_component(
        TrialComponentName="full", Parameters={"one-more": {"NumberValue": 1.0}}, ParametersToRemove=["p0"]
    )


def test_pages_of_the_components_of_an_experiment(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="pages")
    for trial in ("pages-b", "pages-a"):
        sagemaker.create_trial(TrialName=trial, ExperimentName="pages")
    expected = [f"page-{number}" for number in range(5)]
    for number, name in enumerate(expected):
        sagemaker.create_trial_component(TrialComponentName=name)
        sagemaker.associate_trial_component(TrialName=f"pages-{'ab'[number % 2]}", TrialComponentName=name)
    sagemaker.associate_trial_component(TrialName="pages-a", TrialComponentName="page-1")  # in both: told once
    pages = sagemaker.get_paginator("list_trial_components").paginate(
        ExperimentName="pages", SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    listed = [names(page["TrialComponentSummaries"], "TrialComponent") for page in pages]
    assert listed == [expected[:2], expected[2:4], expected[4:]]
    newest = sagemaker.list_trial_components(ExperimentName="pages")["TrialComponentSummaries"]
    assert names(newest, "TrialComponent") == expected[::-1]
    token = sagemaker.list_trial_components(ExperimentName="pages", MaxResults=1)["NextToken"]
    for other in ({"ExperimentName": "pages", "SortBy": "Name"}, {"TrialName": "pages-a"}, {}):
        with pytest.raises(ClientError, match="NextToken belongs to a request with other filters"):
            sagemaker.list_trial_components(NextToken=token, **other)


def test_metrics_of_a_component(server: Server) -> None:
    sagemaker, metrics = server.client("sagemaker"), server.client("sagemaker-metrics")
    arn = sagemaker.create_trial_component(TrialComponentName="Measured")["TrialComponentArn"]
    begin = int(datetime.now(UTC).timestamp()) // 60 * 60 - 120

    def put(*values: tuple[int, float]) -> Any:
        data = [
            {"MetricName": "loss", "Timestamp": begin + 30 * step, "Step": step, "Value": value}
            for step, value in values
        ]
        return metrics.batch_put_metrics(TrialComponentName="measured", MetricData=data)

    assert "Errors" not in put((0, 4.0), (1, 2.0))
    assert "Errors" not in put((2, 1.0), (3, 1.0))
    (told,) = sagemaker.describe_trial_component(TrialComponentName="Measured")["Metrics"]
    expected = {"MetricName": "loss", "Count": 4, "Min": 1.0, "Max": 4.0, "Last": 1.0, "Avg": 2.0, "SourceArn": arn}
    assert told.items() >= expected.items() and told["StdDev"] == pytest.approx(1.5**0.5)

    def query(**changed: Any) -> Any:
        asked = {
            "MetricName": "loss",
            "ResourceArn": arn,
            "MetricStat": "Avg",
            "Period": "IterationNumber",
            "XAxisType": "IterationNumber",
        }
        return metrics.batch_get_metrics(MetricQueries=[{**asked, **changed}])["MetricQueryResults"][0]

    assert (query()["XAxisValues"], query()["MetricValues"]) == ([0, 1, 2, 3], [4.0, 2.0, 1.0, 1.0])
    assert query(Start=1, End=2)["MetricValues"] == [2.0, 1.0]
    minutes = {"Period": "OneMinute", "XAxisType": "Timestamp"}
    for statistic, values in (
        ("Avg", [3.0, 1.0]),
        ("Max", [4.0, 1.0]),
        ("Last", [2.0, 1.0]),
        ("Count", [2.0, 2.0]),
        ("StdDev", [1.0, 0.0]),
    ):
        found = query(MetricStat=statistic, **minutes)
        assert (found["XAxisValues"], found["MetricValues"]) == ([begin, begin + 60], values)
    assert query(MetricName="unknown")["MetricValues"] == []
    for changed, text in (
        ({"Period": "OneHour"}, "does not go with"),
        ({"ResourceArn": f"{arn}x"}, "does not exist"),
    ):
        refused = query(**changed)
        assert refused["Status"] == "ValidationError" and text in refused["Message"]
    with pytest.raises(ClientError, match="'nobody' does not exist"):
        metrics.batch_put_metrics(
            TrialComponentName="nobody", MetricData=[{"MetricName": "a", "Timestamp": begin, "Value": 1.0}]
        )
    assert put((4, float("inf")), (5, 0.0))["Errors"] == [{"Code": "VALIDATION_ERROR", "MetricIndex": 0}]
