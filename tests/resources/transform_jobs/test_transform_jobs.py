"""Transform jobs through boto3 on a real server, with models that are a few lines of Python, and one that was trained."""

import gzip
import io
import json
import os
import signal
import struct
import tarfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.endpoints import make_model
from tests.support.jobs import photo, training_job, upload_photos, wait
from tests.support.processes import running, until
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("training")
BUCKET = "transform-data"
GROUP = "/aws/sagemaker/TransformJobs"


@pytest.fixture(scope="module")
def bucket(warm_server: Server) -> str:
    prepare(warm_server)
    return BUCKET


def prepare(server: Server) -> None:
    """The bucket with an artefact that holds nothing of use."""
    server.client("s3").create_bucket(Bucket=BUCKET)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("nothing"))
    server.client("s3").put_object(Bucket=BUCKET, Key="model.tar.gz", Body=packed.getvalue())


def make_echo(server: Server, name: str, folder: Path, image: str = "recording-model", **environment: str) -> None:
    """A model that answers with what it is asked, which stands in <folder>/seen."""
    own = {"SEEN": str(folder / "seen"), **environment}
    make_model(server, name, f"s3://{BUCKET}/model.tar.gz", Image=image, Environment=own)


def seen(folder: Path) -> Counter[bytes]:
    return Counter((folder / "seen").read_bytes().split(b"\n")[:-1])


def put(server: Server, prefix: str, objects: dict[str, bytes]) -> None:
    s3 = server.client("s3")
    for key, body in objects.items():
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}/{key}", Body=body)


