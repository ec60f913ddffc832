"""A compilation job that tries its model on an emulated arm64 processor: where TOBO_AARCH64_ROOT names a system."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.support import graphs
from tests.support.compilation import compiled, put_archive, unpacked


@pytest.mark.skipif(
    not os.environ.get("TOBO_AARCH64_ROOT"),
    reason="TOBO_AARCH64_ROOT names no arm64 system; tools/arm64_root.py makes one",
)
def test_the_certificate_tells_how_an_arm64_processor_answers(
    fresh_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = fresh_server(TOBO_AARCH64_ROOT=os.environ["TOBO_AARCH64_ROOT"])
    server.client("s3").create_bucket(Bucket="emulated")
    archive = put_archive(server, "emulated", "model", graphs.archive(graphs.classifier()))
    job = compiled(server, "emulated", archive)
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    folder = unpacked(server, job["ModelArtifacts"]["S3ModelArtifacts"], tmp_path / "compiled")
    last = json.loads((folder / "certificate.json").read_text())["forms"][-1]
    assert last["form"] == "onnxruntime int8 aarch64" and "not_run" not in last
    assert (last["samples"], last["flipped"]) == (8, 0)
    assert last["largest_difference"] < 0.05
