"""Search: a table of expressions and what they find, orders, pages, and what is refused. Each kind in a region of its own."""

from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.jobs import QUICK, training_job, wait
from tests.support.tuning import tuning_job

REGION = "eu-north-1"


@pytest.fixture(scope="module")
def sagemaker(server: Server) -> Any:
    """Three failed training jobs (their bucket is missing) and three trial components, with differences."""
    client = server.client("sagemaker", region=REGION)
    for name, rate, team in (("one", "0.1", "line"), ("two", "0.05", "lab"), ("three", "0.5", None)):
        tags = [{"Key": "team", "Value": team}, {"Key": "a.b/c", "Value": "1"}] if team else []
        hyperparameters = {**QUICK, "learning_rate": rate} | ({"optimizer": "adam"} if name == "two" else {})
        client.create_training_job(**training_job(name, f"bucket-{name}", Tags=tags, HyperParameters=hyperparameters))
    for name in ("one", "two", "three"):
        wait(client, name)
    client.create_experiment(ExperimentName="ex")
    for trial in ("ta", "tb"):
        client.create_trial(TrialName=trial, ExperimentName="ex")
    metrics = server.client("sagemaker-metrics", region=REGION)
    for name, losses in (("ca", [3.0, 1.0]), ("cb", [2.0, 1.5]), ("cc", [])):
        client.create_trial_component(
            TrialComponentName=name,
            Parameters={"lr": {"NumberValue": len(losses) + 0.5}, "net": {"StringValue": f"{name}-net"}},
            Status={"PrimaryStatus": "Completed" if losses else "Failed"},
        )
        if losses:
            client.associate_trial_component(TrialName=f"t{name[1]}", TrialComponentName=name)
            data = [{"MetricName": "val:loss", "Timestamp": 1e9 + n, "Value": v} for n, v in enumerate(losses)]
            metrics.batch_put_metrics(TrialComponentName=name, MetricData=data)
    return client


def f(name: str, operator: str | None = None, value: str | None = None) -> dict[str, Any]:
    return {"Name": name, **({"Operator": operator} if operator else {}), **({"Value": value} if value else {})}


def found(sagemaker: Any, resource: str, member: str, noun: str, **asked: Any) -> list[str]:
    results = sagemaker.search(Resource=resource, **asked)["Results"]
    return [one[member][f"{noun}Name"] for one in results]


