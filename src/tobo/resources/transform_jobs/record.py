"""A transform job's trial component and lineage: once when it is at work, once when it is over."""

from tobo.operations.context import Context
from tobo.operations.machine import Done, Outcome
from tobo.operations.recording import Artifact, JobRecord, media_type, record_job
from tobo.resources.transform_jobs import states
from tobo.store.base import Row


def record(context: Context, row: Row) -> Outcome:
    """While the replicas start or after the end: nobody waits for it."""
    over = row.state in states.TERMINAL
    source, container = row.asked["TransformInput"], row.found["_container"]
    inputs = {
        "SageMaker.TransformInput": Artifact(
            source["DataSource"]["S3DataSource"]["S3Uri"], "DataSet", media_type(source)
        ),
        "SageMaker.ImageUri": Artifact(container["Image"], "Image"),
    }
    if container.get("ModelData"):
        inputs["SageMaker.ModelArtifact"] = Artifact(container["ModelData"], "Model")
    output = {"SageMaker.TransformOutput": Artifact(row.asked["TransformOutput"]["S3OutputPath"], "DataSet")}
    machine = row.asked["TransformResources"]
    record_job(
        context,
        JobRecord(
            row,
            kind="transform-job",
            status=row.status,
            over=over,
            message=row.found.get("FailureReason", ""),
            start=row.found.get("TransformStartTime"),
            end=row.found.get("TransformEndTime"),
            parameters={
                "SageMaker.ModelName": row.asked["ModelName"],
                "SageMaker.InstanceType": machine["InstanceType"],
                "SageMaker.InstanceCount": machine["InstanceCount"],
            },
            inputs=inputs,
            outputs=output if over and row.status != "Failed" else {},
        ),
    )
    return Done()
