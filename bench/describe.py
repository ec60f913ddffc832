"""DescribeTrainingJob and ListTrainingJobs with a hundred and with a hundred thousand jobs in the store."""

import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import orjson
from botocore.exceptions import WaiterError

from bench.client import Connection, signed
from bench.rows import Row
from bench.servers import Peer, Tobo, moto, tobo
from bench.trees import Measured, cpu_ms_each

FEW, MANY = 100, 100_000
CALLS: tuple[tuple[str, str, Mapping[str, object], int, float | None], ...] = (
    ("DescribeTrainingJob", "DescribeTrainingJob", {"TrainingJobName": "job-50"}, 200, 0.05),
    ("ListTrainingJobs(100)", "ListTrainingJobs", {"MaxResults": 100}, 40, None),
)
"""What it is called here, operation, request, requests a round, aim beside moto."""


def run() -> list[Row]:
    rows = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tobo-bench-")))
        with tobo(state=folder / "few") as server:
            first_job(server)
        shutil.copytree(folder / "few", folder / "many")
        for name, count in (("few", FEW), ("many", MANY)):
            multiply(folder / name / "tobo.db", count)
        servers: dict[str, Peer] = {name: stack.enter_context(tobo(state=folder / name)) for name in ("few", "many")}
        if other := moto():
            servers["moto"] = stack.enter_context(other)
            for number in range(FEW):
                _create_job(servers["moto"], f"job-{number}")
        note = "" if other else "moto is not installed"
        connections = {name: stack.enter_context(Connection(server.endpoint)) for name, server in servers.items()}
        for what, operation, asked, times, aim in CALLS:
            contestants = {
                name: Measured(server.pids(), partial(ask, connections[name], request(server, operation, asked)))
                for name, server in servers.items()
            }
            cpu_ms_each(contestants, times, rounds=1)  # caches fill
            cost = cpu_ms_each(contestants, times)
            few, many = cost["few"], cost["many"]
            rows += [
                Row(f"{what}, {MANY:,} jobs", many, "CPU-ms", f"with {FEW} jobs", few, aim_ratio=1.1),
                Row(f"{what}, {FEW} jobs", few, "CPU-ms", "moto server", cost.get("moto"), aim_ratio=aim, note=note),
            ]
    return rows


def ask(connection: Connection, request: bytes, number: int) -> None:
    connection.expect(request)


def request(server: Peer, operation: str, asked: Mapping[str, object]) -> bytes:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"SageMaker.{operation}"}
    return signed(server.endpoint, server.keys, "sagemaker", "POST", "/", orjson.dumps(asked), headers)


def first_job(server: Tobo) -> None:
    """A job that is soon over, as its bucket does not exist: what the others are copied from."""
    _create_job(server, "job-0")
    waiter = server.client("sagemaker").get_waiter("training_job_completed_or_stopped")
    waiter.config.delay = 0
    try:
        waiter.wait(TrainingJobName="job-0")
    except WaiterError as over:
        if "Failed" not in str(over):
            raise


def _create_job(server: Peer, name: str) -> None:
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://no-such-bucket/train"}
    server.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": "image-classification:1", "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::111122223333:role/service-role/bench",
        InputDataConfig=[
            {"ChannelName": "train", "DataSource": {"S3DataSource": source}, "ContentType": "application/x-image"}
        ],
        OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        HyperParameters={"num_classes": "2", "num_training_samples": "10"},
    )


def multiply(database: Path, count: int) -> None:
    """Copies the first job to job-1 ... job-<count - 1>, a second apart, where they are not there yet."""
    with sqlite3.connect(database) as store:
        columns = [row[1] for row in store.execute("PRAGMA table_info(resources)") if row[1] != "id"]
        changed = {
            "name": "'job-' || n",
            "arn": "replace(arn, '/job-0', '/job-' || n)",
            "asked": "replace(asked, '\"job-0\"', '\"job-' || n || '\"')",
            "created": "created - n",
            "modified": "modified - n",
        }
        store.execute(
            f"INSERT INTO resources ({', '.join(columns)})"
            " WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)"
            f" SELECT {', '.join(changed.get(column, column) for column in columns)} FROM numbers, resources"
            " WHERE name = 'job-0' AND 'job-' || n NOT IN (SELECT name FROM resources WHERE kind = 'training-job')",
            (count,),
        )
    store.close()
