"""Memory of a server that has just started and has nothing to do; no warm parent."""

import time

from bench.rows import Row
from bench.servers import tobo
from bench.trees import memory_mib


def run() -> list[Row]:
    with tobo() as server:
        server.client("sagemaker").list_training_jobs()
        server.client("s3").list_buckets()
        time.sleep(1)
        resident, proportional = memory_mib(server.pids())
        started_in = server.started_in
    note = f"PSS {proportional:.0f}; after one SageMaker and one S3 request"
    return [
        Row("idle server, RSS", resident, "MiB", aim=150, note=note),
        Row("server start to healthy", started_in, "s"),
    ]
