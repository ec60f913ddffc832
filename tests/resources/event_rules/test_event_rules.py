"""Event rules through boto3 on a real server: what jobs and endpoints go through reaches a webhook, once, over a killed server."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support import pipelines
from tests.support.jobs import training_job, upload_photos, wait
from tests.support.named import make_endpoint, make_named_model, named_variant
from tests.support.processes import until
from tests.support.unique import own_region, unique
from tests.support.webhook import Hook, confirmed, webhook

pytestmark = pytest.mark.xdist_group("training")

SAGEMAKER = '{"source": ["aws.sagemaker"]}'


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as found:
        yield found


@pytest.fixture
def events(server: Server) -> Any:
    return server.client("events")


def told(hook: Hook) -> list[dict[str, Any]]:
    """The events, by their time and the order in which they came."""
    return sorted((json.loads(each["Message"]) for each in hook.documents()), key=lambda event: str(event["time"]))


def refusal(call: Callable[..., Any], **asked: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**asked)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def watch(server: Server, hook: Hook, pattern: dict[str, Any], name: str = "watch") -> str:
    """A rule whose events the webhook is told of; the topic's ARN."""
    sns, events = server.client("sns"), server.client("events")
    topic: str = sns.create_topic(Name=unique("events"))["TopicArn"]
    confirmed(sns, topic, hook)
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    assert events.put_targets(Rule=name, Targets=[{"Id": "a", "Arn": topic}])["FailedEntryCount"] == 0
    return topic


def test_a_job_is_followed_from_beginning_to_end(warm_server: Server, hook: Hook) -> None:
    bucket, name = unique("followed"), unique("followed")
    upload_photos(warm_server, bucket)
    rule = unique("watch")
    pattern = {"source": ["aws.sagemaker"], "detail": {"TrainingJobName": [name]}}
    watch(warm_server, hook, pattern, rule)
    sagemaker = warm_server.client("sagemaker")
    tags = [{"Key": "project", "Value": "marbles"}]
    arn = sagemaker.create_training_job(**training_job(name, bucket, Tags=tags))["TrainingJobArn"]
    wait(sagemaker, name)
    until(lambda: len(hook.documents()) == 2)
    first, last = told(hook)
    assert [event["detail"]["TrainingJobStatus"] for event in (first, last)] == ["InProgress", "Completed"]
    assert last["detail-type"] == "SageMaker Training Job State Change"
    assert (last["source"], last["account"], last["region"]) == ("aws.sagemaker", warm_server.account, "us-east-1")
    assert last["resources"] == [arn] == [last["detail"]["TrainingJobArn"]]
    assert last["detail"]["Tags"] == {"project": "marbles"} and isinstance(last["detail"]["TrainingEndTime"], int)
    assert last["detail"]["ModelArtifacts"]["S3ModelArtifacts"].startswith(f"s3://{bucket}/")
    warm_server.client("events").disable_rule(Name=rule)


def test_events_outlive_a_killed_server(fresh_server: Callable[..., Server], hook: Hook) -> None:
    """The server is killed when the endpoint has come and gone, and before anybody was told, perhaps."""
    server = fresh_server()
    make_named_model(server, "sorter")
    watch(server, hook, {"detail-type": ["SageMaker Endpoint State Change"]})
    make_endpoint(server, "line", named_variant("sorter"))
    server.kill()
    server.start()

    def statuses() -> list[str]:
        return [event["detail"]["EndpointStatus"] for event in told(hook)]

    until(lambda: "InService" in statuses())
    assert statuses() == ["Creating", "InService"]


def test_events_of_ones_own(events: Any, server: Server, hook: Hook) -> None:
    rule = unique("own")
    topic = watch(server, hook, {"source": ["line"], "detail": {"rejects": [{"numeric": [">", 5]}]}}, rule)
    events.put_targets(Rule=rule, Targets=[{"Id": "b", "Arn": topic, "Input": '{"said": "often"}'}])

    def entry(rejects: int) -> dict[str, Any]:
        return {"Source": "line", "DetailType": "Counted", "Detail": json.dumps({"rejects": rejects})}

    answer = events.put_events(
        Entries=[entry(3), entry(7), {**entry(9), "Detail": "[]"}, {**entry(9), "Source": "aws.s3"}]
    )
    assert answer["FailedEntryCount"] == 2
    assert ["EventId" in each for each in answer["Entries"]] == [True, True, False, False]
    until(lambda: len(hook.documents()) == 2)
    messages = [json.loads(each["Message"]) for each in hook.documents()]
    assert {"said": "often"} in messages
    (event,) = [each for each in messages if "id" in each]
    assert (event["id"], event["detail"]) == (answer["Entries"][1]["EventId"], {"rejects": 7})
    events.disable_rule(Name=rule)
    events.put_events(Entries=[entry(8)])
    events.enable_rule(Name=rule)
    events.put_events(Entries=[entry(9)])
    until(lambda: len(hook.documents()) == 4)
    assert 8 not in [json.loads(each["Message"]).get("detail", {}).get("rejects") for each in hook.documents()]


