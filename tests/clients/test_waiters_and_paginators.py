"""Every waiter and paginator of botocore's sagemaker model that asks a built operation, exercised with boto3."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import WaiterError
from botocore.waiter import WaiterModel
from tests.conftest import Server
from tests.support import pipelines
from tests.support.compilation import compilation_job, ended
from tests.support.fleets import insert_row, stage
from tests.support.jobs import ROLE, photo, training_job, upload_photos, wait
from tests.support.notebooks import TYPE
from tests.support.own_code import PYTHON
from tests.support.processes import until
from tests.support.resources import make_resources
from tests.support.tuning import await_tuning, tuning_job
from tests.support.workforces import team_of

from tobo import resources
from tobo.operations.registry import TABLE

pytestmark = pytest.mark.xdist_group("training")

REGION = "eu-west-3"
BUCKET = "waited-for"
NAMES = ("one", "two", "three")

resources.load()
_SESSION = botocore.session.get_session()
_PAGINATORS: dict[str, Any] = _SESSION.get_paginator_model("sagemaker")._paginator_config
_WAITERS: WaiterModel = _SESSION.get_waiter_model("sagemaker")


def is_built(operation: str) -> bool:
    return ("sagemaker", operation) in TABLE


PIPELINE = "three-steps"

PAGES: dict[str, dict[str, Any]] = {
    "ListActions": {},
    "ListAlgorithms": {},
    "ListArtifacts": {},
    "ListAssociations": {},
    "ListCodeRepositories": {},
    "ListCompilationJobs": {},
    "ListContexts": {},
    "ListDeviceFleets": {},
    "ListDevices": {},
    "ListEdgeDeploymentPlans": {},
    "ListEdgePackagingJobs": {},
    "ListEndpointConfigs": {},
    "ListEndpoints": {},
    "ListExperiments": {},
    "ListFlowDefinitions": {},
    "ListHumanTaskUis": {},
    "ListHyperParameterTuningJobs": {},
    "ListLabelingJobs": {},
    "ListLabelingJobsForWorkteam": {"WorkteamArn": "the team's"},
    "ListModelPackageGroups": {},
    "ListModelPackages": {},
    "ListModels": {},
    "ListNotebookInstanceLifecycleConfigs": {},
    "ListNotebookInstances": {},
    "ListPipelineExecutionSteps": {"PipelineExecutionArn": "an execution's"},
    "ListPipelineExecutions": {"PipelineName": PIPELINE},
    "ListPipelineParametersForExecution": {"PipelineExecutionArn": "an execution's"},
    "ListPipelineVersions": {"PipelineName": PIPELINE},
    "ListPipelines": {},
    "ListProcessingJobs": {},
    "ListStageDevices": {"EdgeDeploymentPlanName": "one", "StageName": "all"},
    "ListSubscribedWorkteams": {},
    "ListTags": {"ResourceArn": "the experiment's"},
    "ListTrainingJobs": {},
    "ListTrainingJobsForHyperParameterTuningJob": {"HyperParameterTuningJobName": "three-trials"},
    "ListTransformJobs": {},
    "ListTrialComponents": {},
    "ListTrials": {},
    "ListWorkforces": {},
    "ListWorkteams": {},
    "Search": {"Resource": "Experiment"},
}
"""What each built paginator is asked for; of everything that it lists there are three or more, but of these."""

FEW = {"ListSubscribedWorkteams": 0, "ListWorkforces": 1}
"""Of vendors' teams there are none, and a region has one workforce."""


def processing_job(name: str, bucket: str) -> dict[str, Any]:
    source = {"S3Uri": f"s3://{bucket}/script.py", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    folder = "/opt/ml/processing/input/code"
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": PYTHON, "ContainerEntrypoint": ["python3", f"{folder}/script.py"]},
        "ProcessingInputs": [{"InputName": "code", "S3Input": {**source, "LocalPath": folder}}],
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1}
        },
    }