SOURCE = "InputDataConfig.DataSource.S3DataSource.S3Uri"
JOBS: list[tuple[dict[str, Any], str]] = [
    ({}, "one two three"),
    ({"Filters": [f("TrainingJobName", "Equals", "one")]}, "one"),
    ({"Filters": [f("TrainingJobName", None, "one")]}, "one"),
    ({"Filters": [f("TrainingJobName", "Equals", "on")]}, ""),
    ({"Filters": [f("trainingjobname", "Contains", "e")]}, "one three"),
    ({"Filters": [f("TrainingJobName", "NotEquals", "one")]}, "two three"),
    ({"Filters": [f("TrainingJobName", "In", "one, three,four")]}, "one three"),
    ({"Filters": [f("TrainingJobStatus", "Equals", "Failed")]}, "one two three"),
    ({"Filters": [f("TrainingJobStatus", "Equals", "Completed")]}, ""),
    ({"Filters": [f("RoleArn", "Contains", ":role/")]}, "one two three"),
    ({"Filters": [f("RoleArn", "Equals", "arn:aws:iam::111122223333:role/other")]}, ""),
    ({"Filters": [f("Tags.team", "Equals", "line")]}, "one"),
    ({"Filters": [f("Tags.team", "Exists")]}, "one two"),
    ({"Filters": [f("Tags.team", "NotExists")]}, "three"),
    ({"Filters": [f("Tags.a.b/c", "Equals", "1"), f("Tags.team", "NotEquals", "line")]}, "two"),
    ({"Filters": [f('Tags.a"b', "Equals", "1")]}, ""),
    ({"Filters": [f("HyperParameters.learning_rate", "Equals", "0.10")]}, "one"),
    ({"Filters": [f("HyperParameters.learning_rate", "GreaterThan", "0.05")]}, "one three"),
    ({"Filters": [f("HyperParameters.learning_rate", "GreaterThanOrEqualTo", "0.05")]}, "one two three"),
    ({"Filters": [f("HyperParameters.learning_rate", "LessThan", "0.1")]}, "two"),
    ({"Filters": [f("HyperParameters.learning_rate", "LessThanOrEqualTo", "0.1")]}, "one two"),
    ({"Filters": [f("HyperParameters.learning_rate", "In", "0.5, 0.05")]}, "two three"),
    ({"Filters": [f("HyperParameters.optimizer", "Equals", "adam")]}, "two"),
    ({"Filters": [f("HyperParameters.optimizer", "NotExists")]}, "one three"),
    ({"Filters": [f("HyperParameters.image_shape", "GreaterThan", "1")]}, ""),
    ({"Filters": [f("ResourceConfig.InstanceCount", "Equals", "1")]}, "one two three"),
    ({"Filters": [f("ResourceConfig.InstanceType", "Contains", "m5")]}, "one two three"),
    ({"Filters": [f("Metrics.validation:accuracy", "GreaterThan", "0.1")]}, ""),
    ({"Filters": [f("Metrics.validation:accuracy", "NotExists")]}, "one two three"),
    ({"Filters": [f("CreationTime", "GreaterThan", "2020-01-01T00:00:00")]}, "one two three"),
    ({"Filters": [f("CreationTime", "LessThan", "2020-01-01")]}, ""),
    ({"Filters": [f("LastModifiedTime", "GreaterThanOrEqualTo", "1577836800")]}, "one two three"),
    ({"Filters": [f("SecondaryStatusTransitions.Status", "Equals", "Downloading")]}, "one two three"),
    ({"Filters": [f(SOURCE, "Contains", "bucket-two")]}, "two"),
    (
        {"NestedFilters": [{"NestedPropertyName": "InputDataConfig",
                            "Filters": [f(SOURCE, "Contains", "bucket-two"), f("InputDataConfig.ChannelName", "Equals", "train")]}]},
        "two",
    ),
    (
        {"NestedFilters": [{"NestedPropertyName": "InputDataConfig",
                            "Filters": [f(SOURCE, "Contains", "/validation"), f("InputDataConfig.ChannelName", "Equals", "train")]}]},
        "",
    ),
    ({"Operator": "Or", "Filters": [f("TrainingJobName", None, "one"), f("Tags.team", None, "lab")]}, "one two"),
    (
        {"Filters": [f("TrainingJobStatus", None, "Failed")], "SubExpressions": [
            {"Operator": "Or", "Filters": [f("Tags.team", None, "lab"), f("TrainingJobName", None, "three")]},
            {"Filters": [f("HyperParameters.optimizer", "NotExists")]}]},
        "three",
    ),
    (
        {"Operator": "Or", "Filters": [f("TrainingJobName", None, "one")],
         "SubExpressions": [{"Filters": [f("Tags.team", None, "lab")]}]},
        "one two",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), JOBS, ids=lambda value: str(value)[:70])
