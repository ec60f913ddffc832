"""Traces of a real server as a collector receives them: OTLP over HTTP, read with OpenTelemetry's own messages."""

import gzip
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from bench.listener import listener
from botocore.config import Config
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.conftest import Server
from tests.support.jobs import training_job, upload_photos, wait
from tests.support.processes import until

pytestmark = pytest.mark.xdist_group("training")

TRACE = "0af7651916cd43dd8448eb211c80319c"


class Collector:
    """What it was sent: spans in the order in which they came, and the services that they are of."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.services: set[str] = set()
        self.endpoint = ""

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            told = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add(told["service.name"])
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return 200

    def named(self, name: str) -> list[Any]:
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    with listener(found.take) as found.endpoint:
        yield found


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_requests_and_jobs_are_spans(fresh_server: Callable[..., Server], collector: Collector) -> None:
    server = fresh_server(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, OTEL_BSP_SCHEDULE_DELAY="200", TOBO_WARM="1")
    upload_photos(server, "photos")
    sagemaker = server.client("sagemaker")

    def with_parent(request: Any, **_: Any) -> None:
        request.headers["traceparent"] = f"00-{TRACE}-b7ad6b7169203331-01"

    sagemaker.meta.events.register("before-sign.sagemaker.CreateTrainingJob", with_parent)
    answer = sagemaker.create_training_job(**training_job("traced", "photos"))
    wait(sagemaker, "traced")
    with pytest.raises(sagemaker.exceptions.ClientError):
        sagemaker.describe_training_job(TrainingJobName="nobody")
    until(lambda: bool(collector.named("training-job traced")))
    (created,) = collector.named("sagemaker CreateTrainingJob")
    told = attributes(created)
    assert (told["rpc.method"], told["http.response.status_code"]) == ("sagemaker/CreateTrainingJob", 200)
    assert told["aws.request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert created.trace_id.hex() == TRACE and created.parent_span_id.hex() == "b7ad6b7169203331"
    assert created.end_time_unix_nano > created.start_time_unix_nano
    (job,) = collector.named("training-job traced")
    steps = sorted(
        (s for s in collector.spans if s.parent_span_id == job.span_id), key=lambda s: s.start_time_unix_nano
    )
    names = [span.name for span in steps]
    assert names[0] == "Starting" and "Training" in names and names[-1] == "Uploading"
    assert steps[0].start_time_unix_nano == job.start_time_unix_nano
    assert all(one.end_time_unix_nano == two.start_time_unix_nano for one, two in itertools.pairwise(steps))
    assert steps[-1].end_time_unix_nano == job.end_time_unix_nano
    until(lambda: any(attributes(s).get("http.response.status_code") == 400 for s in collector.spans))
    assert collector.services == {"tobo"}


def test_a_collector_that_is_away_costs_no_request(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_BSP_SCHEDULE_DELAY="100")
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.keys[0],
        aws_secret_access_key=server.keys[1],
        config=Config(retries={"total_max_attempts": 1}),
    )
    for number in range(20):
        client.create_bucket(Bucket=f"bucket-{number}")
    assert len(client.list_buckets()["Buckets"]) >= 20
    assert server.stop() == 0
