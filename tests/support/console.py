"""The console without eyes: requests as a browser makes them, the code that it shows, and jobs and photos to look at."""

import http.client
import io
import re
from urllib.parse import urlencode, urlsplit

import boto3
import pytest
from PIL import Image
from tests.conftest import Server

from tobo.console import ROOT
from tobo.console.links import enter_link


class Client:
    """A browser without eyes: one cookie jar, no redirects followed."""

    def __init__(self, server: Server) -> None:
        self.at = urlsplit(server.endpoint)
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(self.at.hostname or "", self.at.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path if path.startswith("/") else f"{ROOT}/{path}", body or None, sent)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie" and (found := re.match(r"([^=]+)=([^;]*)", value)):
                    self.cookies[found[1]] = found[2].strip('"')
            return (
                answer.status,
                {k.lower(): v for k, v in answer.getheaders()},
                answer.read().decode("utf-8", "replace"),
            )
        finally:
            connection.close()

    def post(self, path: str, fields: dict[str, str], **headers: str) -> tuple[int, dict[str, str], str]:
        return self.ask("POST", path, urlencode(fields), Content_Type="application/x-www-form-urlencoded", **headers)

    def enter(self, server: Server) -> str:
        """Signs in as the root; the CSRF token of the session."""
        self.ask("GET", enter_link(server.state, server.endpoint).removeprefix(server.endpoint))
        return self.csrf()

    def csrf(self) -> str:
        found = re.search(r'name="csrf-token" content="([0-9a-f]+)"', self.ask("GET", "")[2])
        return "" if found is None else found[1]


def run(server: Server, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program, with the environment that `tobo env` gives."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.keys[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.keys[1])
    boto3.DEFAULT_SESSION = None
    exec(compile(code, "snippet", "exec"), {})


def make_job(server: Server, name: str) -> None:
    """A training job that fails at once: there is no such bucket."""
    server.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=f"arn:aws:iam::{server.account}:role/any",
        AlgorithmSpecification={"TrainingImage": "image-classification:1", "TrainingInputMode": "File"},
        HyperParameters={"num_classes": "2", "num_training_samples": "4"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://no-such-bucket/train/"}},
            }
        ],
        OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )


def photos(server: Server, bucket: str, each: int = 6) -> None:
    """Red and green pictures in class folders of two channels."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)
    for channel, count in (("train", each), ("validation", 2)):
        for label, colour in (("ko", (200, 30, 30)), ("ok", (30, 200, 30))):
            for number in range(count):
                data = io.BytesIO()
                Image.new("RGB", (32, 32), tuple(value + number for value in colour)).save(data, "PNG")
                s3.put_object(Bucket=bucket, Key=f"{channel}/{label}/{number}.png", Body=data.getvalue())
