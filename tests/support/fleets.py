"""Fleets in tests: a compiled model by hand, packaged, in a plan, and devices that answer."""

import io
import tarfile
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.config import Config
from tests.conftest import Server
from tests.support.processes import until

from tobo.cli.sessions import session
from tobo.edge import compiled
from tobo.kit.arn import Namespace
from tobo.store.base import Key, Query, Row
from tobo.store.sql import SqlStore

ROLE = "arn:aws:iam::111122223333:role/any"


@dataclass
class Fleet:
    """A fleet on a server with a bucket of its own; devices are added as they are named."""

    server: Server
    region: str = "us-east-1"
    name: str = field(default_factory=lambda: f"line-{uuid.uuid4().hex[:8]}")

    def __post_init__(self) -> None:
        self.connect()
        self._make()

    def connect(self) -> None:
        """To the server where it is now: one that was started again has another port."""
        self.sagemaker, self.edge, self.s3, self.iot = (
            client(self.server, service, self.region) for service in ("sagemaker", "sagemaker-edge", "s3", "iot")
        )

    def _make(self) -> None:
        self.bucket = f"bucket-{self.name}"
        where = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        self.s3.create_bucket(Bucket=self.bucket, **({"CreateBucketConfiguration": where} if where else {}))
        self.sagemaker.create_device_fleet(
            DeviceFleetName=self.name, RoleArn=ROLE, OutputConfig={"S3OutputLocation": f"s3://{self.bucket}/home"}
        )

    def register(self, *names: str) -> None:
        self.sagemaker.register_devices(DeviceFleetName=self.name, Devices=[{"DeviceName": name} for name in names])

    def compile_by_hand(self, files: dict[str, bytes] | None = None, status: str = "COMPLETED") -> str:
        """The name of a compilation job as the compiler would leave it: its archive in S3 and its row."""
        name = f"compiled-{uuid.uuid4().hex[:8]}"
        archive = f"compiled/{name}-rasp4b.tar.gz"
        self.s3.put_object(Bucket=self.bucket, Key=archive, Body=compiled_archive(files))
        insert_row(
            self.server,
            self.region,
            "compilation-job",
            name,
            asked={"CompilationJobName": name, "OutputConfig": {"TargetDevice": "rasp4b"}},
            found={"ModelArtifacts": {"S3ModelArtifacts": f"s3://{self.bucket}/{archive}"}},
            status=status,
        )
        return name

    def rows(self, kind: str, prefix: str) -> int:
        """How many rows of a kind the server keeps whose names begin so."""
        store = SqlStore(f"sqlite:///{self.server.state / 'tobo.db'}")
        try:
            return store.count(Query(Namespace(self.server.account, self.region), kind, name_prefix=prefix))
        finally:
            store.close()

    def start_packaging(self, version: str = "1.0", model: str = "marbles", compilation: str | None = None) -> str:
        name = f"packaging-{uuid.uuid4().hex[:8]}"
        self.sagemaker.create_edge_packaging_job(
            EdgePackagingJobName=name,
            CompilationJobName=compilation or self.compile_by_hand(),
            ModelName=model,
            ModelVersion=version,
            RoleArn=ROLE,
            OutputConfig={"S3OutputLocation": f"s3://{self.bucket}/bundles"},
        )
        return name

    def restart(self) -> None:
        """kill -9, and a new server on the same state folder."""
        self.server.kill()
        self.server.start()
        self.connect()

    def package(self, version: str = "1.0", model: str = "marbles") -> str:
        """The name of a completed packaging job."""
        name = self.start_packaging(version, model)
        assert self.packaged(name)["EdgePackagingJobStatus"] == "COMPLETED"
        return name

    def packaged(self, name: str) -> Any:
        """A packaging job once it is over."""
        until(lambda: self._job(name)["EdgePackagingJobStatus"] in ("COMPLETED", "FAILED", "STOPPED"))
        return self._job(name)

    def _job(self, name: str) -> Any:
        return self.sagemaker.describe_edge_packaging_job(EdgePackagingJobName=name)

    def plan(self, *stages: Any, job: str | None = None) -> str:
        """The name of a plan of `stages`; without any, one for all devices that does nothing on failure."""
        name = f"plan-{uuid.uuid4().hex[:8]}"
        self.sagemaker.create_edge_deployment_plan(
            EdgeDeploymentPlanName=name,
            DeviceFleetName=self.name,
            ModelConfigs=[{"ModelHandle": "marbles", "EdgePackagingJobName": job or self.package()}],
            Stages=list(stages) or [stage("all")],
        )
        return name

    def start(self, plan: str, name: str = "all") -> None:
        self.sagemaker.start_edge_deployment_stage(EdgeDeploymentPlanName=plan, StageName=name)

    def status(self, plan: str, number: int = 0) -> Any:
        """A stage's DeploymentStatus."""
        return self.described(plan)["Stages"][number]["DeploymentStatus"]

    def described(self, plan: str) -> Any:
        return self.sagemaker.describe_edge_deployment_plan(EdgeDeploymentPlanName=plan)

    def await_status(self, plan: str, wanted: str, number: int = 0) -> Any:
        until(lambda: self.status(plan, number)["StageStatus"] == wanted)
        return self.status(plan, number)

    def devices(self, plan: str, name: str = "all") -> dict[str, Any]:
        """ListStageDevices by device."""
        pages = self.sagemaker.get_paginator("list_stage_devices").paginate(EdgeDeploymentPlanName=plan, StageName=name)
        return {one["DeviceName"]: one for page in pages for one in page["DeviceDeploymentSummaries"]}

    def told(self, device: str) -> Any:
        """The device's command, None where it has none."""
        deployments = self.edge.get_deployments(DeviceName=device, DeviceFleetName=self.name)["Deployments"]
        return deployments[0] if deployments else None

    def await_command(self, device: str, state: str = "DEPLOY") -> Any:
        """The command once it is of that state."""
        until(lambda: (told := self.told(device)) and told["Definitions"][0]["State"] == state)
        return self.told(device)

    def answer(self, device: str, command: Any, status: str = "SUCCESS", message: str = "") -> None:
        result = {"DeploymentName": command["DeploymentName"], "DeploymentStatus": status}
        result |= {"DeploymentStatusMessage": message} if message else {}
        self.beat(device, DeploymentResult=result)

    def beat(self, device: str, **members: Any) -> None:
        self.edge.send_heartbeat(AgentVersion="1.0", DeviceName=device, DeviceFleetName=self.name, **members)