def test_training_jobs(sagemaker: Any, expression: dict[str, Any], expected: str) -> None:
    asked = {"SearchExpression": expression} if expression else {}
    order = {"SortBy": "CreationTime", "SortOrder": "Ascending"}
    assert found(sagemaker, "TrainingJob", "TrainingJob", "TrainingJob", **asked, **order) == expected.split()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"Filters": [f("Parents.ExperimentName", "Equals", "ex")]}, "ca cb"),
        ({"Filters": [f("Parents.ExperimentName", "Equals", "EX")]}, "ca cb"),
        ({"Filters": [f("Parents.TrialName", "Equals", "TB")]}, "cb"),
        ({"Filters": [f("Parents.ExperimentName", "Equals", "nobody")]}, ""),
        ({"Filters": [f("Parents.TrialName", "Equals", "tb")]}, "cb"),
        ({"Filters": [f("Parents.TrialName", "Equals", "nobody")]}, ""),
        ({"Filters": [f("Parents.TrialName", None, "tb"), f("Parents.ExperimentName", None, "ex")]}, "cb"),
        ({"Filters": [f("Parents.TrialName", None, "tb"), f("Parents.ExperimentName", None, "other")]}, ""),
        ({"NestedFilters": [{"NestedPropertyName": "Parents", "Filters": [f("Parents.TrialName", None, "ta")]}]}, "ca"),
        ({"Filters": [f("Parents", "NotExists")]}, "cc"),
        ({"Filters": [f("metrics.val:loss.max", "GreaterThan", "2.5")]}, "ca"),
        ({"Filters": [f("Metrics.val:loss.Min", "GreaterThan", "1.2")]}, "cb"),
        ({"Filters": [f("Metrics.val:loss", "LessThan", "1.2")]}, "ca"),
        ({"Filters": [f("Metrics.val:loss.Last", "Equals", "1.50")]}, "cb"),
        ({"Filters": [f("Parameters.lr", "GreaterThan", "1")]}, "ca cb"),
        ({"Filters": [f("Parameters.net", "Equals", "cc-net")]}, "cc"),
        ({"Filters": [f("Status.PrimaryStatus", "Equals", "Failed")]}, "cc"),
        ({"Filters": [f("DisplayName", "Equals", "ca")]}, "ca"),
    ],
)
def test_trial_components(sagemaker: Any, expression: dict[str, Any], expected: str) -> None:
    no_job = f("Source.SourceArn", "NotExists")
    below = {"Filters": [no_job], "SubExpressions": [expression]}
    beside = {**expression, "Filters": [no_job, *expression.get("Filters", [])]}
    for whole in (below, beside):  # where a parent is required, the store looks its components up
        for order, names in (("Ascending", expected.split()), ("Descending", expected.split()[::-1])):
            listed = found(
                sagemaker,
                "ExperimentTrialComponent",
                "TrialComponent",
                "TrialComponent",
                SearchExpression=whole,
                SortBy="TrialComponentName",
                SortOrder=order,
            )
            assert listed == names


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({}, "three two one"),
        ({"SortBy": "CreationTime", "SortOrder": "Ascending"}, "one two three"),
        ({"SortBy": "TrainingJobName", "SortOrder": "Ascending"}, "one three two"),
        ({"SortBy": "HyperParameters.learning_rate"}, "three one two"),
        ({"SortBy": "HyperParameters.learning_rate", "SortOrder": "Ascending"}, "two one three"),
        ({"SortBy": "Tags.team", "SortOrder": "Ascending"}, "two one three"),
        ({"SortBy": "HyperParameters.optimizer"}, "two three one"),
    ],
)
def test_orders_and_pages(sagemaker: Any, order: dict[str, str], expected: str) -> None:
    """The default is the last modified first, which nobody can foretell of three jobs that fail at once: only its pages count."""
    whole = found(sagemaker, "TrainingJob", "TrainingJob", "TrainingJob", **order)
    assert whole == expected.split() if order else sorted(whole) == ["one", "three", "two"]
    listed, token = [], {}
    while True:
        page = sagemaker.search(Resource="TrainingJob", MaxResults=1, **order, **token)
        listed += [one["TrainingJob"]["TrainingJobName"] for one in page["Results"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert listed == whole
    with pytest.raises(ClientError, match="NextToken belongs to a request with other filters"):
        sagemaker.search(Resource="TrainingJob", SortBy="RoleArn", **token)


def test_a_result_is_the_description_with_tags(sagemaker: Any) -> None:
    expression = {"Filters": [f("TrainingJobName", None, "one")]}
    (result,) = sagemaker.search(Resource="TrainingJob", SearchExpression=expression)["Results"]
    told = sagemaker.describe_training_job(TrainingJobName="one")
    tags = [{"Key": "a.b/c", "Value": "1"}, {"Key": "team", "Value": "line"}]
    assert result["TrainingJob"]["Tags"] == tags
    for name in ("TrainingJobArn", "HyperParameters", "FailureReason", "SecondaryStatusTransitions"):
        assert result["TrainingJob"][name] == told[name]


def test_every_other_kind(server: Server, sagemaker: Any) -> None:
    sagemaker.create_hyper_parameter_tuning_job(**tuning_job("tuned", "nowhere", jobs=1, parallel=1))
    server.client("s3", region=REGION).create_bucket(
        Bucket="search-models", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    server.client("s3", region=REGION).put_object(Bucket="search-models", Key="model.tar.gz", Body=b"-")
    container = {"Image": training_job("x", "y")["AlgorithmSpecification"]["TrainingImage"]}
    sagemaker.create_model(
        ModelName="searched",
        ExecutionRoleArn=training_job("x", "y")["RoleArn"],
        PrimaryContainer={**container, "ModelDataUrl": "s3://search-models/model.tar.gz"},
    )
    variant = {"VariantName": "v", "ModelName": "searched", "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="searched", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="searched", EndpointConfigName="searched")
    for resource, name, value, member in (
        ("HyperParameterTuningJob", "HyperParameterTuningJobConfig.Strategy", "Random", "HyperParameterTuningJob"),
        ("Endpoint", "ProductionVariants.VariantName", "v", "Endpoint"),
        ("Endpoint", "EndpointName", "searched", "Endpoint"),
        ("Model", "ModelName", "searched", "Model"),
        ("Model", "Model.PrimaryContainer.ModelDataUrl", "s3://search-models/model.tar.gz", "Model"),
        ("Experiment", "DisplayName", "ex", "Experiment"),
        ("ExperimentTrial", "ExperimentName", "ex", "Trial"),
    ):
        results = sagemaker.search(Resource=resource, SearchExpression={"Filters": [f(name, None, value)]})["Results"]
        assert results and all(one.keys() == {member} for one in results), resource
        nothing = {"Filters": [f(name, None, f"{value}-not")]}
        assert sagemaker.search(Resource=resource, SearchExpression=nothing)["Results"] == []
    trials = sagemaker.search(Resource="ExperimentTrial", SortBy="TrialName", SortOrder="Ascending")["Results"]
    parts = [[part["TrialComponentName"] for part in one["Trial"]["TrialComponentSummaries"]] for one in trials]
    assert parts == [["ca"], ["cb"]]
    sagemaker.delete_endpoint(EndpointName="searched")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"Resource": "Pipeline"}, "Resource Pipeline is not searched here"),
        ({"SearchExpression": {"Filters": [f("Colour", None, "red")]}}, "Unknown property name: Colour"),
        ({"SearchExpression": {"Filters": [f("RoleArn.Colour", None, "red")]}}, "Unknown property name"),
        ({"SortBy": "Colour"}, "Unknown property name: Colour"),
        ({"SearchExpression": {"Filters": [f("RoleArn")]}}, "has no Value; Equals needs one"),
        ({"SearchExpression": {"Filters": [f("RoleArn", "Exists", "x")]}}, "Exists takes none"),
        ({"SearchExpression": {"Filters": [f("RoleArn", "GreaterThan", "x")]}}, "GreaterThan is not for text"),
        ({"SearchExpression": {"Filters": [f("Metrics.a", "GreaterThan", "x")]}}, "'x' .* is no number"),
        ({"SearchExpression": {"Filters": [f("CreationTime", "LessThan", "May")]}}, "write it like 2026-07-01T12:00:00"),
        ({"SearchExpression": {"Filters": [f("CreationTime", "Contains", "May")]}}, "Contains is for text"),
        ({"SearchExpression": {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": [f("RoleArn", None, "x")]}]}},
         "is not below its NestedPropertyName"),
        ({"SearchExpression": {"SubExpressions": [{"Filters": [f("RoleArn", None, "x")] * 17}] * 3}}, "has 51 filters; at most 50"),
        ({"VisibilityConditions": [{"Key": "k", "Value": "v"}]}, "VisibilityConditions are not supported"),
        ({"CrossAccountFilterOption": "CrossAccount"}, "CrossAccountFilterOption CrossAccount is not supported"),
        ({"NextToken": "garbage"}, "NextToken is not one that this operation gave"),
        ({"NextToken": "NQ=="}, "NextToken is not one that this operation gave"),
    ],
)  # fmt: skip
def test_refusals(sagemaker: Any, asked: dict[str, Any], text: str) -> None:
    with pytest.raises(ClientError, match=text) as refused:
        sagemaker.search(**{"Resource": "TrainingJob", **asked})
    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("resource", "hint", "expected"),
    [
        ("TrainingJob", "TrainingJobN", {"TrainingJobName"}),
        ("TrainingJob", "hyperparameters.opt", {"HyperParameters.optimizer"}),
        ("TrainingJob", "tags.", {"Tags.team", "Tags.a.b/c"}),
        ("ExperimentTrialComponent", "metrics.val:loss.m", {"Metrics.val:loss.Min", "Metrics.val:loss.Max"}),
        ("ExperimentTrialComponent", "parameters.ne", {"Parameters.net"}),
        ("Experiment", "no such thing", set()),
    ],
)
def test_suggestions(sagemaker: Any, resource: str, hint: str, expected: set[str]) -> None:
    query = {"PropertyNameQuery": {"PropertyNameHint": hint}}
    told = sagemaker.get_search_suggestions(Resource=resource, SuggestionQuery=query)["PropertyNameSuggestions"]
    assert {one["PropertyName"] for one in told} == expected


def test_every_suggested_name_can_be_searched_by(sagemaker: Any) -> None:
    """Names, types and operators are of one model."""
    for resource in ("TrainingJob", "Endpoint", "Model", "ExperimentTrialComponent", "HyperParameterTuningJob"):
        for one in sagemaker.get_search_suggestions(Resource=resource)["PropertyNameSuggestions"]:
            sagemaker.search(
                Resource=resource, SearchExpression={"Filters": [f(one["PropertyName"], "Exists")]}, MaxResults=1
            )


def test_times_are_found_to_the_second(sagemaker: Any) -> None:
    created: datetime = sagemaker.describe_training_job(TrainingJobName="two")["CreationTime"]
    second = {"Filters": [f("CreationTime", "Equals", str(int(created.timestamp())))]}
    assert "two" in found(sagemaker, "TrainingJob", "TrainingJob", "TrainingJob", SearchExpression=second)