@pytest.fixture(scope="module")
def listed(warm_server: Server) -> dict[str, str]:
    """ARNs by kind, in a region of its own, where there are three resources of each kind."""
    arns = make_resources(warm_server, REGION, NAMES)
    sagemaker = warm_server.client("sagemaker", region=REGION)
    tags = [{"Key": name, "Value": name} for name in NAMES]
    sagemaker.add_tags(ResourceArn=arns["experiment"], Tags=tags)
    for name in NAMES:
        sagemaker.create_processing_job(**processing_job(name, "no-such-bucket"))
        sagemaker.create_compilation_job(**compilation_job(name, "s3://no-such-bucket/model.tar.gz"))
    for name in NAMES:
        ended(sagemaker, name)  # their pages must not change while they are read
    make_fleets(warm_server, sagemaker)
    make_reviews(warm_server, sagemaker)
    arns["execution"] = make_pipelines(sagemaker)
    for name in NAMES:
        insert_row(warm_server, REGION, "notebook-instance", name, {"InstanceType": TYPE}, {}, "Stopped")
    asked = tuning_job("three-trials", "no-such-bucket", jobs=3, parallel=1)
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    await_tuning(sagemaker, "three-trials")
    return arns


def make_fleets(server: Server, sagemaker: Any) -> None:
    """Fleets, devices, bundles as packaging leaves them, and plans."""
    for name in NAMES:
        sagemaker.create_device_fleet(DeviceFleetName=name, OutputConfig={"S3OutputLocation": "s3://bucket/home"})
        job = {"CompilationJobName": name, "ModelName": "marbles", "ModelVersion": "1.0"}
        insert_row(server, REGION, "edge-packaging-job", name, {"EdgePackagingJobName": name, **job}, {}, "COMPLETED")
    sagemaker.register_devices(DeviceFleetName="one", Devices=[{"DeviceName": name} for name in NAMES])
    for name in NAMES:
        sagemaker.create_edge_deployment_plan(
            EdgeDeploymentPlanName=name,
            DeviceFleetName="one",
            ModelConfigs=[{"ModelHandle": "marbles", "EdgePackagingJobName": name}],
            Stages=[stage("all")],
        )


def make_reviews(server: Server, sagemaker: Any) -> None:
    """Pages for the teams' tasks, and flow definitions."""
    for name in NAMES:
        ui = sagemaker.create_human_task_ui(HumanTaskUiName=name, UiTemplate={"Content": "<form></form>"})
        sagemaker.create_flow_definition(
            FlowDefinitionName=name,
            HumanLoopConfig={
                "WorkteamArn": team_of(server, name, REGION),
                "HumanTaskUiArn": ui["HumanTaskUiArn"],
                "TaskTitle": name,
                "TaskDescription": name,
                "TaskCount": 1,
            },
            OutputConfig={"S3OutputPath": "s3://no-such-bucket/answers"},
            RoleArn=ROLE,
        )
    until(
        lambda: all(
            flow["FlowDefinitionStatus"] == "Failed"
            for flow in sagemaker.list_flow_definitions()["FlowDefinitionSummaries"]
        )
    )


def make_pipelines(sagemaker: Any) -> str:
    """Versions and executions of a pipeline with three steps and three parameters; the ARN of an execution."""
    same = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    steps = [pipelines.step(name, "Condition", {"Conditions": [same]}) for name in NAMES]
    text = pipelines.definition(*steps, parameters={name: ("String", name) for name in NAMES})
    pipelines.create(sagemaker, text, PIPELINE)
    for _ in range(2):
        sagemaker.update_pipeline(PipelineName=PIPELINE, PipelineDefinition=text)
    arns = [pipelines.start(sagemaker, PIPELINE) for _ in NAMES]
    for arn in arns:
        pipelines.await_end(sagemaker, arn)
    return arns[0]


def test_every_built_paginator_is_exercised() -> None:
    assert {name for name in _PAGINATORS if is_built(name)} == PAGES.keys()


