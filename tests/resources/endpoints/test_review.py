"""Doubtful predictions of endpoints: which become human loops, with what, and what happens when they are too many."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.endpoints import variant
from tests.support.handlers import archive
from tests.support.human_loops import Review, make_review, waited
from tests.support.jobs import ROLE
from tests.support.labelling import labeler
from tests.support.unique import unique

from tobo.app import build
from tobo.hosting.base import Answer, Invocation
from tobo.kit.arn import Namespace
from tobo.operations.review import Rule
from tobo.resources.endpoints import review as reviewing
from tobo.settings import Settings

REGION = "ap-south-2"


@pytest.fixture(scope="module")
def review(server: Server) -> Review:
    return make_review(server, REGION)


@pytest.fixture(scope="module")
def endpoint(review: Review) -> str:
    return echo(review)


def echo(review: Review) -> str:
    """The name of an endpoint that answers with what it is sent."""
    name, sagemaker = unique("Echo"), review.sagemaker
    review.server.client("s3", region=REGION).put_object(Bucket=review.bucket, Key="model.tar.gz", Body=archive())
    container = {"Image": "tobo-echo", "ModelDataUrl": f"s3://{review.bucket}/model.tar.gz"}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    waited(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"], lambda s: s == "InService", 60)
    return name


def tag(review: Review, endpoint: str, **tags: str) -> None:
    """The tags tobo:review-<name>, and time for the server to see them."""
    arn = review.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointArn"]
    review.sagemaker.delete_tags(
        ResourceArn=arn, TagKeys=[f"tobo:review-{each}" for each in ("flow", "below", "share")]
    )
    if tags:
        listed = [{"Key": f"tobo:review-{key}", "Value": value} for key, value in tags.items()]
        review.sagemaker.add_tags(ResourceArn=arn, Tags=listed)


def ask(review: Review, endpoint: str, body: bytes, **more: Any) -> None:
    runtime = review.server.client("sagemaker-runtime", region=REGION)
    assert runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **more)["Body"].read() == body


def loops(review: Review, flow: str) -> list[Any]:
    return list(review.a2i.list_human_loops(FlowDefinitionArn=flow, SortOrder="Ascending")["HumanLoopSummaries"])


def input_of(review: Review, flow: str, worker: Any) -> Any:
    [task] = worker.claim_tasks(LabelingJobArn=flow)["Tasks"]
    return json.loads(task["Source"])["InputContent"]


def test_doubtful_predictions_become_loops(review: Review, endpoint: str) -> None:
    flow = review.flow()
    tag(review, endpoint, flow=flow, below="0.8")

    def asked() -> list[Any]:
        ask(review, endpoint, b"[0.45, 0.55]", ContentType="image/jpeg", InferenceId="part-7")
        ask(review, endpoint, b"[0.05, 0.95]", ContentType="image/jpeg")
        return loops(review, flow)

    begun = len(waited(asked, bool))
    assert begun >= 1
    content = input_of(review, flow, labeler(review.server, region=REGION))
    uri = content.pop("taskObject")
    assert content.pop("inferenceTime").startswith("20")
    assert content == {
        "contentType": "image/jpeg",
        "prediction": [0.45, 0.55],
        "confidence": 0.55,
        "endpointName": endpoint,
        "variantName": "AllTraffic",
        "inferenceId": "part-7",
    }
    name = flow.rsplit("/", 1)[-1]
    assert uri.startswith(f"s3://{review.bucket}/reviews/{name}/payloads/{endpoint}/{endpoint.lower()}-")
    assert uri.endswith(".jpg")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    kept = review.server.client("s3", region=REGION).get_object(Bucket=bucket, Key=key)
    assert kept["Body"].read() == b"[0.45, 0.55]" and kept["ContentType"] == "image/jpeg"


def test_a_share_is_drawn_by_chance_until_the_tags_go(review: Review, endpoint: str) -> None:
    flow = review.flow()
    tag(review, endpoint, flow=flow, share="1")
    waited(lambda: (ask(review, endpoint, b"no numbers"), loops(review, flow))[1], bool)
    other = review.flow()
    tag(review, endpoint, flow=other, below="1")  # once these count, the others do not
    waited(lambda: (ask(review, endpoint, b"[0.1, 0.9]"), loops(review, other))[1], bool)
    before = len(loops(review, flow))
    ask(review, endpoint, b"no numbers")
    ask(review, endpoint, b"[0.2, 0.8]", InferenceId="last")
    count = len(loops(review, other))
    waited(lambda: len(loops(review, other)), lambda now: now > count)
    assert len(loops(review, flow)) == before


def test_a_large_answer_is_left_out(review: Review, endpoint: str) -> None:
    flow = review.flow()
    tag(review, endpoint, flow=flow, share="1")
    large = b"x" * (reviewing.LARGEST_ANSWER + 1)
    waited(lambda: (ask(review, endpoint, large, ContentType="text/plain"), loops(review, flow))[1], bool)
    content = input_of(review, flow, labeler(review.server, region=REGION))
    assert content["taskObject"].endswith(".txt") and "prediction" not in content and "confidence" not in content


def test_what_cannot_be_shown_is_told_in_the_endpoint_s_log(review: Review, endpoint: str) -> None:
    tag(review, endpoint, flow=review.flow(), below="8 of 10")
    waited(
        lambda: _logged(review, endpoint), lambda lines: any("tobo:review-below is '8 of 10'" in line for line in lines)
    )
    gone = review.flow()
    tag(review, endpoint, flow=gone + "-2", below="1")
    waited(
        lambda: (ask(review, endpoint, b"0.5"), _logged(review, endpoint))[1],
        lambda lines: any("There is no flow definition" in line for line in lines),
    )


def test_what_is_too_much_is_counted(tmp_path: Path) -> None:
    context, _ = build(Settings(state=tmp_path, account_id="1" * 12, warm=False))
    space = Namespace("1" * 12, "us-east-1")
    its = reviewing.Review(
        context, space, "line", Rule(f"arn:aws:sagemaker:us-east-1:{'1' * 12}:flow-definition/f", 0.8, 0)
    )
    try:
        for body in (b"x" * 1000, b"y" * (reviewing.MOST_BYTES + 1)):
            for _ in range(reviewing.MOST_A_MINUTE + 40):
                its.add("AllTraffic", Invocation(body), Answer(200, b"[0.5, 0.5]"), "")
        its.add("AllTraffic", Invocation(b"sure"), Answer(200, b"[0.1, 0.9]"), "")
        its.add("AllTraffic", Invocation(b"large"), Answer(200, b"[" + b"0.5," * 20_000 + b"0.5]"), "")
        its.flush(last=True)
        told = [event.message for event in context.logs.read(space, "/aws/sagemaker/Endpoints/line", reviewing.STREAM)]
        held = [int(sentence.split()[0]) for sentence in told]
        assert "at most 60 a minute" in told[0] and "There is no flow definition 'f'" in told[1]
        assert sum(held) == 2 * (reviewing.MOST_A_MINUTE + 40) and held[1] <= 2 * reviewing.MOST_A_MINUTE
        its.flush(last=True)
        assert len(context.logs.read(space, "/aws/sagemaker/Endpoints/line", reviewing.STREAM)) == 2
    finally:
        for port in (context.hosting, context.compute, context.metrics, context.objects, context.store):
            port.close()


def test_a_killed_server_leaves_no_loop_without_its_payload(fresh_server: Any) -> None:
    server = fresh_server()
    review = make_review(server, REGION)
    endpoint, flow = echo(review), review.flow()
    tag(review, endpoint, flow=flow, below="0.8")
    waited(lambda: (ask(review, endpoint, b"[0.5, 0.5]", ContentType="image/png"), loops(review, flow))[1], bool)
    server.kill()  # amid those that were asked meanwhile
    server.start()
    names = [loop["HumanLoopName"] for loop in loops(review, flow)]
    worker = labeler(server, region=REGION)
    tasks = waited(
        lambda: worker.claim_tasks(LabelingJobArn=flow, MaxResults=100)["Tasks"], lambda tasks: len(tasks) == len(names)
    )
    for task in tasks:
        bucket, _, key = json.loads(task["Source"])["InputContent"]["taskObject"].removeprefix("s3://").partition("/")
        assert server.client("s3", region=REGION).get_object(Bucket=bucket, Key=key)["Body"].read() == b"[0.5, 0.5]"


def _logged(review: Review, endpoint: str) -> list[str]:
    logs = review.server.client("logs", region=REGION)
    found = logs.filter_log_events(
        logGroupName=f"/aws/sagemaker/Endpoints/{endpoint}", logStreamNamePrefix="human-review"
    )
    return [event["message"] for event in found["events"]]
