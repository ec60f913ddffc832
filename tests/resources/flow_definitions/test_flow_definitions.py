"""Flow definitions with boto3: from Initializing to gone, and what is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.human_loops import Review, make_review, waited
from tests.support.labelling import claim, labeler, say


@pytest.fixture(scope="module")
def review(server: Server) -> Review:
    return make_review(server, "il-central-1")


def refusal(review: Review, request: dict[str, Any]) -> str:
    with pytest.raises(ClientError) as refused:
        review.sagemaker.create_flow_definition(**request)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return str(refused.value.response["Error"]["Message"])


def test_a_flow_definition_from_birth_to_end(server: Server, review: Review) -> None:
    request = review.request(TaskKeywords=["marbles", "glass"])
    tags = [{"Key": "line", "Value": "1"}]
    arn = review.sagemaker.create_flow_definition(**request, Tags=tags)["FlowDefinitionArn"]
    name = request["FlowDefinitionName"]
    assert arn == f"arn:aws:sagemaker:{review.region}:{server.account}:flow-definition/{name}"
    told = review.wait_flow(name, lambda flow: flow["FlowDefinitionStatus"] != "Initializing")
    assert told["FlowDefinitionStatus"] == "Active"
    assert told["FlowDefinitionArn"] == arn and told["OutputConfig"] == request["OutputConfig"]
    defaults = {"TaskAvailabilityLifetimeInSeconds": 864_000, "TaskTimeLimitInSeconds": 3600}
    assert told["HumanLoopConfig"] == {**request["HumanLoopConfig"], **defaults}
    assert review.sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    with pytest.raises(ClientError, match="ResourceInUse"):
        review.sagemaker.create_flow_definition(**request)
    team = request["HumanLoopConfig"]["WorkteamArn"].rpartition("/")[2]
    with pytest.raises(ClientError, match=f"ResourceInUse.*'{name}'"):
        review.sagemaker.delete_workteam(WorkteamName=team)
    review.sagemaker.delete_flow_definition(FlowDefinitionName=name)
    waited(lambda: _is_gone(review, name), bool)
    for ask in (review.sagemaker.describe_flow_definition, review.sagemaker.delete_flow_definition):
        with pytest.raises(ClientError, match=f"ResourceNotFound.*There is no flow definition '{name}'"):
            ask(FlowDefinitionName=name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        review.a2i.list_human_loops(FlowDefinitionArn=arn)
    review.sagemaker.create_flow_definition(**request)  # the name is free again


def test_an_output_place_that_is_not_there_is_told(review: Review) -> None:
    request = {**review.request(), "OutputConfig": {"S3OutputPath": "s3://no-such-bucket-anywhere/x"}}
    review.sagemaker.create_flow_definition(**request)
    told = review.wait_flow(request["FlowDefinitionName"], lambda flow: flow["FlowDefinitionStatus"] != "Initializing")
    assert told["FlowDefinitionStatus"] == "Failed"
    assert "There is no bucket 'no-such-bucket-anywhere'" in told["FailureReason"]
    listed = review.sagemaker.list_flow_definitions()["FlowDefinitionSummaries"]
    [summary] = [one for one in listed if one["FlowDefinitionName"] == request["FlowDefinitionName"]]
    assert summary["FailureReason"] == told["FailureReason"]
    with pytest.raises(ClientError, match=r"ValidationException.*is Failed; loops start while it is Active"):
        review.loop(told["FlowDefinitionArn"])


def test_what_is_refused(server: Server, review: Review) -> None:
    there = f"arn:aws:sagemaker:{review.region}:{server.account}"
    for member, arn, sentence in (
        ("WorkteamArn", f"{there}:workteam/private-crowd/nobody", "does not exist; make it with CreateWorkteam"),
        ("WorkteamArn", review.team.replace(server.account, "999999999999"), "is not of this account and region"),
        ("WorkteamArn", review.team.replace(review.region, "us-east-1"), "is not of this account and region"),
        ("WorkteamArn", f"{there}:workteam/public-crowd/default", "work on AWS only"),
        ("HumanTaskUiArn", f"{there}:human-task-ui/nothing", "does not exist; make it with CreateHumanTaskUi"),
        ("HumanTaskUiArn", review.ui.replace(server.account, "999999999999"), "is not of this account and region"),
    ):
        assert sentence in refusal(review, review.request(**{member: arn}))
    place = {"S3OutputPath": "https://bucket"}
    review.sagemaker.create_flow_definition(**{**review.request(), "OutputConfig": place})
    source = {"AwsManagedHumanLoopRequestSource": "AWS/Textract/AnalyzeDocument/Forms/V1"}
    assert "Rekognition and Textract, which are not here" in refusal(
        review, {**review.request(), "HumanLoopRequestSource": source}
    )
    activation = {"HumanLoopActivationConditionsConfig": {"HumanLoopActivationConditions": json.dumps({"x": 1})}}
    assert "HumanLoopActivationConfig is for" in refusal(
        review, {**review.request(), "HumanLoopActivationConfig": activation}
    )
    without = review.request()
    del without["HumanLoopConfig"]
    assert "HumanLoopConfig is missing" in refusal(review, without)


def test_pages_and_times(review: Review) -> None:
    before = datetime.now(UTC)
    names = [review.flow().rsplit("/", 1)[-1] for _ in range(3)]
    paginator = review.sagemaker.get_paginator("list_flow_definitions")
    pages = list(paginator.paginate(CreationTimeAfter=before, SortOrder="Ascending", PaginationConfig={"PageSize": 1}))
    assert [one["FlowDefinitionName"] for page in pages for one in page["FlowDefinitionSummaries"]] == names
    newest = review.sagemaker.list_flow_definitions(CreationTimeAfter=before)["FlowDefinitionSummaries"]
    assert [one["FlowDefinitionName"] for one in newest] == names[::-1]
    older = review.sagemaker.list_flow_definitions(CreationTimeBefore=before, MaxResults=100)
    assert not {one["FlowDefinitionName"] for one in older["FlowDefinitionSummaries"]} & set(names)
    token = review.sagemaker.list_flow_definitions(MaxResults=1)["NextToken"]
    with pytest.raises(ClientError, match="NextToken belongs to a request with other filters"):
        review.sagemaker.list_flow_definitions(SortOrder="Ascending", NextToken=token)


def test_deleting_stops_what_nobody_has_begun_and_waits_for_who_is_at_work(server: Server, review: Review) -> None:
    arn, worker = review.flow(), labeler(server, region=review.region)
    name = arn.rsplit("/", 1)[-1]
    held = review.loop(arn)
    [task] = claim(worker, arn)
    waiting = review.loop(arn)
    review.sagemaker.delete_flow_definition(FlowDefinitionName=name)
    waited(lambda: [one["HumanLoopName"] for one in review.a2i.list_human_loops(FlowDefinitionArn=arn)["HumanLoopSummaries"]],
           lambda left: left == [held])  # fmt: skip
    assert review.sagemaker.describe_flow_definition(FlowDefinitionName=name)["FlowDefinitionStatus"] == "Deleting"
    with pytest.raises(ClientError, match="is Deleting"):
        review.loop(arn)
    uri = review.a2i.describe_human_loop(HumanLoopName=held)["HumanLoopOutput"]["OutputS3Uri"]
    say(worker, arn, task, {"class": {"label": "ok"}})
    waited(lambda: _is_gone(review, name), bool)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    kept = json.loads(server.client("s3", region=review.region).get_object(Bucket=bucket, Key=key)["Body"].read())
    assert kept["humanAnswers"][0]["answerContent"] == {"class": {"label": "ok"}}
    for loop in (held, waiting):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            review.a2i.describe_human_loop(HumanLoopName=loop)


def test_names_are_of_a_region(server: Server, review: Review) -> None:
    other = make_review(server, "me-central-1")
    request = review.request()
    review.sagemaker.create_flow_definition(**request)
    theirs = {**other.request(), "FlowDefinitionName": request["FlowDefinitionName"]}
    other.sagemaker.create_flow_definition(**theirs)
    assert len(other.sagemaker.list_flow_definitions()["FlowDefinitionSummaries"]) == 1


def _is_gone(review: Review, name: str) -> bool:
    try:
        review.sagemaker.describe_flow_definition(FlowDefinitionName=name)
    except ClientError as error:
        return error.response["Error"]["Code"] == "ResourceNotFound"
    return False