@pytest.mark.parametrize("operation", PAGES)
def test_paginator(operation: str, warm_server: Server, listed: dict[str, str]) -> None:
    """Pages of one give what one large page gives, in its order, each thing once."""
    sagemaker = warm_server.client("sagemaker", region=REGION)
    asked = dict(PAGES[operation])
    if operation == "ListTags":
        asked["ResourceArn"] = listed["experiment"]
    if "PipelineExecutionArn" in asked:
        asked["PipelineExecutionArn"] = listed["execution"]
    if operation == "ListLabelingJobsForWorkteam":
        asked["WorkteamArn"] = team_of(warm_server, NAMES[0], REGION)
    result: str = _PAGINATORS[operation]["result_key"]
    paginator = sagemaker.get_paginator(botocore.xform_name(operation))
    pages = [page[result] for page in paginator.paginate(**asked, PaginationConfig={"PageSize": page_size(operation)})]
    whole = getattr(sagemaker, botocore.xform_name(operation))(**asked, MaxResults=100)
    assert "NextToken" not in whole
    assert [item for page in pages for item in page] == whole[result]
    assert len(whole[result]) >= FEW.get(operation, 3)
    assert len([page for page in pages if page]) >= len(whole[result]) / page_size(operation)


def page_size(operation: str) -> int:
    """One, or what the model says is the least."""
    shape = _SESSION.get_service_model("sagemaker").operation_model(operation).input_shape
    return int(shape.members["MaxResults"].metadata.get("min", 1))


@dataclass(frozen=True)
class Waited:
    """What a waiter waits for: `member` names it, `good` and `bad` make one that ends well, one that does not."""

    member: str
    good: Callable[[Any], str]
    bad: Callable[[Any], str]


