"""Jobs and models with one's own code, as a boto3 user (or an SDK for him) makes them."""

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Any

from tests.conftest import Server
from tests.support.jobs import ROLE, training_job

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SCIKIT_LEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:1.7-1"
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.1.0-cpu-py310"
PYTORCH_SERVING = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.1.0-cpu-py310"
PYTHON = f"{REGISTRY}/sagemaker-base-python-310:1.0"


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """A .tar.gz of files by their path."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def wheel(value: int, name: str = "tiny") -> bytes:
    """A wheel with one module (PEP 427): the test needs no package index."""
    files = {
        f"{name}.py": f"VALUE = {value}\n",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed_wheel:
        for path, text in files.items():
            packed_wheel.writestr(zipfile.ZipInfo(path), text)  # no time of today: the same wheel is the same bytes
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(text)}\n"
        packed_wheel.writestr(
            zipfile.ZipInfo(f"{name}-1.0.dist-info/RECORD"), f"{record}{name}-1.0.dist-info/RECORD,,\n"
        )
    return buffer.getvalue()


def put(server: Server, bucket: str, key: str, body: str | bytes) -> str:
    """Uploads into a bucket that is made where it is missing; the object's address."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


def script_job(
    server: Server,
    name: str,
    files: Mapping[str, str | bytes],
    hyperparameters: Mapping[str, Any] | None = None,
    *,
    image: str = PYTHON,
    program: str = "train.py",
    **changed: Any,
) -> dict[str, Any]:
    """A CreateTrainingJob request as SDK 2.x sends it: every hyperparameter JSON-encoded. Uploads the source directory."""
    source = put(server, "own-code", f"{name}/source/sourcedir.tar.gz", packed(files))
    own = {
        "sagemaker_program": program,
        "sagemaker_submit_directory": source,
        "sagemaker_container_log_level": 20,
        "sagemaker_job_name": name,
        "sagemaker_region": "us-east-1",
    }
    encoded = {key: json.dumps(value) for key, value in {**(hyperparameters or {}), **own}.items()}
    specification = {"TrainingImage": image, "TrainingInputMode": "File", **changed.pop("specification", {})}
    asked = training_job(name, "own-code", HyperParameters=encoded, AlgorithmSpecification=specification)
    del asked["InputDataConfig"]
    return {**asked, **changed}


def artifact(server: Server, described: Mapping[str, Any], name: str = "model.tar.gz") -> dict[str, bytes]:
    """The files of a job's model.tar.gz, or of its output.tar.gz."""
    address = described["ModelArtifacts"]["S3ModelArtifacts"].replace("model.tar.gz", name)
    bucket, _, key = address.removeprefix("s3://").partition("/")
    data = server.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}  # type: ignore[union-attr]


def make_model(server: Server, name: str, image: str, address: str, **container: Any) -> None:
    server.client("sagemaker").create_model(
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": image, "ModelDataUrl": address, **container},
    )
