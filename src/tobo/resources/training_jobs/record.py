"""A training job's trial component and lineage: once when it is at work, once when it is over."""

from tobo.operations.context import Context
from tobo.operations.machine import Done, Outcome
from tobo.operations.recording import Artifact, JobRecord, media_type, record_job
from tobo.resources.training_jobs import states
from tobo.resources.training_jobs.metrics import NAMESPACE
from tobo.resources.training_jobs.requests import image_uri
from tobo.store.base import Row


def record(context: Context, row: Row) -> Outcome:
    """Beside the running process or after the end: nobody waits for it."""
    over = row.state in states.TERMINAL
    outputs = {}
    if over and row.status != "Failed":
        outputs["SageMaker.ModelArtifact"] = Artifact(row.found["ModelArtifacts"]["S3ModelArtifacts"], "Model")
    machine = row.asked["ResourceConfig"]
    resources = {
        f"SageMaker.{name}": machine[name]
        for name in ("InstanceType", "InstanceCount", "VolumeSizeInGB")
        if name in machine
    }
    record_job(
        context,
        JobRecord(
            row,
            kind="training-job",
            status=row.status,
            over=over,
            message=row.found.get("FailureReason") or row.found["SecondaryStatusTransitions"][-1]["StatusMessage"],
            start=row.found.get("TrainingStartTime"),
            end=row.found.get("TrainingEndTime"),
            parameters={**resources, **row.asked.get("HyperParameters", {})},
            inputs=_inputs(row),
            outputs=outputs,
            metrics=[metric["MetricName"] for metric in row.found.get("FinalMetricDataList", [])] if over else [],
            metrics_namespace=NAMESPACE,
            metrics_dimension="TrainingJobName",
        ),
    )
    return Done()


def _inputs(row: Row) -> dict[str, Artifact]:
    """The channels that come from S3, by their names, and the image."""
    found = {}
    for channel in row.asked.get("InputDataConfig", []):
        if source := channel["DataSource"].get("S3DataSource"):
            found[channel["ChannelName"]] = Artifact(source["S3Uri"], "DataSet", media_type(channel))
    found["SageMaker.ImageUri"] = Artifact(image_uri(row), "Image")
    return found
