"""Search over a hundred thousand training jobs: the first page of what experimenters ask, beside a List's."""

import sqlite3
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bench.client import Connection
from bench.describe import MANY, ask, first_job, multiply, request
from bench.rows import Row
from bench.servers import tobo
from bench.trees import Measured, cpu_ms_each

METRIC = "validation:accuracy"
_NAMED = [
    {"Name": "TrainingJobName", "Operator": "Contains", "Value": "job-7"},
    {"Name": "TrainingJobStatus", "Operator": "Equals", "Value": "Completed"},
]
_GOOD = {"Name": f"Metrics.{METRIC}", "Operator": "GreaterThan", "Value": "0.99"}
_CHANNEL = {
    "NestedPropertyName": "InputDataConfig",
    "Filters": [
        {"Name": "InputDataConfig.ChannelName", "Operator": "Equals", "Value": "train"},
        {"Name": "InputDataConfig.DataSource.S3DataSource.S3Uri", "Operator": "Contains", "Value": "/train"},
    ],
}
CALLS: tuple[tuple[str, str, Mapping[str, object], int, float | None], ...] = (
    ("List of 10, name and status", "ListTrainingJobs", {"MaxResults": 10, "NameContains": "job-7", "StatusEquals": "Completed"}, 40, None),
    ("Search, name and status", "Search", {"SearchExpression": {"Filters": _NAMED}}, 40, None),
    ("Search, name, status, metric, channel", "Search", {"SearchExpression": {"Filters": [*_NAMED, _GOOD], "NestedFilters": [_CHANNEL]}}, 3, None),
    ("Search, the best by a metric", "Search", {"SearchExpression": {"Filters": [_NAMED[1]]}, "SortBy": f"Metrics.{METRIC}"}, 1, None),
)  # fmt: skip
"""What it is called here, operation, request, requests a round, aim in CPU-ms."""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="tobo-bench-") as folder:
        state = Path(folder) / "state"
        with tobo(state=state) as server:
            first_job(server)
        multiply(state / "tobo.db", MANY)
        _complete(state / "tobo.db")
        with tobo(state=state) as server, Connection(server.endpoint) as connection:
            rows = []
            for what, operation, asked, times, aim in CALLS:
                resource = {"Resource": "TrainingJob", "MaxResults": 10} if operation == "Search" else {}
                signed = request(server, operation, {**asked, **resource})
                measured = {"tobo": Measured(server.pids(), partial(ask, connection, signed))}
                cost = cpu_ms_each(measured, times)["tobo"]
                rows.append(Row(f"{what}, {MANY:,} jobs", cost, "CPU-ms", aim=aim))
    return rows


def _complete(database: Path) -> None:
    """Nine of ten jobs completed, with an accuracy that differs from job to job."""
    with sqlite3.connect(database) as store:
        accuracy = "(id * 7919 % 100000) / 100000.0"
        metric = f"json_object('MetricName', ?, 'Value', {accuracy}, 'Timestamp', modified)"
        store.execute(
            f"UPDATE resources SET status = 'Completed', found = json_set(found, '$.FinalMetricDataList', json_array({metric}))"
            " WHERE kind = 'training-job' AND id % 10",
            (METRIC,),
        )
    store.close()