def _transform_job(sagemaker: Any, name: str, model: str) -> str:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/validation/"}}
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=model,
        TransformInput={"DataSource": source, "ContentType": "image/jpeg"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/scores"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    return name


def _endpoint(sagemaker: Any, name: str, model: str, delete: bool = False) -> str:
    variant = {"VariantName": "all", "ModelName": model, "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    if delete:
        sagemaker.delete_endpoint(EndpointName=name)
    return name


def _notebook(sagemaker: Any, name: str, stop: bool = False, delete: bool = False, **asked: Any) -> str:
    sagemaker.create_notebook_instance(NotebookInstanceName=name, InstanceType=TYPE, RoleArn=ROLE, **asked)
    for deed, waiter in ((stop, "in_service"), (delete, "stopped")):
        if deed:
            quickly = {"Delay": 1, "MaxAttempts": 60}
            sagemaker.get_waiter(f"notebook_instance_{waiter}").wait(NotebookInstanceName=name, WaiterConfig=quickly)
            move = sagemaker.stop_notebook_instance if waiter == "in_service" else sagemaker.delete_notebook_instance
            move(NotebookInstanceName=name)
    return name


def _training_job(sagemaker: Any, name: str, bucket: str) -> str:
    sagemaker.create_training_job(**training_job(name, bucket))
    return name


def _processing_job(sagemaker: Any, name: str, bucket: str) -> str:
    sagemaker.create_processing_job(**processing_job(name, bucket))
    return name


WAITERS = {
    "TrainingJobCompletedOrStopped": Waited(
        "TrainingJobName",
        lambda sagemaker: _training_job(sagemaker, "wait-well", BUCKET),
        lambda sagemaker: _training_job(sagemaker, "wait-ill", "no-such-bucket"),
    ),
    "ProcessingJobCompletedOrStopped": Waited(
        "ProcessingJobName",
        lambda sagemaker: _processing_job(sagemaker, "wait-well", BUCKET),
        lambda sagemaker: _processing_job(sagemaker, "wait-ill", "no-such-bucket"),
    ),
    "TransformJobCompletedOrStopped": Waited(
        "TransformJobName",
        lambda sagemaker: _transform_job(sagemaker, "wait-well", "waited-for"),
        lambda sagemaker: _transform_job(sagemaker, "wait-ill", "waited-for-in-vain"),
    ),
    "EndpointInService": Waited(
        "EndpointName",
        lambda sagemaker: _endpoint(sagemaker, "wait-well", "waited-for"),
        lambda sagemaker: _endpoint(sagemaker, "wait-ill", "waited-for-in-vain"),
    ),
    "NotebookInstanceInService": Waited(
        "NotebookInstanceName",
        lambda sagemaker: _notebook(sagemaker, "wait-well"),
        lambda sagemaker: _notebook(sagemaker, "wait-ill", DefaultCodeRepository="https://127.0.0.1:1/none.git"),
    ),
    "NotebookInstanceStopped": Waited(
        "NotebookInstanceName",
        lambda sagemaker: _notebook(sagemaker, "wait-stopped", stop=True),
        lambda sagemaker: _notebook(sagemaker, "wait-broken", DefaultCodeRepository="https://127.0.0.1:1/none.git"),
    ),
    "NotebookInstanceDeleted": Waited(
        "NotebookInstanceName",
        lambda sagemaker: _notebook(sagemaker, "wait-gone", stop=True, delete=True),
        lambda sagemaker: _notebook(sagemaker, "wait-kept", DefaultCodeRepository="https://127.0.0.1:1/none.git"),
    ),
    "EndpointDeleted": Waited(
        "EndpointName",
        lambda sagemaker: _endpoint(sagemaker, "wait-gone", "waited-for", delete=True),
        lambda sagemaker: _endpoint(sagemaker, "wait-not-gone", "waited-for-in-vain"),
    ),
}


@pytest.fixture(scope="module")
def sagemaker(warm_server: Server) -> Any:
    """A client where the data, a script, a model that works and one that does not are in place."""
    upload_photos(warm_server, BUCKET)
    s3 = warm_server.client("s3")
    s3.put_object(Bucket=BUCKET, Key="script.py", Body=b"print('done')")
    s3.put_object(Bucket=BUCKET, Key="broken.tar.gz", Body=photo(1))
    client = warm_server.client("sagemaker")
    client.create_training_job(**training_job("waited-for", BUCKET))
    trained = wait(client, "waited-for")
    image = trained["AlgorithmSpecification"]["TrainingImage"]
    for name, artifact in (
        ("waited-for", trained["ModelArtifacts"]["S3ModelArtifacts"]),
        ("waited-for-in-vain", f"s3://{BUCKET}/broken.tar.gz"),
    ):
        container = {"Image": image, "ModelDataUrl": artifact}
        client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    return client


def test_every_built_waiter_is_exercised() -> None:
    names = {name for name in _WAITERS.waiter_names if is_built(_WAITERS.get_waiter(name).operation)}
    assert names == WAITERS.keys()


def _wait(sagemaker: Any, waiter: str, name: str) -> None:
    quickly = {"Delay": 1, "MaxAttempts": 60}
    sagemaker.get_waiter(botocore.xform_name(waiter)).wait(**{WAITERS[waiter].member: name}, WaiterConfig=quickly)


@pytest.mark.parametrize("waiter", WAITERS)
def test_waiter_of_what_ends_well(waiter: str, sagemaker: Any) -> None:
    _wait(sagemaker, waiter, WAITERS[waiter].good(sagemaker))


@pytest.mark.parametrize("waiter", WAITERS)
def test_waiter_of_what_fails(waiter: str, sagemaker: Any) -> None:
    with pytest.raises(WaiterError, match="terminal failure state"):
        _wait(sagemaker, waiter, WAITERS[waiter].bad(sagemaker))


@pytest.mark.parametrize("waiter", WAITERS)
def test_waiter_of_what_is_not_there(waiter: str, sagemaker: Any) -> None:
    """It ends at once: the model says that a ValidationException is success, or failure; one that it leaves out is one anyway."""
    said = [its.state for its in _WAITERS.get_waiter(waiter).acceptors if its.matcher == "error"]
    if said == ["success"]:
        _wait(sagemaker, waiter, "never-was")
    else:
        with pytest.raises(WaiterError, match=r"terminal failure state|Could not find requested job|RecordNotFound"):
            _wait(sagemaker, waiter, "never-was")
