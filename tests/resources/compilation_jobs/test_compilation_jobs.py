"""Compilation jobs through boto3 on a real server: from a trained classifier to its archive for a target."""

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.compilation import compiled, log_of, unpacked
from tests.support.jobs import training_job, upload_photos, wait

from tobo.edge import compiled as folders
from tobo.inference.model import load

pytestmark = pytest.mark.xdist_group("training")
RUN = uuid.uuid4().hex[:8]
BUCKET = f"compile-{RUN}"


@pytest.fixture(scope="module")
def archive(warm_server: Server) -> str:
    """A classifier that the built-in algorithm trained."""
    upload_photos(warm_server, BUCKET, train=60, validation=40)
    sagemaker = warm_server.client("sagemaker")
    sagemaker.create_training_job(**training_job(f"squares-{RUN}", BUCKET))
    job = wait(sagemaker, f"squares-{RUN}")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return str(job["ModelArtifacts"]["S3ModelArtifacts"])


def certificate_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "certificate.json").read_text())
    return found


def test_a_trained_classifier_is_compiled_for_a_raspberry_pi(warm_server: Server, archive: str, tmp_path: Path) -> None:
    name = f"pi-{RUN}"
    job = compiled(
        warm_server, name, archive, "rasp4b", options={"precision": "int8"}, shapes={"input": [1, 3, 32, 32]}
    )
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{BUCKET}/compiled/{name}/model-rasp4b.tar.gz"
    data = warm_server.client("s3").get_object(Bucket=BUCKET, Key=uri.split("/", 3)[3])["Body"].read()
    assert job["ModelDigests"]["ArtifactDigest"] == hashlib.sha256(data).hexdigest()
    assert job["CompilationStartTime"] <= job["CompilationEndTime"]
    folder = unpacked(warm_server, uri, tmp_path)
    model = folders.read(folder)
    assert (model.target, model.runtime, model.precision) == ("rasp4b", "onnxruntime", "int8")
    assert (model.labels, model.image_shape) == (("ko", "ok"), (3, 32, 32))
    assert {label: sum(counts) for label, counts in model.scores.items()} == {"ko": 40, "ok": 40}
    golden = json.loads((folder / "golden" / "scores.json").read_text())
    answers = load(folder).predict([(folder / "golden" / picture).read_bytes() for picture in golden])
    for answer, expected in zip(answers, golden.values(), strict=True):
        assert answer.index(max(answer)) == expected.index(max(expected))
    told = certificate_of(folder)
    assert told["samples"]["count"] == told["samples"]["labelled"] == 40
    assert told["flipped"] == 0 and told["accuracy"]["after"] == told["accuracy"]["before"] >= 0.9
    assert told["bytes"]["after"] < told["bytes"]["before"] / 2
    assert [form["form"].split()[0] for form in told["forms"]] == [
        "trained",
        "onnxruntime",
        "onnxruntime",
        "onnxruntime",
    ]
    assert any(line.startswith("Compiled for rasp4b: onnxruntime int8; 0 of 40") for line in log_of(warm_server, name))
