"""The audit log: what is in it, how it is looked up, that tampering shows, that neither kill -9 nor threads lose any."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.jobs import training_job, wait
from tests.support.unique import unique

from tobo.operations.auditing import BLANKED, class_of, parameters
from tobo.telemetry.trail import GENESIS, Trail, verify


def look(server: Server, region: str = "us-east-1", **attributes: str) -> list[dict[str, Any]]:
    asked = [{"AttributeKey": key, "AttributeValue": value} for key, value in attributes.items()]
    pages = server.client("cloudtrail", region=region).get_paginator("lookup_events").paginate(LookupAttributes=asked)
    return [event for page in pages for event in page["Events"]]


def test_a_write_is_recorded_and_a_read_is_not(server: Server) -> None:
    name = unique("audited")
    iam = server.client("iam")
    iam.create_user(UserName=name)
    iam.get_user(UserName=name)
    with pytest.raises(ClientError):
        iam.create_user(UserName=name)
    iam.delete_user(UserName=name)
    found = look(server, ResourceName=name)
    assert [event["EventName"] for event in found] == ["DeleteUser", "CreateUser", "CreateUser"]
    event = found[2]
    assert event["Username"] == "root" and event["AccessKeyId"] == server.keys[0] and event["ReadOnly"] == "false"
    assert event["Resources"] == [{"ResourceType": "AWS::IAM::User", "ResourceName": name}]
    told = json.loads(event["CloudTrailEvent"])
    assert told["sourceIPAddress"] == "127.0.0.1" and "Boto3" in told["userAgent"]
    assert told["requestParameters"] == {"userName": name} and "errorCode" not in told
    assert json.loads(found[1]["CloudTrailEvent"])["errorCode"] == "EntityAlreadyExists"


def test_a_refusal_by_policy_is_recorded_even_of_a_read(server: Server) -> None:
    name = unique("refused")
    key, secret = limited_user(server, name, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    with pytest.raises(ClientError, match="not authorized"):
        server.client("sagemaker", aws_access_key_id=key, aws_secret_access_key=secret).list_models()
    (event,) = look(server, AccessKeyId=key)
    told = json.loads(event["CloudTrailEvent"])
    assert (told["eventName"], told["errorCode"]) == ("ListModels", "AccessDeniedException")
    assert told["userIdentity"]["type"] == "IAMUser" and event["Username"] == name
    assert look(server, Username=name, EventName="ListModels", ReadOnly="true")[0]["EventId"] == event["EventId"]
    with pytest.raises(ClientError, match="not authorized"):
        server.client("cloudtrail", aws_access_key_id=key, aws_secret_access_key=secret).lookup_events()


def test_what_the_house_asks_within_an_operation_is_marked(server: Server) -> None:
    experiment, trial = unique("experiment"), unique("trial")
    sagemaker = server.client("sagemaker", region="eu-west-2")
    sagemaker.create_experiment(ExperimentName=experiment)
    sagemaker.create_trial(TrialName=trial, ExperimentName=experiment)
    (event,) = look(server, "eu-west-2", ResourceName=trial)
    assert "invokedBy" not in json.loads(event["CloudTrailEvent"])["userIdentity"]
    assert look(server, "eu-west-3", ResourceName=trial) == []
    job = unique("job")
    sagemaker.create_training_job(**training_job(job, "nowhere"))
    wait(sagemaker, job)
    found = look(server, "eu-west-2", Username="sagemaker.amazonaws.com")
    ours = [json.loads(event["CloudTrailEvent"]) for event in found if job in event["CloudTrailEvent"]]
    assert "CreateTrialComponent" in {event["eventName"] for event in ours}
    assert {event["userIdentity"]["type"] for event in ours} == {"AWSService"}


def test_pages_and_times(server: Server) -> None:
    begin = datetime.now(UTC)
    names = [unique("paged") for _ in range(5)]
    for name in names:
        server.client("sagemaker").create_experiment(ExperimentName=name)
    cloudtrail = server.client("cloudtrail")
    asked: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateExperiment"}],
        "StartTime": begin - timedelta(seconds=1),
        "EndTime": datetime.now(UTC) + timedelta(seconds=1),
    }
    found, token = [], {}
    while True:
        page = cloudtrail.lookup_events(**asked, **token, MaxResults=2)
        assert len(page["Events"]) <= 2
        found += [event["Resources"][0]["ResourceName"] for event in page["Events"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
        server.client("sagemaker").create_experiment(ExperimentName=unique("between"))
    assert [name for name in found if name in names] == names[::-1]
    assert len(found) == len(set(found))
    assert cloudtrail.lookup_events(EndTime=begin - timedelta(days=30))["Events"] == []
    with pytest.raises(ClientError, match="other filters"):
        cloudtrail.lookup_events(**token)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"NextToken": "nonsense"}, "InvalidNextTokenException"),
        ({"StartTime": datetime(2026, 2, 1), "EndTime": datetime(2026, 1, 1)}, "InvalidTimeRangeException"),
        (
            {"LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "perhaps"}]},
            "InvalidLookupAttributesException",
        ),
        (
            {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name} for name in "ab"]},
            "InvalidLookupAttributesException",
        ),
    ],
)
def test_refusals(server: Server, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        server.client("cloudtrail").lookup_events(**asked)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("service", "name", "expected"),
    [
        ("sagemaker", "CreateModel", "write"),
        ("sagemaker", "DescribeModel", "read"),
        ("sagemaker", "Search", "read"),
        ("sagemaker-metrics", "BatchGetMetrics", "read"),
        ("sts", "GetSessionToken", "write"),
        ("sts", "AssumeRole", "write"),
        ("s3", "DeleteObject", "write"),
        ("s3", "GetObject", "data"),
        ("sagemaker-runtime", "InvokeEndpoint", "data"),
    ],
)
def test_classes(service: str, name: str, expected: str) -> None:
    assert class_of(service, name) == expected


def test_secrets_and_bytes_are_left_out() -> None:
    asked = {
        "SecretAccessKey": "s",
        "Environment": {"DB_PASSWORD": "s", "HF_TOKEN": "s", "SIZE": "3"},
        "Body": b"x",
        "ClientRequestToken": "t",
    }
    assert parameters(asked) == {
        "secretAccessKey": BLANKED,
        "environment": {"DB_PASSWORD": BLANKED, "HF_TOKEN": BLANKED, "SIZE": "3"},
        "clientRequestToken": "t",
    }
    assert parameters({"Text": "x" * 100_000}) == {"omitted": "100011 bytes"}


def test_data_events_by_choice(tmp_path: Path) -> None:
    for chosen, expected in (("0", []), ("1", ["GetObject", "PutObject"])):
        served = Server(tmp_path / f"state-{chosen}", {"TOBO_AUDIT_DATA": chosen})
        try:
            s3 = served.start().client("s3")
            s3.create_bucket(Bucket="bucket")
            s3.put_object(Bucket="bucket", Key="k", Body=b"secret bytes")
            s3.get_object(Bucket="bucket", Key="k")["Body"].read()
            names = [event["EventName"] for event in look(served, ResourceName="bucket")]
            assert names == [*expected, "CreateBucket"]
            assert b"secret bytes" not in b"".join(path.read_bytes() for path in (served.state / "audit").iterdir())
        finally:
            served.end()


def filled(folder: Path, count: int = 6) -> list[bytes]:
    trail = Trail(folder)
    for number in range(count):
        trail.append(86_400.0 * (number // 3), {"at": number, "event": {"n": number}})
    trail.close()
    return [line for path in sorted(folder.iterdir()) for line in path.read_bytes().splitlines(True)]


@pytest.mark.parametrize(
    ("tamper", "line", "why"),
    [
        (lambda first: [first[0], first[1].replace(b'"n":1', b'"n":9'), first[2]], 2, "was changed"),
        (lambda first: [first[0], first[2]], 2, "taken away"),
        (lambda first: [first[1], first[0], first[2]], 1, "moved"),
        (lambda first: [first[0], first[0], *first[1:]], 2, "added"),
        (lambda first: [first[0], b"{}\n", *first[1:]], 2, "no whole record"),
        (lambda first: first[:2], None, "taken away"),
    ],
)
def test_tampering_is_found(tmp_path: Path, tamper: Any, line: int | None, why: str) -> None:
    folder = tmp_path / "audit"
    lines = filled(folder)
    assert verify(folder) == (6, None)
    first = folder / "1970-01-01.jsonl"
    first.write_bytes(b"".join(tamper(lines[:3])))
    _, broken = verify(folder)
    assert broken is not None and why in broken.why
    assert (broken.file, broken.line) == ((str(first), line) if line else (str(folder / "1970-01-02.jsonl"), 1))


def test_the_doctor_names_the_first_broken_record(tmp_path: Path) -> None:
    filled(tmp_path / "audit")
    for tampered, code in ((False, 0), (True, 1)):
        if tampered:
            file = tmp_path / "audit" / "1970-01-02.jsonl"
            file.write_bytes(file.read_bytes().replace(b'"n":4', b'"n":5'))
        ran = subprocess.run(
            [sys.executable, "-m", "tobo", "doctor", "--audit", "--state", str(tmp_path)],
            capture_output=True,
            text=True,
            env={"COLUMNS": "400"},
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        assert ("1970-01-02.jsonl line 2" in ran.stdout) == tampered


def test_a_torn_line_is_taken_off_and_the_chain_goes_on(tmp_path: Path) -> None:
    filled(tmp_path)
    with (tmp_path / "1970-01-02.jsonl").open("ab") as file:
        file.write(b'{"sha256":"torn')
    trail = Trail(tmp_path)
    trail.append(0.0, {"at": 6, "event": {}})  # a clock that was put back
    trail.close()
    assert verify(tmp_path) == (7, None)
    assert [line.members["at"] for line in Trail(tmp_path).newest()] == [6, 5, 4, 3, 2, 1, 0]


def test_lines_longer_than_a_block_are_read_backward(tmp_path: Path) -> None:
    trail = Trail(tmp_path)
    for number in range(9):
        trail.append(0.0, {"at": number, "text": "x" * 100_000 * number})
    found = list(trail.newest())
    assert [line.members["at"] for line in found] == list(range(9))[::-1]
    for number, line in enumerate(found):
        assert list(trail.newest(line.place)) == found[number + 1 :]
    assert found[-1].members["previous"] == GENESIS


def test_threads_and_kill_lose_nothing(tmp_path: Path) -> None:
    served = Server(tmp_path / "state", {})
    try:
        sagemaker = served.start().client("sagemaker")
        names = [unique("thread") for _ in range(64)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: sagemaker.create_experiment(ExperimentName=name), names))
        served.kill()
        count, broken = verify(served.state / "audit")
        assert broken is None and count >= 64
        served.start()
        found = {event["Resources"][0]["ResourceName"] for event in look(served, EventName="CreateExperiment")}
        assert found == set(names)
        assert verify(served.state / "audit")[1] is None
    finally:
        served.end()


def test_the_names_of_files_are_days(server: Server) -> None:
    server.client("sagemaker").create_experiment(ExperimentName=unique("day"))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d\.jsonl", path.name) for path in (server.state / "audit").iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_leaves_a_record_out_and_the_chain_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trail = Trail(tmp_path)
    trail.append(1e9, {"what": "before"})
    own, full = trail._file, os.open("/dev/full", os.O_WRONLY)
    trail._file = full
    trail.append(1e9, {"what": "lost"})
    assert "the audit log cannot be written" in caplog.text
    trail._file = own
    os.close(full)
    tomorrow = tmp_path / "2001-09-10.jsonl"
    tomorrow.mkdir()  # a file that cannot be made
    trail.append(1e9 + 86_400, {"what": "lost, too"})
    tomorrow.rmdir()
    trail.append(1e9, {"what": "after"})
    trail.close()
    assert [line.members["what"] for line in trail.newest()] == ["after", "before"]
    assert verify(tmp_path) == (2, None)
