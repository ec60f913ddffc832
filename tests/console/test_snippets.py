"""Calls as code: what the console shows is what it asked, and runs."""

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.console import run
from tests.support.unique import unique

from tobo.console.snippets import File, Made, boto3_code, cli_code

NASTY = 'O\'Neill "quoted" $(rm -rf /) `x` \\ ü \n new line'


def test_the_boto3_code_makes_the_calls(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = unique("snippet")
    archive = tmp_path / "it's a model.tar.gz"
    archive.write_bytes(b"what it holds does not matter here")
    made = [
        Made("s3", "CreateBucket", {"Bucket": name}),
        Made("s3", "PutObject", {"Bucket": name, "Key": "model.tar.gz", "Body": File(str(archive))}),
        Made("sagemaker", "CreateModel", {
            "ModelName": name, "ExecutionRoleArn": f"arn:aws:iam::{server.account}:role/any",
            "PrimaryContainer": {"Image": "image-classification:1", "ModelDataUrl": f"s3://{name}/model.tar.gz",
                                 "Environment": {"NASTY": NASTY.replace("\n", " "), "LONG": "x" * 100}},
            "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}],
        }),
        Made("sagemaker", "ListModels", {"CreationTimeAfter": datetime(2024, 1, 2, tzinfo=UTC), "MaxResults": 5}),
    ]  # fmt: skip
    run(server, boto3_code(made, "us-east-1"), monkeypatch)
    described = server.client("sagemaker").describe_model(ModelName=name)
    assert described["PrimaryContainer"]["Environment"]["NASTY"] == NASTY.replace("\n", " ")
    assert name in [bucket["Name"] for bucket in server.client("s3").list_buckets()["Buckets"]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True), (None, None), (1.5, 1.5), (NASTY, NASTY), ([], []), ({"a": [1, {"b": "c" * 120}]}, {"a": [1, {"b": "c" * 120}]}),
        (datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_values_are_pythons_own(value: Any, expected: Any) -> None:
    code = boto3_code([Made("s3", "ListBuckets", {"Value": value})], "us-east-1")
    given: dict[str, Any] = {}

    class Client:
        def list_buckets(self, **asked: Any) -> None:
            given.update(asked)

    class Boto3:
        @staticmethod
        def client(service: str, region_name: str) -> Client:
            return Client()

    exec(compile(code.replace("import boto3\n", ""), "snippet", "exec"), {"boto3": Boto3})
    assert given == {"Value": expected}


def test_lines_are_not_long_where_values_can_be_broken() -> None:
    asked = {"Tags": [{"Key": f"key-{number}", "Value": "value"} for number in range(9)], "Other": {"A": {"B": "c"}}}
    code = boto3_code([Made("sagemaker", "AddTags", asked)], "us-east-1")
    assert max(map(len, code.splitlines())) <= 100


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (
            Made("s3", "PutObject", {"Bucket": "b", "Key": NASTY, "Body": File("my photo.jpg")}),
            ["aws", "s3api", "put-object", "--region", "us-east-1", "--bucket", "b", "--key", NASTY, "--body", "my photo.jpg"],
        ),
        (
            Made("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e", "Body": File("a.jpg")}),
            ["aws", "sagemaker-runtime", "invoke-endpoint", "--region", "us-east-1", "--endpoint-name", "e",
             "--body", "fileb://a.jpg", "answer.bin"],
        ),
        (
            Made("sagemaker", "CreateTrainingJob", {"TrainingJobName": "t", "EnableNetworkIsolation": False,
                                                    "HyperParameters": {"a": "it's"}}),
            ["aws", "sagemaker", "create-training-job", "--region", "us-east-1", "--training-job-name", "t",
             "--no-enable-network-isolation", "--hyper-parameters", '{"a": "it\'s"}'],
        ),
    ],
)  # fmt: skip
def test_the_command_is_one_for_the_shell(made: Made, words: list[str]) -> None:
    assert shlex.split(cli_code([made], "us-east-1").replace("\\\n", " ")) == words
