"""Algorithms with boto3: made, described, listed, deleted, and what making one refuses."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.algorithms import (
    algorithm,
    channel_specification,
    hyperparameters,
    training_specification,
    validation,
)
from tests.support.browser import limited_user
from tests.support.jobs import IMAGE, channel
from tests.support.own_code import PYTHON
from tests.support.unique import own_region, unique

SERVING_ONLY = "tobo/named-model"


@pytest.fixture
def sagemaker(server: Server) -> Any:
    return server.client("sagemaker")


def refusal(sagemaker: Any, **asked: Any) -> str:
    with pytest.raises(ClientError) as refused:
        sagemaker.create_algorithm(**asked)
    told = refused.value.response["Error"]
    assert told["Code"] == "ValidationException"
    return str(told["Message"])


def test_made_and_described(server: Server, sagemaker: Any) -> None:
    name = unique("Marbles")
    asked = algorithm(name, Tags=[{"Key": "line", "Value": "7"}])
    arn = sagemaker.create_algorithm(**asked)["AlgorithmArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{server.account}:algorithm/{name.lower()}"
    told = sagemaker.describe_algorithm(AlgorithmName=name)
    for member in ("AlgorithmName", "AlgorithmDescription", "TrainingSpecification", "InferenceSpecification"):
        assert told[member] == asked[member]
    assert told["AlgorithmStatus"] == "Completed" and told["AlgorithmArn"] == arn and told["CreationTime"]
    assert told["AlgorithmStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert told["CertifyForMarketplace"] is False and "ValidationSpecification" not in told
    by_arn = sagemaker.describe_algorithm(AlgorithmName=arn)
    assert by_arn["AlgorithmName"] == name
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "line", "Value": "7"}]
    assert "already exists" in refusal(sagemaker, **asked)


def test_deleted(sagemaker: Any) -> None:
    name = unique("gone")
    arn = sagemaker.create_algorithm(**algorithm(name))["AlgorithmArn"]
    sagemaker.delete_algorithm(AlgorithmName=name)
    for asked in (name, arn):
        with pytest.raises(ClientError, match="does not exist"):
            sagemaker.describe_algorithm(AlgorithmName=asked)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.delete_algorithm(AlgorithmName=name)
    sagemaker.create_algorithm(**algorithm(name))


def test_an_arn_of_another_noun_or_region_is_none(server: Server, sagemaker: Any) -> None:
    name = unique("here")
    arn = sagemaker.create_algorithm(**algorithm(name))["AlgorithmArn"]
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_algorithm(AlgorithmName=arn.replace(":algorithm/", ":model/"))
    with pytest.raises(ClientError, match="does not exist"):
        server.client("sagemaker", region="eu-west-1").describe_algorithm(AlgorithmName=arn)


def test_lists_sort_filter_and_page(server: Server) -> None:
    sagemaker = server.client("sagemaker", region=own_region())
    for name in ("b-marbles", "a-marbles", "c-screws"):
        sagemaker.create_algorithm(**algorithm(name))

    def listed(**asked: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_algorithms").paginate(PaginationConfig={"PageSize": 1}, **asked)
        return [one["AlgorithmName"] for page in pages for one in page["AlgorithmSummaryList"]]

    assert listed() == ["c-screws", "a-marbles", "b-marbles"]
    assert listed(SortOrder="Ascending") == ["b-marbles", "a-marbles", "c-screws"]
    assert listed(SortBy="Name", SortOrder="Ascending") == ["a-marbles", "b-marbles", "c-screws"]
    assert listed(NameContains="marbles", SortBy="Name") == ["b-marbles", "a-marbles"]
    [first] = sagemaker.list_algorithms(NameContains="screws")["AlgorithmSummaryList"]
    assert listed(CreationTimeAfter=first["CreationTime"]) == ["c-screws"]
    assert listed(CreationTimeBefore="2020-01-01") == []
    assert (first["AlgorithmDescription"], first["AlgorithmStatus"]) == ("Whole or not", "Completed")
    token = sagemaker.list_algorithms(MaxResults=1)["NextToken"]
    with pytest.raises(ClientError, match="other filters"):
        sagemaker.list_algorithms(MaxResults=1, NextToken=token, SortBy="Name")


def _with(**changed: Any) -> dict[str, Any]:
    return {"TrainingSpecification": training_specification(**changed)}


def _parameter(number: int, **changed: Any) -> dict[str, Any]:
    """The training specification with one hyperparameter changed; None takes a member out."""
    given = hyperparameters()
    given[number] = {name: value for name, value in {**given[number], **changed}.items() if value is not None}
    return _with(SupportedHyperParameters=given)


def _integers(low: str, high: str) -> dict[str, Any]:
    return {"IntegerParameterRangeSpecification": {"MinValue": low, "MaxValue": high}}


TWICE = [channel_specification("train"), channel_specification("train")]
ACCURACY = {"Type": "Maximize", "MetricName": "nobody:prints"}
TWO_CONTAINERS = {"Containers": [{"Image": IMAGE}] * 2}
LARGER_ONLY = {"Containers": [{"Image": IMAGE}], "SupportedTransformInstanceTypes": ["ml.m5.xlarge"]}
ONLY_VALIDATION = [channel("validation", "s3://b/validation/")]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"CertifyForMarketplace": True}, "CertifyForMarketplace is AWS's own marketplace"),
        (_with(TrainingImage="nobody/knows:1"), "'nobody/knows:1' at TrainingSpecification.TrainingImage is none that runs here"),
        (_with(TrainingImage=SERVING_ONLY), "is not made for training"),
        (_with(SupportedTrainingInstanceTypes=[]), "SupportedTrainingInstanceTypes is empty"),
        (_with(TrainingChannels=TWICE), "'train' stands twice in TrainingSpecification.TrainingChannels"),
        (_with(AdditionalS3DataSource={"S3DataType": "S3Prefix", "S3Uri": "s3://a/b"}), "AdditionalS3DataSource is not supported"),
        (_with(SupportedTuningJobObjectiveMetrics=[ACCURACY]), "names 'nobody:prints'"),
        (_with(MetricDefinitions=[{"Name": "a", "Regex": "("}]), "cannot be read"),
        (_with(SupportedHyperParameters=[hyperparameters()[0]] * 2), "'num_classes' stands twice"),
        (_parameter(2, Name="no_such"), "'no_such', which the image"),
        (_parameter(2, Range=_integers("9", "1")), "MinValue 9 of 'num_layers' of TrainingSpecification.SupportedHyperParameters is above"),
        (_parameter(2, Range=_integers("1.5", "2")), "MinValue '1.5' of 'num_layers'"),
        (_parameter(6, Range=_integers("1", "2")), "is Continuous and has a Range.IntegerParameterRangeSpecification"),
        (_parameter(3, Range=_integers("1", "2")), "leave its Range out"),
        (_parameter(2, DefaultValue="9999"), "The DefaultValue '9999' of 'num_layers'"),
        (_parameter(7, DefaultValue="sdg"), "must be one of sgd, adam"),
        (_parameter(2, IsRequired=True), "is required and has a DefaultValue"),
        ({"InferenceSpecification": {"Containers": [{"Image": "nobody/knows:1"}]}}, "the Image of InferenceSpecification.Containers 1"),
        ({"InferenceSpecification": {"Containers": [{}]}}, "InferenceSpecification.Containers 1 has no Image"),
        ({"ValidationSpecification": validation("b", HyperParameters={})}, "'num_classes' of {name} is required"),
        ({"ValidationSpecification": validation("b", HyperParameters={"x": "1"})}, "'x' is not one of {name}'s"),
        ({"ValidationSpecification": validation("b", InputDataConfig=ONLY_VALIDATION)}, "needs the channel 'train' in The profile 'photos': InputDataConfig"),
        ({"ValidationSpecification": validation("b"), "InferenceSpecification": None}, "give InferenceSpecification"),
        ({"ValidationSpecification": validation("b"), "InferenceSpecification": TWO_CONTAINERS}, "has 2 containers"),
        ({"ValidationSpecification": validation("b"), "InferenceSpecification": LARGER_ONLY}, "those are ml.m5.xlarge"),
    ],
)  # fmt: skip
def test_algorithms_that_are_refused(sagemaker: Any, changed: dict[str, Any], said: str) -> None:
    name = unique("refused")
    asked = {member: value for member, value in algorithm(name, **changed).items() if value is not None}
    assert said.format(name=name) in refusal(sagemaker, **asked)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_algorithm(AlgorithmName=name)


def test_what_has_no_range_is_as_it_is(sagemaker: Any) -> None:
    """Ranges are optional for every type, and an image of one's own may have any hyperparameter."""
    kinds = ("Integer", "Continuous", "Categorical", "FreeText")
    free = [{"Name": kind, "Type": kind, "IsTunable": True} for kind in kinds]
    specification = training_specification(
        TrainingImage=PYTHON,
        SupportedHyperParameters=free,
        MetricDefinitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        SupportedTuningJobObjectiveMetrics=[{"Type": "Minimize", "MetricName": "loss"}],
    )
    name = unique("free")
    sagemaker.create_algorithm(AlgorithmName=name, TrainingSpecification=specification)
    assert sagemaker.describe_algorithm(AlgorithmName=name)["TrainingSpecification"] == specification


def test_policies_name_algorithms(server: Server) -> None:
    """A key that may look at one algorithm only finds it by name and by ARN, and no other one."""
    root, (mine, other) = server.client("sagemaker"), (unique("mine"), unique("other"))
    arns = [root.create_algorithm(**algorithm(name))["AlgorithmArn"] for name in (mine, other)]
    allowed = {"Effect": "Allow", "Action": "sagemaker:DescribeAlgorithm", "Resource": arns[0]}
    key, secret = limited_user(server, unique("looker"), allowed)
    looker = server.client("sagemaker", aws_access_key_id=key, aws_secret_access_key=secret)
    for asked in (mine, arns[0]):
        assert looker.describe_algorithm(AlgorithmName=asked)["AlgorithmName"] == mine
    for asked in (other, arns[1]):
        with pytest.raises(ClientError, match="not authorized"):
            looker.describe_algorithm(AlgorithmName=asked)
