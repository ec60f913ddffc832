"""Compilation jobs as a boto3 user makes them, and what comes of them."""

import io
import json
import tarfile
import time
from pathlib import Path
from typing import Any

from tests.conftest import Server
from tests.support.jobs import ROLE


def compilation_job(name: str, archive: str, target: str | dict[str, str] = "rasp4b", **changed: Any) -> dict[str, Any]:
    """A CreateCompilationJob request; `options` become CompilerOptions, other members replace the request's."""
    framework, shapes = changed.pop("framework", "PYTORCH"), changed.pop("shapes", None)
    options = changed.pop("options", None)
    where = {"TargetDevice": target} if isinstance(target, str) else {"TargetPlatform": target}
    return {
        "CompilationJobName": name,
        "RoleArn": ROLE,
        "InputConfig": {
            "S3Uri": archive,
            "Framework": framework,
            **({"DataInputConfig": json.dumps(shapes)} if shapes is not None else {}),
        },
        "OutputConfig": {
            "S3OutputLocation": f"s3://{archive.split('/')[2]}/compiled/{name}",
            **where,
            **({"CompilerOptions": json.dumps(options)} if options is not None else {}),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
        **changed,
    }


def compiled(server: Server, name: str, archive: str, *arguments: Any, **changed: Any) -> dict[str, Any]:
    """Creates the job and describes it when it is over."""
    sagemaker = server.client("sagemaker")
    sagemaker.create_compilation_job(**compilation_job(name, archive, *arguments, **changed))
    return ended(sagemaker, name)


def ended(sagemaker: Any, name: str, seconds: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        told: dict[str, Any] = sagemaker.describe_compilation_job(CompilationJobName=name)
        if told["CompilationJobStatus"] in ("COMPLETED", "FAILED", "STOPPED"):
            return told
        time.sleep(0.05)
    raise AssertionError(f"{name} is still {told['CompilationJobStatus']}")


def unpacked(server: Server, uri: str, folder: Path) -> Path:
    """The files of an archive in S3, in a new folder."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    data = server.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def put_archive(server: Server, bucket: str, name: str, files: dict[str, bytes]) -> str:
    """A .tar.gz of these files in S3; its address."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    server.client("s3").put_object(Bucket=bucket, Key=f"{name}.tar.gz", Body=packed.getvalue())
    return f"s3://{bucket}/{name}.tar.gz"


def log_of(server: Server, name: str) -> list[str]:
    logs = server.client("logs")
    group = "/aws/sagemaker/CompilationJobs"
    [stream] = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    told = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    return [event["message"] for event in told["events"]]
