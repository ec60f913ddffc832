"""kill -9 of the server while it compiles, and a compilation that eats its memory."""

import time
from collections.abc import Callable

import pytest
from tests.conftest import Server
from tests.support import graphs
from tests.support.compilation import compilation_job, compiled, ended, log_of, put_archive
from tests.support.processes import running, until

pytestmark = pytest.mark.xdist_group("training")


def test_the_server_killed_in_mid_compilation(fresh_server: Callable[..., Server]) -> None:
    """At once, while the archive is laid out, and while it compiles: the job is completed, and compiled exactly once."""
    server = fresh_server()
    server.client("s3").create_bucket(Bucket="crashes")
    files = graphs.archive(graphs.classifier(graphs.weights(channels=32), side=128), golden=32, side=128)
    archive = put_archive(server, "crashes", "model", files)
    for number, moment in enumerate((0.0, 0.1, None)):
        name = f"job-{number}"
        server.client("sagemaker").create_compilation_job(**compilation_job(name, archive))
        if moment is None:
            until(lambda name=name: bool(running(server.state, f"/{name}/")))  # type: ignore[misc]
        else:
            time.sleep(moment)
        server.kill()
        server.start()
        job = ended(server.client("sagemaker"), name)
        assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
        assert sum(line.startswith("Compiled for rasp4b") for line in log_of(server, name)) == 1
        key = job["ModelArtifacts"]["S3ModelArtifacts"].split("/", 3)[3]
        server.client("s3").head_object(Bucket="crashes", Key=key)


def test_out_of_memory_is_named(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_MEMORY_BYTES=str(500 << 20))
    server.client("s3").create_bucket(Bucket="greedy")
    archive = put_archive(server, "greedy", "model", {"model.onnx": graphs.convolution([1, 3, "h", "w"])})
    job = compiled(server, "greedy", archive, framework="ONNX", shapes={"x": [1, 3, 8000, 8000]})
    assert job["CompilationJobStatus"] == "FAILED"
    assert "memory" in job["FailureReason"], job["FailureReason"]