def test_rules_and_targets(server: Server) -> None:
    events = server.client("events", region=own_region())
    region = events.meta.region_name
    for number in range(3):
        events.put_rule(Name=f"r{number}", EventPattern=SAGEMAKER, Description="all", State="DISABLED")
    first = events.list_rules(Limit=2)
    second = events.list_rules(Limit=2, NextToken=first["NextToken"])
    assert [rule["Name"] for page in (first, second) for rule in page["Rules"]] == ["r0", "r1", "r2"]
    assert "NextToken" not in second and [r["Name"] for r in events.list_rules(NamePrefix="r1")["Rules"]] == ["r1"]
    found = events.describe_rule(Name="r0")
    assert (found["State"], found["Description"], found["EventPattern"]) == ("DISABLED", "all", SAGEMAKER)
    assert found["Arn"] == f"arn:aws:events:{region}:{server.account}:rule/r0"
    topic = f"arn:aws:sns:{region}:{server.account}:a"
    pipeline = f"arn:aws:sagemaker:{region}:{server.account}:pipeline/p"
    targets = [
        {"Id": "1", "Arn": topic},
        {"Id": "2", "Arn": pipeline},
        {"Id": "3", "Arn": f"arn:aws:lambda:{region}:{server.account}:function:f"},
        {"Id": "4", "Arn": topic.replace(region, "us-west-2")},
        {"Id": "5", "Arn": topic, "InputPath": "$.detail"},
    ]
    answer = events.put_targets(Rule="r0", Targets=targets)
    assert [each["TargetId"] for each in answer["FailedEntries"]] == ["3", "4", "5"]
    assert [each["Id"] for each in events.list_targets_by_rule(Rule="r0")["Targets"]] == ["1", "2"]
    assert events.list_rule_names_by_target(TargetArn=topic)["RuleNames"] == ["r0"]
    events.put_rule(Name="r0", EventPattern='{"source": ["mine"]}')
    assert len(events.list_targets_by_rule(Rule="r0")["Targets"]) == 2
    assert refusal(events.delete_rule, Name="r0")[0] == "ValidationException"
    many = [{"Id": f"m{number}", "Arn": topic} for number in range(4)]
    assert refusal(events.put_targets, Rule="r0", Targets=many)[0] == "LimitExceededException"
    gone = events.remove_targets(Rule="r0", Ids=["1", "2", "9"])
    assert [each["TargetId"] for each in gone["FailedEntries"]] == ["9"]
    events.delete_rule(Name="r0")
    events.delete_rule(Name="r0")
    for call, asked in (
        (events.describe_rule, {"Name": "r0"}),
        (events.enable_rule, {"Name": "r0"}),
        (events.list_targets_by_rule, {"Rule": "r0"}),
        (events.put_rule, {"Name": "a", "EventPattern": SAGEMAKER, "EventBusName": "other"}),
    ):
        assert refusal(call, **asked)[0] == "ResourceNotFoundException"


def test_refusals(events: Any) -> None:
    assert refusal(events.put_rule, Name="a", EventPattern="{")[0] == "InvalidEventPatternException"
    assert "cron" in refusal(events.put_rule, Name="a", ScheduleExpression="rate(1 day)")[1]
    assert "EventPattern is missing" in refusal(events.put_rule, Name="a")[1]
    entry = {"Source": "a", "DetailType": "b", "Detail": "{}"}
    assert refusal(events.put_events, Entries=[entry] * 11)[0] == "ValidationException"
    assert refusal(events.test_event_pattern, EventPattern=SAGEMAKER, Event="[]")[0] == "ValidationException"
    event = json.dumps({"source": "aws.sagemaker"})
    assert events.test_event_pattern(EventPattern=SAGEMAKER, Event=event)["Result"] is True


def test_an_event_starts_a_pipeline(server: Server, events: Any) -> None:
    sagemaker, name, rule = server.client("sagemaker"), unique("improve"), unique("start")
    same = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    text = pipelines.definition(
        pipelines.step("Check", "Condition", {"Conditions": [same]}), parameters={"Line": ("String", "none")}
    )
    pipelines.create(sagemaker, text, name)
    arn = sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    parameters = {"PipelineParameterList": [{"Name": "Line", "Value": "press-1"}]}
    target = {"Id": "a", "Arn": arn, "SageMakerPipelineParameters": parameters}
    assert events.put_targets(Rule=rule, Targets=[target])["FailedEntryCount"] == 0
    events.put_events(Entries=[{"Source": rule, "DetailType": "Counted", "Detail": "{}"}])
    (execution,) = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    found = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution["PipelineExecutionArn"])
    assert found["PipelineParameters"] == [{"Name": "Line", "Value": "press-1"}]
