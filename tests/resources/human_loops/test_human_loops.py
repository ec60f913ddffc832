"""Human loops over the wire: from StartHumanLoop to output.json, with people who answer."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.human_loops import Review, make_review, waited
from tests.support.labelling import WORKER, claim, labeler, say, worker
from tests.support.unique import unique

REGION = "eu-south-2"
OK, KO = {"class": {"label": "ok"}}, {"class": {"label": "ko"}}


@pytest.fixture(scope="module")
def review(server: Server) -> Review:
    return make_review(server, REGION)


def people(server: Server, count: int) -> list[Any]:
    return [worker(server, region=REGION) for _ in range(count)]


def refusal(code: str, ask: Any, **asked: Any) -> str:
    with pytest.raises(ClientError) as refused:
        ask(**asked)
    assert refused.value.response["Error"]["Code"] == code
    return str(refused.value.response["Error"]["Message"])


def test_a_loop_from_birth_to_output(server: Server, review: Review) -> None:
    flow, [ann] = review.flow(), people(server, 1)
    content = {"taskObject": f"s3://{review.bucket}/marble.png", "labels": ["ok", "kö"]}
    name = review.loop(flow, content)
    told = review.a2i.describe_human_loop(HumanLoopName=name)
    assert told["HumanLoopStatus"] == "InProgress" and told["FlowDefinitionArn"] == flow
    assert told["HumanLoopArn"] == f"arn:aws:sagemaker:{REGION}:{server.account}:human-loop/{name}"
    assert "FailureReason" not in told and not set(told) - {
        "CreationTime", "HumanLoopStatus", "HumanLoopName", "HumanLoopArn", "FlowDefinitionArn", "HumanLoopOutput",
        "ResponseMetadata",
    }  # fmt: skip
    [task] = claim(ann, flow)
    assert json.loads(task["Source"]) == {"HumanLoopName": name, "InputContent": content}
    assert say(ann, flow, task, OK) == "labelled"
    done = review.wait_loop(name)
    assert done["HumanLoopStatus"] == "Completed"
    at = done["CreationTime"].astimezone(UTC)
    place = f"s3://{review.bucket}/reviews/{flow.rsplit('/', 1)[-1]}/{at:%Y/%m/%d/%H/%M/%S}/{name}/output.json"
    assert done["HumanLoopOutput"]["OutputS3Uri"] == place
    output = review.output(name)
    [answer] = output.pop("humanAnswers")
    assert output == {"flowDefinitionArn": flow, "humanLoopName": name, "inputContent": content}
    times = [datetime.fromisoformat(answer.pop(each)) for each in ("acceptanceTime", "submissionTime")]
    assert times[1] - times[0] == timedelta(seconds=1.5) and answer.pop("timeSpentInSeconds") == 1.5
    assert re.fullmatch("[0-9a-f]{16}", answer.pop("workerId"))
    identity = answer.pop("workerMetadata")["identityData"]
    assert identity["identityProviderType"] == "IAM" and ":user/worker-" in identity["sub"]
    assert answer == {"answerContent": OK}


def test_answers_come_from_different_people(server: Server, review: Review) -> None:
    flow, (ann, bob, eve) = review.flow(TaskCount=2), people(server, 3)
    name = review.loop(flow)
    [hers], [his] = claim(ann, flow), claim(bob, flow)
    assert eve.claim_tasks(LabelingJobArn=flow)["Tasks"] == []  # no more people than answers are wanted
    assert say(ann, flow, hers, OK) == "open"
    assert say(ann, flow, hers, KO) == "open"  # sent again it replaces hers
    assert ann.claim_tasks(LabelingJobArn=flow)["Tasks"] == []
    assert review.a2i.describe_human_loop(HumanLoopName=name)["HumanLoopStatus"] == "InProgress"
    bob.skip_task(LabelingJobArn=flow, ItemNumber=his["ItemNumber"], Reason="unclear")
    [theirs] = claim(eve, flow)
    assert say(eve, flow, theirs, OK) == "labelled"
    assert review.wait_loop(name)["HumanLoopStatus"] == "Completed"
    answers = review.output(name)["humanAnswers"]
    assert [one["answerContent"] for one in answers] == [KO, OK]
    assert len({one["workerId"] for one in answers}) == 2
    assert "labelled" in refusal(
        "TaskGone", bob.answer_task, LabelingJobArn=flow, ItemNumber=his["ItemNumber"], Body="{}"
    )


def test_drafts_and_leases(server: Server, review: Review) -> None:
    flow, (ann, bob) = review.flow(), people(server, 2)
    review.loop(flow)
    [task] = claim(ann, flow)
    number = task["ItemNumber"]
    assert ann.keep_task(LabelingJobArn=flow, ItemNumber=number, Draft='{"half": 1}')["Until"] >= task["Until"]
    assert "no JSON object" in refusal(
        "ValidationException", ann.keep_task, LabelingJobArn=flow, ItemNumber=number, Draft="[half"
    )
    assert "no JSON object" in refusal(
        "ValidationException", ann.answer_task, LabelingJobArn=flow, ItemNumber=number, Body="[]"
    )
    assert bob.claim_tasks(LabelingJobArn=flow)["Tasks"] == []
    ann.release_tasks(LabelingJobArn=flow, ItemNumbers=[number])
    [his] = claim(bob, flow)
    assert "Draft" not in his
    bob.release_tasks(LabelingJobArn=flow, ItemNumbers=[number])
    assert json.loads(claim(ann, flow)[0]["Draft"]) == {"half": 1}
    assert "is no work that ReopenTask is for" in refusal(
        "ResourceNotFound", ann.reopen_task, LabelingJobArn=flow, ItemNumber=number
    )
    assert ann.claim_tasks(LabelingJobArn=flow, Role="review")["Tasks"] == []


def test_the_work_list_is_the_team_s(server: Server, review: Review) -> None:
    flow, [ann] = review.flow(), people(server, 1)
    review.loop(flow)
    own = {**WORKER, "Resource": review.team}
    every = {"Effect": "Allow", "Action": "tobo-labeling:ListWork", "Resource": "*"}
    its = labeler(server, limited_user(server, unique("member"), own, every), REGION)
    [task] = claim(ann, flow)
    say(ann, flow, task, OK)
    review.loop(flow)
    waited(lambda: _work(its, flow), lambda work: (work["Open"], work["Done"], work["Total"]) == (1, 1, 2))
    work = _work(its, flow)
    assert (work["Title"], work["Description"], work["TaskType"]) == ("Marbles", "Is it whole?", "HumanLoop")
    assert its.describe_work(LabelingJobArn=flow)["Own"]["Answers"] == 0
    assert ann.describe_work(LabelingJobArn=flow)["Own"]["Answers"] == 1
    other = labeler(
        server, limited_user(server, unique("other"), {**own, "Resource": review.team + "-2"}, every), REGION
    )
    assert [one for one in other.list_work()["Work"] if one["LabelingJobArn"] == flow] == []
    refusal("AccessDeniedException", other.claim_tasks, LabelingJobArn=flow)
    gone = flow.rsplit("/", 1)[0] + "/nothing"
    assert "There is no flow definition" in refusal("ResourceNotFound", ann.claim_tasks, LabelingJobArn=gone)


def test_time_passes(server: Server, review: Review) -> None:
    """A loop that expires tells so; what was said of it until then is written."""
    flow, (ann, bob) = review.flow(TaskCount=2, TaskAvailabilityLifetimeInSeconds=2), people(server, 2)
    name = review.loop(flow)
    [task] = claim(ann, flow)
    say(ann, flow, task, OK)
    told = review.wait_loop(name)
    assert told["HumanLoopStatus"] == "Failed" and told["FailureCode"] == "Expired"
    assert "TaskAvailabilityLifetimeInSeconds" in told["FailureReason"]
    assert [one["answerContent"] for one in review.output(name)["humanAnswers"]] == [OK]
    refusal("TaskGone", bob.answer_task, LabelingJobArn=flow, ItemNumber=task["ItemNumber"], Body="{}")
    [listed] = review.a2i.list_human_loops(FlowDefinitionArn=flow)["HumanLoopSummaries"]
    assert listed["FailureReason"] == told["FailureReason"] and listed["HumanLoopStatus"] == "Failed"


def test_who_is_at_it_when_time_is_up_may_finish(server: Server, review: Review) -> None:
    flow, (ann, bob) = review.flow(TaskAvailabilityLifetimeInSeconds=1), people(server, 2)
    name = review.loop(flow)
    [task] = claim(ann, flow)
    until = datetime.now(UTC) + timedelta(seconds=2.5)
    while datetime.now(UTC) < until:  # the loop's time is over
        assert review.a2i.describe_human_loop(HumanLoopName=name)["HumanLoopStatus"] == "InProgress"
    assert bob.claim_tasks(LabelingJobArn=flow)["Tasks"] == []
    say(ann, flow, task, OK)
    assert review.wait_loop(name)["HumanLoopStatus"] == "Completed"


def test_stopping(server: Server, review: Review) -> None:
    flow, (ann, bob) = review.flow(TaskCount=2), people(server, 2)
    idle = review.loop(flow)
    waited(lambda: _work(ann, flow)["Open"], lambda count: count == 1)
    review.a2i.stop_human_loop(HumanLoopName=idle)
    assert review.wait_loop(idle)["HumanLoopStatus"] == "Stopped"
    assert ann.claim_tasks(LabelingJobArn=flow)["Tasks"] == []
    assert "is Stopped already" in refusal("ValidationException", review.a2i.stop_human_loop, HumanLoopName=idle)
    begun = review.loop(flow)
    [task] = claim(ann, flow)
    assert "stop it with StopHumanLoop first" in refusal(
        "ValidationException", review.a2i.delete_human_loop, HumanLoopName=begun
    )
    review.a2i.stop_human_loop(HumanLoopName=begun)
    review.a2i.stop_human_loop(HumanLoopName=begun)
    assert review.a2i.describe_human_loop(HumanLoopName=begun)["HumanLoopStatus"] == "Stopping"
    waited(lambda: bob.claim_tasks(LabelingJobArn=flow)["Tasks"], lambda tasks: tasks == [])
    say(ann, flow, task, KO)
    assert review.wait_loop(begun)["HumanLoopStatus"] == "Stopped"
    assert [one["answerContent"] for one in review.output(begun)["humanAnswers"]] == [KO]
    review.a2i.delete_human_loop(HumanLoopName=begun)
    for ask in (review.a2i.describe_human_loop, review.a2i.stop_human_loop, review.a2i.delete_human_loop):
        assert f"There is no human loop '{begun}'" in refusal("ResourceNotFoundException", ask, HumanLoopName=begun)
    assert _work(ann, flow)["Total"] == 1


def test_a_name_is_one_loop(review: Review) -> None:
    flow, name = review.flow(), unique("same")
    asked = {"HumanLoopName": name, "FlowDefinitionArn": flow, "HumanLoopInput": {"InputContent": '{"n": 1}'}}
    arn = review.a2i.start_human_loop(**asked)["HumanLoopArn"]
    assert review.a2i.start_human_loop(**asked)["HumanLoopArn"] == arn
    other = {**asked, "HumanLoopInput": {"InputContent": '{"n": 2}'}}
    assert "with another input" in refusal("ConflictException", review.a2i.start_human_loop, **other)
    refusal("ConflictException", review.a2i.start_human_loop, **{**asked, "FlowDefinitionArn": review.flow()})
    assert len(review.a2i.list_human_loops(FlowDefinitionArn=flow)["HumanLoopSummaries"]) == 1


def test_what_is_refused(server: Server, review: Review) -> None:
    flow = review.flow()

    def started(**changes: Any) -> str:
        asked = {"HumanLoopName": unique("x"), "FlowDefinitionArn": flow, "HumanLoopInput": {"InputContent": "{}"}}
        return refusal("ValidationException", review.a2i.start_human_loop, **{**asked, **changes})

    assert "is not JSON" in started(HumanLoopInput={"InputContent": "{half"})
    assert "no JSON object" in started(HumanLoopInput={"InputContent": "[1]"})
    assert "There is no flow definition" in started(FlowDefinitionArn=flow + "-2")
    assert "There is no flow definition" in started(FlowDefinitionArn=flow.replace(server.account, "999999999999"))
    assert "humanLoopName" in started(HumanLoopName="Upper")
    assert "inputContent" in started(HumanLoopInput={"InputContent": json.dumps({"x": "y" * 3_200_000})})
    big = {"InputContent": json.dumps({"x": "y" * 3_000_000})}
    review.a2i.start_human_loop(HumanLoopName=unique("big"), FlowDefinitionArn=flow, HumanLoopInput=big)
    attributes = {"ContentClassifiers": ["FreeOfAdultContent"]}
    review.a2i.start_human_loop(
        HumanLoopName=unique("x"),
        FlowDefinitionArn=flow,
        HumanLoopInput={"InputContent": "{}"},
        DataAttributes=attributes,
    )


def test_pages_and_times(review: Review) -> None:
    flow, before = review.flow(), datetime.now(UTC)
    names = [review.loop(flow) for _ in range(5)]
    review.loop(review.flow())
    paginator = review.a2i.get_paginator("list_human_loops")
    pages = list(paginator.paginate(FlowDefinitionArn=flow, SortOrder="Ascending", PaginationConfig={"PageSize": 2}))
    assert [one["HumanLoopName"] for page in pages for one in page["HumanLoopSummaries"]] == names
    assert [len(page["HumanLoopSummaries"]) for page in pages] == [2, 2, 1]
    newest = review.a2i.list_human_loops(FlowDefinitionArn=flow, CreationTimeAfter=before)["HumanLoopSummaries"]
    assert [one["HumanLoopName"] for one in newest] == names[::-1] and newest[0]["FlowDefinitionArn"] == flow
    assert review.a2i.list_human_loops(FlowDefinitionArn=flow, CreationTimeBefore=before)["HumanLoopSummaries"] == []
    token = review.a2i.list_human_loops(FlowDefinitionArn=flow, MaxResults=1)["NextToken"]
    assert "other filters" in refusal(
        "ValidationException", review.a2i.list_human_loops, FlowDefinitionArn=review.flow(), NextToken=token
    )


def test_a_place_that_is_gone_fails_the_loop_and_names_it(server: Server, review: Review) -> None:
    bucket = unique("gone")
    s3 = server.client("s3", region=REGION)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    request = {**review.request(), "OutputConfig": {"S3OutputPath": f"s3://{bucket}/x"}}
    flow = review.sagemaker.create_flow_definition(**request)["FlowDefinitionArn"]
    review.wait_flow(request["FlowDefinitionName"], lambda told: told["FlowDefinitionStatus"] == "Active")
    name, [ann] = review.loop(flow), people(server, 1)
    [task] = claim(ann, flow)
    s3.delete_bucket(Bucket=bucket)
    say(ann, flow, task, OK)
    told = review.wait_loop(name)
    assert told["HumanLoopStatus"] == "Failed" and told["FailureCode"] == "ValidationError"
    assert bucket in told["FailureReason"]
    root = labeler(server, region=REGION)
    [item] = root.list_items(LabelingJobArn=flow, MaxResults=1)["Items"]
    assert json.loads(item["Source"]) == {"HumanLoopName": name}
    [answer] = root.list_answers(LabelingJobArn=flow, ItemNumber=item["ItemNumber"])["Answers"]  # it is not lost
    assert json.loads(answer["Body"]) == OK
    refusal("AccessDeniedException", ann.list_items, LabelingJobArn=flow)


def test_policies_name_flow_definitions_and_loops(server: Server, review: Review) -> None:
    flow, other = review.flow(), review.flow()
    may = {"Effect": "Allow", "Action": ["sagemaker:StartHumanLoop", "sagemaker:ListHumanLoops"], "Resource": flow}
    loops = f"arn:aws:sagemaker:{REGION}:{server.account}:human-loop/mine-*"
    own = {"Effect": "Allow", "Action": ["sagemaker:DescribeHumanLoop", "sagemaker:StopHumanLoop"], "Resource": loops}
    key, secret = limited_user(server, unique("starter"), may, own)
    a2i = server.client("sagemaker-a2i-runtime", region=REGION, aws_access_key_id=key, aws_secret_access_key=secret)
    name = unique("mine")
    a2i.start_human_loop(HumanLoopName=name, FlowDefinitionArn=flow, HumanLoopInput={"InputContent": "{}"})
    assert a2i.describe_human_loop(HumanLoopName=name)["HumanLoopStatus"] == "InProgress"
    assert len(a2i.list_human_loops(FlowDefinitionArn=flow)["HumanLoopSummaries"]) == 1
    refusal("AccessDeniedException", a2i.list_human_loops, FlowDefinitionArn=other)
    refusal("AccessDeniedException", a2i.describe_human_loop, HumanLoopName=review.loop(flow))
    refusal("AccessDeniedException", a2i.delete_human_loop, HumanLoopName=name)


def test_a_killed_server_loses_no_answer_and_doubles_none(fresh_server: Any) -> None:
    server = fresh_server()
    review = make_review(server, REGION)
    flow = review.flow(TaskCount=2)
    names = [review.loop(flow, {"n": number}) for number in range(12)]
    ann, bob = people(server, 2)
    keys = [client._request_signer._credentials for client in (ann, bob)]
    waited(lambda: _work(ann, flow)["Open"], lambda count: count == 12)
    for task in claim(ann, flow, 12):
        say(ann, flow, task, OK)
    held = claim(bob, flow, 6)
    say(bob, flow, held[0], KO)
    server.kill()
    server.start()
    ann, bob = (labeler(server, (key.access_key, key.secret_key), REGION) for key in keys)
    assert ann.claim_tasks(LabelingJobArn=flow, MaxResults=12)["Tasks"] == []
    again = claim(bob, flow, 12)
    assert len(again) == 11 and {task["ItemNumber"] for task in held[1:]} <= {task["ItemNumber"] for task in again}
    for task in again:
        say(bob, flow, task, KO)
    for number, name in enumerate(names):
        assert review.wait_loop(name)["HumanLoopStatus"] == "Completed"
        output = review.output(name)
        assert [one["answerContent"] for one in output["humanAnswers"]] == [OK, KO]
        assert output["inputContent"] == {"n": number}


def _work(client: Any, flow: str) -> Any:
    [work] = [one for one in client.list_work()["Work"] if one["LabelingJobArn"] == flow]
    return work
