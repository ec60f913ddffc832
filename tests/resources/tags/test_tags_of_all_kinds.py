"""AddTags, ListTags and DeleteTags on a resource of each kind that can be created."""

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.resources import make_resources

from tobo import resources
from tobo.operations.registry import TABLE
from tobo.wire.models import operation_model

REGION = "sa-east-1"
KINDS = {
    "algorithm", "training-job", "hyper-parameter-tuning-job", "model", "transform-job", "endpoint-config", "endpoint",
    "model-package-group", "model-package", "labeling-job", "pipeline", "notebook-instance-lifecycle-config", "code-repository",
    "experiment", "experiment-trial", "experiment-trial-component", "artifact", "action", "context",
}  # fmt: skip


@pytest.fixture(scope="module")
def arns(server: Server) -> dict[str, str]:
    return make_resources(server, REGION, ("tagged-all",))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_tags(server: Server, arns: dict[str, str], kind: str) -> None:
    sagemaker, arn = server.client("sagemaker", region=REGION), arns[kind]
    team, line = {"Key": "team", "Value": "a"}, {"Key": "line", "Value": "1"}
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []
    sagemaker.add_tags(ResourceArn=arn, Tags=[team, line])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [line, team]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["line"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [team]
    with pytest.raises(ClientError, match="all tags come on one page"):
        sagemaker.list_tags(ResourceArn=arn, NextToken="x")


def test_no_kind_is_left_out() -> None:
    """Every Create operation of SageMaker that takes Tags makes something that this table knows, or names it here."""
    elsewhere = {
        "CreateProcessingJob", "CreateCompilationJob", "CreateDeviceFleet", "CreateEdgePackagingJob",
        "CreateEdgeDeploymentPlan", "CreateWorkforce", "CreateWorkteam", "CreateHumanTaskUi", "CreateFlowDefinition",
        "CreateNotebookInstance",
    }  # fmt: skip
    """Made by no test of this table: its tests have tags of their own."""
    resources.load()
    taking = {
        name
        for service, name in TABLE
        if service == "sagemaker"
        and name.startswith("Create")
        and "Tags" in operation_model("sagemaker", name).input_shape.members
    }
    made = {
        "CreateAlgorithm", "CreateTrainingJob", "CreateHyperParameterTuningJob", "CreateModel", "CreateTransformJob", "CreateEndpointConfig",
        "CreateEndpoint", "CreateExperiment", "CreateTrial", "CreateTrialComponent", "CreateArtifact", "CreateAction",
        "CreateContext", "CreateModelPackageGroup", "CreateModelPackage", "CreateLabelingJob", "CreatePipeline",
        "CreateNotebookInstanceLifecycleConfig", "CreateCodeRepository",
    }  # fmt: skip
    assert made <= taking and taking - made <= elsewhere