def transform_job(name: str, model: str = "", **changed: Any) -> dict[str, Any]:
    """A CreateTransformJob request over <name>/in/; `source` and `output` are merged into its halves."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in/"}
    return {
        "TransformJobName": name,
        "ModelName": model or name,
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            **changed.pop("source", {}),
        },
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/{name}/out", **changed.pop("output", {})},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changed,
    }


def await_job(server: Server, name: str, seconds: float = 40) -> dict[str, Any]:
    sagemaker = server.client("sagemaker")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=name)
        if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"{name} is still {job['TransformJobStatus']}")


def run(server: Server, name: str, **changed: Any) -> dict[str, Any]:
    server.client("sagemaker").create_transform_job(**transform_job(name, **changed))
    return await_job(server, name)


def outputs(server: Server, name: str) -> dict[str, bytes]:
    """Path below the output folder -> bytes."""
    s3, prefix = server.client("s3"), f"{name}/out/"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {one["Key"][len(prefix) :]: s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in listed}


def await_outputs(server: Server, name: str, count: int) -> None:
    s3 = server.client("s3")
    until(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{name}/out/")["KeyCount"] >= count)


def data_log(server: Server, name: str) -> list[str]:
    logs = server.client("logs")
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    [stream] = [one["logStreamName"] for one in streams if one["logStreamName"].endswith("/data-log")]
    events = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)["events"]
    return [event["message"] for event in events]


def recordio(data: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(data)) + data + bytes(-len(data) % 4)


def tfrecord(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + b"CRC1" + data + b"CRC2"


LINES = {"SplitType": "Line"}


@pytest.mark.parametrize(
    ("name", "changed", "given", "asked", "written"),
    [
        ("whole", {}, {"a/b/1.csv": b"1\n2\n", "2.csv": b"3"}, [b"1\n2\n", b"3"], {"a/b/1.csv.out": b"1\n2\n", "2.csv.out": b"3"}),
        (
            "single",
            {"source": LINES, "output": {"AssembleWith": "Line"}, "BatchStrategy": "SingleRecord"},
            {"x.csv": b"1\n2\n3\n", "empty.csv": b""},
            [b"1", b"2", b"3"],
            {"x.csv.out": b"1\n2\n3\n", "empty.csv.out": b""},
        ),
        ("multi", {"source": LINES, "BatchStrategy": "MultiRecord"}, {"x.csv": b"1\n2\n"}, [b"1\n2"], {"x.csv.out": b"1\n2"}),
        (
            "gzip",
            {"source": {**LINES, "CompressionType": "Gzip"}, "BatchStrategy": "SingleRecord"},
            {"x.csv.gz": gzip.compress(b"1\n2\n")},
            [b"1", b"2"],
            {"x.csv.gz.out": b"12"},
        ),
        (
            "recordio",
            {"source": {"SplitType": "RecordIO"}, "BatchStrategy": "SingleRecord", "output": {"AssembleWith": "Line"}},
            {"x.rec": recordio(b"one") + recordio(b"two")},
            [b"one", b"two"],
            {"x.rec.out": b"one\ntwo\n"},
        ),
        (
            "tfrecord",
            {"source": {"SplitType": "TFRecord"}, "BatchStrategy": "MultiRecord"},
            {"x": tfrecord(b"one") + tfrecord(b"two")},
            [tfrecord(b"one") + tfrecord(b"two")],
            {"x.out": tfrecord(b"one") + tfrecord(b"two")},
        ),
        (
            "joined",
            {
                "source": LINES,
                "output": {"AssembleWith": "Line", "Accept": "text/csv"},
                "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
            },
            {"x.csv": b"id1,a,b\nid2,c,d\n"},
            [b"a,b\nc,d"],
            {"x.csv.out": b"id1,b\nid2,d\n"},
        ),
    ],
)  # fmt: skip
def test_forms(
    warm_server: Server,
    bucket: str,
    tmp_path: Path,
    name: str,
    changed: dict[str, Any],
    given: dict[str, bytes],
    asked: list[bytes],
    written: dict[str, bytes],
) -> None:
    name = unique(f"form-{name}")
    put(warm_server, f"{name}/in", given)
    make_echo(warm_server, name, tmp_path)
    job = run(warm_server, name, **changed)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert outputs(warm_server, name) == written
    assert sorted((tmp_path / "seen").read_bytes()) == sorted(b"\n".join(asked) + b"\n")


def test_many_lines_keep_their_order(warm_server: Server, bucket: str, tmp_path: Path) -> None:
    order = unique("order")
    lines = b"".join(b"%d,%d\n" % (number, number * number) for number in range(3000))
    put(warm_server, f"{order}/in", {"x.csv": lines, "y.csv": lines[::-1]})
    make_echo(warm_server, order, tmp_path)
    changed = {"source": LINES, "output": {"AssembleWith": "Line"}, "MaxConcurrentTransforms": 8}
    assert run(warm_server, order, BatchStrategy="SingleRecord", **changed)["TransformJobStatus"] == "Completed"
    reverse = b"\n".join(line for line in lines[::-1].split(b"\n") if line) + b"\n"
    assert outputs(warm_server, order) == {"x.csv.out": lines, "y.csv.out": reverse}


def test_a_manifest_and_the_description(warm_server: Server, bucket: str, tmp_path: Path) -> None:
    name = unique("manifest")
    put(warm_server, f"{name}/in", {"a/1": b"1", "a/2": b"2", "a/3": b"3"})
    manifest = [{"prefix": f"s3://{BUCKET}/{name}/in/"}, "a/1", "a/3"]
    put(warm_server, name, {"list": json.dumps(manifest).encode()})
    make_echo(warm_server, name, tmp_path)
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/{name}/list"}
    job = run(
        warm_server,
        name,
        source={"DataSource": {"S3DataSource": source}},
        Environment={"SLEEP": "0.01"},
        Tags=[{"Key": "k", "Value": "v"}],
    )
    assert outputs(warm_server, name) == {"a/1.out": b"1", "a/3.out": b"3"}
    assert job["TransformJobArn"].endswith(f":transform-job/{name}") and job["Environment"] == {"SLEEP": "0.01"}
    assert job["TransformInput"]["SplitType"] == "None" and job["DataProcessing"]["OutputFilter"] == "$"
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    tags = warm_server.client("sagemaker").list_tags(ResourceArn=job["TransformJobArn"])["Tags"]
    assert tags == [{"Key": "k", "Value": "v"}]
    until(lambda: not running(warm_server.state, f"/transform-job/{name}/"))


def test_bad_objects_and_records_cost_only_themselves(warm_server: Server, bucket: str, tmp_path: Path) -> None:
    partly = unique("partly")
    put(warm_server, f"{partly}/in", {"1": b"fine", "2": b"bad", "3": b"fine", "4": b"bad too"})
    make_echo(warm_server, partly, tmp_path)
    job = run(warm_server, partly)
    assert job["TransformJobStatus"] == "Failed"
    assert "2 records in 2 of 4 objects" in job["FailureReason"]
    assert f"'{partly}/in/2': 400: I do not like it" in job["FailureReason"]
    assert outputs(warm_server, partly) == {"1.out": b"fine", "3.out": b"fine"}
    assert sorted(data_log(warm_server, partly)) == [
        f"{BUCKET}/{partly}/in/{number}: 400: I do not like it" for number in (2, 4)
    ]


def test_a_bad_line_leaves_the_others_at_their_places(warm_server: Server, bucket: str, tmp_path: Path) -> None:
    places = unique("places")
    put(warm_server, f"{places}/in", {"x": b"a\nbad\nc\n" + b"x" * (1 << 20) + b"y\ne\n", "z": b"fine"})
    make_echo(warm_server, places, tmp_path)
    job = run(
        warm_server,
        places,
        source=LINES,
        output={"AssembleWith": "Line"},
        BatchStrategy="SingleRecord",
        MaxPayloadInMB=1,
    )
    assert job["TransformJobStatus"] == "Failed" and "2 records in 1 of 2 objects" in job["FailureReason"]
    lines = outputs(warm_server, places)["x.out"].split(b"\n")
    assert [lines[0], lines[2], lines[4:]] == [b"a", b"c", [b"e", b""]]
    assert json.loads(lines[1]) == {"error": {"record": 2, "status": 400, "message": "I do not like it"}}
    assert "MaxPayloadInMB" in json.loads(lines[3])["error"]["message"]
    assert f"{BUCKET}/{places}/in/x: record 2: 400: I do not like it" in data_log(warm_server, places)


@pytest.mark.parametrize(
    ("name", "changed", "says"),
    [
        ("not-gzip", {"source": {"CompressionType": "Gzip"}}, "is not gzip"),
        ("not-recordio", {"source": {"SplitType": "RecordIO"}, "output": {"AssembleWith": "Line"}}, "is not RecordIO"),
        ("slow", {"ModelClientConfig": {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 0}, "Environment": {"SLEEP": "9"}}, "504: "),
        ("no-filter", {"DataProcessing": {"OutputFilter": "$.x"}, "output": {"Accept": "text/html"}}, "neither CSV nor JSON"),
        ("no-model", {}, "did not start"),
        ("no-output", {"output": {"S3OutputPath": "s3://no-such-bucket-here/"}}, "no-such-bucket-here"),
    ],
)  # fmt: skip
def test_jobs_that_fail(
    warm_server: Server, bucket: str, tmp_path: Path, name: str, changed: dict[str, Any], says: str
) -> None:
    image = "missing-model" if name == "no-model" else "recording-model"
    name = unique(name)
    put(warm_server, f"{name}/in", {"x": b"some words, no records"})
    make_echo(warm_server, name, tmp_path, image)
    job = run(warm_server, name, **changed)
    assert job["TransformJobStatus"] == "Failed" and any(word in job["FailureReason"] for word in says.split("|")), job
    assert outputs(warm_server, name) == {}
    until(lambda: not running(warm_server.state, f"/transform-job/{name}/"))


def test_no_input(warm_server: Server, bucket: str, tmp_path: Path) -> None:
    nothing = unique("nothing")
    make_echo(warm_server, nothing, tmp_path)
    assert "There is no object at" in run(warm_server, nothing)["FailureReason"]


def test_a_replica_that_dies_is_replaced_and_the_record_asked_again(
    warm_server: Server, bucket: str, tmp_path: Path
) -> None:
    mortal_batch = unique("mortal-batch")
    put(warm_server, f"{mortal_batch}/in", {"1": b"die once", "2": b"fine"})
    make_echo(warm_server, mortal_batch, tmp_path)
    job = run(warm_server, mortal_batch, MaxConcurrentTransforms=1)
    assert job["TransformJobStatus"] == "Completed", job["FailureReason"]
    assert outputs(warm_server, mortal_batch) == {"1.out": b"die once", "2.out": b"fine"}


def test_a_record_that_kills_its_replica_is_given_up(warm_server: Server, bucket: str, tmp_path: Path) -> None:
    deadly_batch = unique("deadly-batch")
    put(warm_server, f"{deadly_batch}/in", {"1": b"die always", "2": b"fine"})
    make_echo(warm_server, deadly_batch, tmp_path)
    job = run(warm_server, deadly_batch, MaxConcurrentTransforms=1)
    assert job["TransformJobStatus"] == "Failed" and "died while it worked" in job["FailureReason"], job
    assert outputs(warm_server, deadly_batch) == {"2.out": b"fine"}


def test_stop_and_what_lists_find(warm_server: Server, bucket: str, tmp_path: Path) -> None:
    stopped_batch = unique("stopped-batch")
    sagemaker = warm_server.client("sagemaker")
    put(warm_server, f"{stopped_batch}/in", {str(number): b"%d" % number for number in range(200)})
    make_echo(warm_server, stopped_batch, tmp_path, SLEEP="0.05")
    sagemaker.create_transform_job(**transform_job(stopped_batch))
    await_outputs(warm_server, stopped_batch, 1)
    sagemaker.stop_transform_job(TransformJobName=stopped_batch)
    assert await_job(warm_server, stopped_batch, 10)["TransformJobStatus"] == "Stopped"
    written = len(outputs(warm_server, stopped_batch))
    assert 0 < written < 200
    until(lambda: not running(warm_server.state, f"/transform-job/{stopped_batch}/"))
    assert sum(seen(tmp_path).values()) - written <= 4, "what had its answer is kept"
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_transform_job(TransformJobName=stopped_batch)
    found = sagemaker.list_transform_jobs(NameContains=stopped_batch, StatusEquals="Stopped")["TransformJobSummaries"]
    assert [(one["TransformJobName"], one["TransformJobStatus"]) for one in found] == [(stopped_batch, "Stopped")]
    assert not sagemaker.list_transform_jobs(NameContains=stopped_batch, StatusEquals="Failed")["TransformJobSummaries"]
    pages = sagemaker.get_paginator("list_transform_jobs").paginate(
        SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 1}
    )
    names = [one["TransformJobName"] for page in pages for one in page["TransformJobSummaries"]]
    assert names == sorted(set(names)) and stopped_batch in names


@pytest.mark.parametrize(
    ("changed", "code", "says"),
    [
        ({"ModelName": "no-such-model"}, "ValidationException", "Could not find model"),
        ({"DataProcessing": {"InputFilter": "$["}}, "ValidationException", "InputFilter"),
        ({"MaxPayloadInMB": 50, "MaxConcurrentTransforms": 3}, "ValidationException", "over 100"),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://x/y"}}, "ValidationException", "DataCaptureConfig"),
        ({"source": {"DataSource": {"S3DataSource": {"S3DataType": "Converse", "S3Uri": "s3://x/y"}}}}, "ValidationException", "Converse"),
        ({"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 21}}, "ResourceLimitExceeded", "a transform job' is 20"),
        ({"TransformJobName": "refused-twice"}, "ResourceInUse", "unique"),
    ],
)  # fmt: skip
def test_refusals(
    warm_server: Server, bucket: str, tmp_path: Path, changed: dict[str, Any], code: str, says: str
) -> None:
    sagemaker = warm_server.client("sagemaker")
    if not sagemaker.list_models(NameContains="refusing")["Models"]:
        make_echo(warm_server, "refusing", tmp_path)
        sagemaker.create_transform_job(**transform_job("refused-twice", "refusing"))
    with pytest.raises(ClientError, match=says) as refused:
        sagemaker.create_transform_job(**transform_job("refused", "refusing", **changed))
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("operation", ["describe_transform_job", "stop_transform_job"])
def test_unknown_jobs(warm_server: Server, operation: str) -> None:
    with pytest.raises(ClientError, match="Could not find requested job") as refused:
        getattr(warm_server.client("sagemaker"), operation)(TransformJobName="unknown")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


def test_the_server_killed_in_the_middle_scores_nothing_twice(
    fresh_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = fresh_server()
    prepare(server)
    put(server, "killed/in", {f"{number:02}": b"bad" if number == 3 else b"%02d" % number for number in range(60)})
    make_echo(server, "killed", tmp_path, SLEEP="0.05")
    server.client("sagemaker").create_transform_job(**transform_job("killed"))
    await_outputs(server, "killed", 12)
    before = {*outputs(server, "killed").values(), b"bad"}
    server.kill()
    server.start()
    job = await_job(server, "killed")
    assert job["TransformJobStatus"] == "Failed" and "1 record in 1 of 60 objects" in job["FailureReason"]
    assert len(outputs(server, "killed")) == 59
    asked = seen(tmp_path)
    assert {body for body in before if asked[body] != 1} == set()
    assert sum(asked.values()) - 60 <= 4, "only what was under way is asked again"


def test_a_job_survives_the_death_of_server_and_replicas(fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    server = fresh_server()
    prepare(server)
    put(server, "all-dead/in", {f"{number:02}": b"%02d" % number for number in range(40)})
    make_echo(server, "all-dead", tmp_path, SLEEP="0.05")
    server.client("sagemaker").create_transform_job(**transform_job("all-dead"))
    await_outputs(server, "all-dead", 4)
    server.kill()
    for pid in running(server.state, "/transform-job/all-dead/").values():
        os.kill(pid, signal.SIGKILL)
    server.start()
    job = await_job(server, "all-dead")
    assert job["TransformJobStatus"] == "Completed", job["FailureReason"]
    assert len(outputs(server, "all-dead")) == 40


def test_a_trained_model_over_photos(warm_server: Server, bucket: str) -> None:
    photos, for_transform, transform_photos = (unique(name) for name in ("photos", "for-transform", "transform-photos"))
    upload_photos(warm_server, transform_photos)
    sagemaker = warm_server.client("sagemaker")
    sagemaker.create_training_job(**training_job(for_transform, transform_photos))
    make_model(warm_server, photos, wait(sagemaker, for_transform)["ModelArtifacts"]["S3ModelArtifacts"])
    put(warm_server, f"{photos}/in", {f"{number}.jpg": photo(number) for number in range(20)} | {"broken.jpg": b"no"})
    job = run(
        warm_server,
        photos,
        source={"ContentType": "image/jpeg"},
        output={"Accept": "application/json"},
    )
    assert (
        job["TransformJobStatus"] == "Failed" and f"'{photos}/in/broken.jpg': 400: The picture" in job["FailureReason"]
    )
    scored = outputs(warm_server, photos)
    assert len(scored) == 20
    for number in range(20):
        scores = json.loads(scored[f"{number}.jpg.out"])
        assert scores.index(max(scores)) == number % 2
