"""Frames that devices send home become human loops where the fleet's tags say so, each once."""

import json
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.fleets import Fleet
from tests.support.human_loops import Review, make_review
from tests.support.labelling import labeler

REGION = "ap-southeast-4"


@pytest.fixture(scope="module")
def review(server: Server) -> Review:
    return make_review(server, REGION)


@pytest.fixture(scope="module")
def line(server: Server) -> Fleet:
    fleet = Fleet(server, REGION)
    fleet.register("Cam-1")
    return fleet


def send(line: Fleet, number: int, scores: dict[str, float]) -> str:
    """A frame as the device puts it, its description first; its address."""
    key = f"home/{line.name}/Cam-1/frames/{number:020d}"
    about = {"id": number, "label": "ok", "scores": scores, "kept": "margin"}
    line.s3.put_object(Bucket=line.bucket, Key=f"{key}.json", Body=json.dumps(about))
    line.s3.put_object(Bucket=line.bucket, Key=f"{key}.jpg", Body=b"jpeg")
    return f"s3://{line.bucket}/{key}.jpg"


def tag(line: Fleet, **tags: str) -> None:
    arn = line.sagemaker.describe_device_fleet(DeviceFleetName=line.name)["DeviceFleetArn"]
    listed = [{"Key": f"tobo:review-{key}", "Value": value} for key, value in tags.items()]
    line.sagemaker.add_tags(ResourceArn=arn, Tags=listed)


def inputs(review: Review, flow: str) -> list[Any]:
    """What workers are shown, the oldest first."""
    tasks = labeler(review.server, region=REGION).claim_tasks(LabelingJobArn=flow, MaxResults=100)["Tasks"]
    return [json.loads(task["Source"])["InputContent"] for task in tasks]


def loops(review: Review, flow: str) -> int:
    return len(review.a2i.list_human_loops(FlowDefinitionArn=flow, MaxResults=100)["HumanLoopSummaries"])


def test_each_doubtful_frame_is_shown_once(review: Review, line: Fleet) -> None:
    flow = review.flow()
    send(line, 1, {"ok": 0.5, "ko": 0.5})
    tag(line, flow=flow, below="0.8", share="0")
    line.beat("Cam-1")
    assert loops(review, flow) == 0  # it came before there was a rule
    doubtful = send(line, 2, {"ok": 0.6, "ko": 0.4})
    send(line, 3, {"ok": 0.95, "ko": 0.05})
    line.s3.put_object(
        Bucket=line.bucket, Key=f"home/{line.name}/Cam-1/frames/{4:020d}.json", Body=b"{}"
    )  # half of one
    line.beat("Cam-1")
    line.beat("Cam-1")
    [content] = inputs(review, flow)
    assert (content["taskObject"], content["confidence"]) == (doubtful, 0.6)
    assert content["deviceFleetName"] == line.name and content["deviceName"] == "Cam-1"
    assert content["prediction"]["scores"] == {"ok": 0.6, "ko": 0.4}
    late = send(line, 4, {"ok": 0.7, "ko": 0.3})
    line.beat("Cam-1")
    assert [each["taskObject"] for each in inputs(review, flow)] == [doubtful, late]


def test_what_cannot_be_shown_waits(review: Review, line: Fleet) -> None:
    """A heartbeat never fails for it."""
    flow = review.flow()
    tag(line, flow=flow + "-2", below="0.8", share="0")
    line.beat("Cam-1")
    uri = send(line, 10, {"ok": 0.5, "ko": 0.5})
    line.beat("Cam-1")
    tag(line, flow=flow, below="no number")
    line.beat("Cam-1")
    tag(line, below="0.8")
    line.beat("Cam-1")
    assert [each["taskObject"] for each in inputs(review, flow)] == [uri]


@pytest.mark.parametrize("text", [b"{half", b"[1]", b'{"scores": [0.5]}', b" " * 70_000 + b"{}", None])
def test_a_frame_that_is_ill_described_is_none_to_doubt(review: Review, line: Fleet, text: bytes | None) -> None:
    flow = review.flow()
    line.register("Cam-9")
    tag(line, flow=flow, below="1", share="0")
    line.beat("Cam-9")
    key = f"home/{line.name}/Cam-9/frames/{1:020d}"
    if text is not None:
        line.s3.put_object(Bucket=line.bucket, Key=f"{key}.json", Body=text)
    line.s3.put_object(Bucket=line.bucket, Key=f"{key}.jpg", Body=b"jpeg")
    line.beat("Cam-9")
    tag(line, share="1")
    assert loops(review, flow) == 0
    line.sagemaker.deregister_devices(DeviceFleetName=line.name, DeviceNames=["Cam-9"])
    line.s3.delete_object(Bucket=line.bucket, Key=f"{key}.jpg")


def test_a_few_at_a_time_and_a_share_by_chance(review: Review, line: Fleet) -> None:
    flow = review.flow()
    line.beat("Cam-1")
    tag(line, flow=flow, below="0", share="1")
    for number in range(20, 45):
        send(line, number, {"ok": 0.99, "ko": 0.01})
    line.beat("Cam-1")
    assert loops(review, flow) == 20
    line.beat("Cam-1")
    assert loops(review, flow) == 25


def test_a_killed_server_shows_no_frame_twice(fresh_server: Any) -> None:
    server = fresh_server()
    review, line = make_review(server, REGION), Fleet(server, REGION)
    line.register("Cam-1")
    flow = review.flow()
    tag(line, flow=flow, below="0.8")
    line.beat("Cam-1")
    for number in range(1, 6):
        send(line, number, {"ok": 0.6, "ko": 0.4})
    line.beat("Cam-1")
    server.kill()
    server.start()
    line.connect()
    send(line, 6, {"ok": 0.6, "ko": 0.4})
    line.beat("Cam-1")
    assert loops(review, flow) == 6