def client(server: Server, service: str, region: str = "us-east-1", **options: Any) -> Any:
    """As `server.client`, from one session: SageMaker's model alone takes a second to read."""
    defaults: dict[str, Any] = {
        "endpoint_url": server.endpoint,
        "region_name": region,
        "aws_access_key_id": server.keys[0],
        "aws_secret_access_key": server.keys[1],
        "config": Config(retries={"total_max_attempts": 1}),
    }
    return _SESSION.client(service, **{**defaults, **options})


_SESSION = session()


def insert_row(
    server: Server, region: str, kind: str, name: str, asked: dict[str, Any], found: dict[str, Any], status: str
) -> None:
    """Into the store of a running server: what nobody here can make."""
    space, now = Namespace(server.account, region), time.time()
    store = SqlStore(f"sqlite:///{server.state / 'tobo.db'}")
    try:
        arn = f"arn:aws:sagemaker:{space.region}:{space.account}:{kind}/{name}"
        store.insert(Row(Key(space, kind, name), arn, asked, found, status, "Completed", now, now))
    finally:
        store.close()


def stage(name: str, percentage: int = 100, policy: str | None = None, **selection: Any) -> dict[str, Any]:
    """A DeploymentStage by percentage, or by what `selection` says."""
    chosen = selection or {"DeviceSubsetType": "PERCENTAGE", "Percentage": percentage}
    config = {"DeploymentConfig": {"FailureHandlingPolicy": policy}} if policy else {}
    return {"StageName": name, "DeviceSelectionConfig": chosen, **config}


def metric(name: str, value: float, at: float | None = None, **more: Any) -> dict[str, Any]:
    """An EdgeMetric of now, or of an epoch second."""
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return {"MetricName": name, "Value": value, "Timestamp": moment, **more}


def compiled_archive(files: dict[str, bytes] | None = None) -> bytes:
    """A compiled model's .tar.gz, or one of `files`."""
    if files is None:
        folder = {"model.onnx": b"graph" * 1000, "golden/scores.json": b"{}", "labels.json": b'["ko","ok"]'}
        files = {**folder, compiled.FILE: _card()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def _card() -> bytes:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        compiled.write(Path(folder), compiled.Compiled("rasp4b", "onnxruntime", "int8", "model.onnx", ("ko", "ok")))
        return (Path(folder) / compiled.FILE).read_bytes()
