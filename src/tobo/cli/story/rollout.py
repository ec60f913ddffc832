"""From a trained model to devices: compile, package, roll out stage by stage; requests that any client could make."""

import json
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

from tobo.cli.story.connection import Connection
from tobo.cli.story.training import Place
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import parse_s3_uri

POLL_SECONDS = 0.25
MODEL = "marbles"
"""The model's name on the devices."""


@dataclass(frozen=True)
class Version:
    """A version of the model: the training job it comes from, its compilation, its packaging."""

    number: str
    training: str
    compilation: str
    packaging: str
    certificate: dict[str, Any]


def build(connection: Connection, place: Place, training: str, number: str, target: str) -> Version:
    """Compiles what a training job left and packages it for the fleet's devices. Raises Fault where one of them fails."""
    sagemaker = connection.client("sagemaker")
    trained = sagemaker.describe_training_job(TrainingJobName=training)
    compilation, packaging = f"{training}-{target}", f"{training}-bundle"
    sagemaker.create_compilation_job(
        CompilationJobName=compilation,
        RoleArn=place.role,
        InputConfig={
            "S3Uri": trained["ModelArtifacts"]["S3ModelArtifacts"],
            "DataInputConfig": '{"pictures": [1, 96, 96, 3]}',
            "Framework": "PYTORCH",
        },
        OutputConfig={"S3OutputLocation": place.uri("compiled"), "TargetDevice": target},
        StoppingCondition={"MaxRuntimeInSeconds": 900},
    )
    compiled = _over(
        lambda: sagemaker.describe_compilation_job(CompilationJobName=compilation), "CompilationJobStatus", compilation
    )
    sagemaker.create_edge_packaging_job(
        EdgePackagingJobName=packaging,
        CompilationJobName=compilation,
        ModelName=MODEL,
        ModelVersion=number,
        RoleArn=place.role,
        OutputConfig={"S3OutputLocation": place.uri("bundles")},
    )
    _over(
        lambda: sagemaker.describe_edge_packaging_job(EdgePackagingJobName=packaging),
        "EdgePackagingJobStatus",
        packaging,
    )
    certificate = _certificate(connection, compiled["ModelArtifacts"]["S3ModelArtifacts"])
    return Version(number, training, compilation, packaging, certificate)


def plan(connection: Connection, name: str, fleet: str, version: Version, stages: Sequence[Sequence[str]]) -> None:
    """An edge deployment plan whose stages are lists of devices; whoever fails sends the others of its stage back."""
    connection.client("sagemaker").create_edge_deployment_plan(
        EdgeDeploymentPlanName=name,
        DeviceFleetName=fleet,
        ModelConfigs=[{"ModelHandle": MODEL, "EdgePackagingJobName": version.packaging}],
        Stages=[
            {
                "StageName": f"stage-{number}",
                "DeviceSelectionConfig": {"DeviceSubsetType": "SELECTION", "DeviceNames": list(devices)},
                "DeploymentConfig": {"FailureHandlingPolicy": "ROLLBACK_ON_FAILURE"},
            }
            for number, devices in enumerate(stages, 1)
        ],
    )


def roll_out(connection: Connection, name: str, stage: int, alive: Callable[[], None]) -> None:
    """Starts a stage and waits until its devices have it; calls `alive` meanwhile. Raises Fault where it fails."""
    sagemaker = connection.client("sagemaker")
    sagemaker.start_edge_deployment_stage(EdgeDeploymentPlanName=name, StageName=f"stage-{stage}")
    while True:
        alive()
        stages = sagemaker.describe_edge_deployment_plan(EdgeDeploymentPlanName=name)["Stages"]
        status = stages[stage - 1]["DeploymentStatus"]
        if status["StageStatus"] == "DEPLOYED":
            return
        if status["StageStatus"] in ("FAILED", "STOPPED"):
            listed = sagemaker.list_stage_devices(EdgeDeploymentPlanName=name, StageName=f"stage-{stage}")
            told = "; ".join(
                f"{one['DeviceName']}: {one.get('DeviceDeploymentStatusMessage', one['DeviceDeploymentStatus'])}"
                for one in listed["DeviceDeploymentSummaries"]
            )
            raise Fault("DeploymentFailed", f"Stage {stage} of '{name}' ended {status['StageStatus']}: {told}")
        time.sleep(POLL_SECONDS)


def _over(describe: Callable[[], dict[str, Any]], member: str, name: str) -> dict[str, Any]:
    """The description of a job once it is COMPLETED. Raises Fault where it ends otherwise."""
    while True:
        found = describe()
        status = found[member]
        if status == "COMPLETED":
            return found
        if status in ("FAILED", "STOPPED"):
            reason = found.get("FailureReason") or found.get("EdgePackagingJobStatusMessage", "")
            raise Fault("JobFailed", f"'{name}' ended {status}: {reason}")
        time.sleep(POLL_SECONDS)


def _certificate(connection: Connection, address: str) -> dict[str, Any]:
    """certificate.json of a compiled archive."""
    uri = parse_s3_uri(address, "ModelArtifacts.S3ModelArtifacts")
    body = connection.client("s3").get_object(Bucket=uri.bucket, Key=uri.key)["Body"]
    with tarfile.open(fileobj=body, mode="r|gz") as archive:
        for member in archive:
            if member.name.removeprefix("./") == "certificate.json":
                content: IO[bytes] | None = archive.extractfile(member)
                if content is not None:
                    found: dict[str, Any] = json.loads(content.read())
                    return found
    raise Fault("JobFailed", f"{address} holds no certificate.json.")
