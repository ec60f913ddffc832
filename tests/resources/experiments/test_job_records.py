"""What jobs leave in experiments and lineage: a component, its artefacts, its trial."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.jobs import IMAGE, QUICK, training_job, upload_photos, wait
from tests.support.processes import until

pytestmark = pytest.mark.xdist_group("training")


def component_of(server: Server, job: str, status: str, kind: str = "training-job") -> dict[str, Any]:
    """The job's component, once it says the status and its lineage is written."""
    sagemaker = server.client("sagemaker")
    found: dict[str, Any] = {}

    def is_there() -> bool:
        try:
            found.update(sagemaker.describe_trial_component(TrialComponentName=f"{job}-aws-{kind}"))
        except sagemaker.exceptions.ResourceNotFound:
            return False
        arn = found["TrialComponentArn"]
        written = sagemaker.list_associations(DestinationArn=arn)["AssociationSummaries"]
        return found["Status"]["PrimaryStatus"] == status and bool(written)

    until(is_there)
    return found


def test_a_training_job_is_recorded(warm_server: Server) -> None:
    server, sagemaker = warm_server, warm_server.client("sagemaker")
    upload_photos(server, "recorded")
    sagemaker.create_experiment(ExperimentName="recorded")
    sagemaker.create_trial(TrialName="recorded-trial", ExperimentName="recorded")
    config = {"ExperimentName": "recorded", "TrialName": "recorded-trial", "TrialComponentDisplayName": "Training"}
    arn = sagemaker.create_training_job(**training_job("recorded", "recorded", ExperimentConfig=config))[
        "TrainingJobArn"
    ]
    job = wait(sagemaker, "recorded")
    assert job["TrainingJobStatus"] == "Completed"
    component = component_of(server, "recorded", "Completed")
    assert component["DisplayName"] == "Training"
    assert component["Source"] == {"SourceArn": arn, "SourceType": "SageMakerTrainingJob"}
    assert component["StartTime"] == job["TrainingStartTime"] and component["EndTime"] == job["TrainingEndTime"]
    assert component["Parameters"]["epochs"] == {"NumberValue": float(QUICK["epochs"])}
    assert component["Parameters"]["image_shape"] == {"StringValue": QUICK["image_shape"]}
    assert component["Parameters"]["SageMaker.InstanceType"] == {"StringValue": "ml.m5.large"}
    assert component["InputArtifacts"]["train"] == {
        "MediaType": "application/x-image",
        "Value": "s3://recorded/train/",
    }
    assert component["InputArtifacts"]["SageMaker.ImageUri"] == {"Value": IMAGE}
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert component["OutputArtifacts"] == {"SageMaker.ModelArtifact": {"Value": model}}
    final = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    told = {metric["MetricName"]: metric for metric in component["Metrics"]}
    assert told.keys() == final.keys()
    accuracy = told["validation:accuracy"]
    assert accuracy["Last"] == final["validation:accuracy"] and accuracy["Count"] == 2
    assert accuracy["Min"] <= accuracy["Avg"] <= accuracy["Max"]

    listed = sagemaker.list_trial_components(TrialName="recorded-trial")["TrialComponentSummaries"]
    assert [one["TrialComponentName"] for one in listed] == ["recorded-aws-training-job"]
    by_source = sagemaker.list_trial_components(SourceArn=arn)["TrialComponentSummaries"]
    assert [one["DisplayName"] for one in by_source] == ["Training"]

    # Lineage: data and image led to the component, the model came of it.
    (produced,) = sagemaker.list_associations(SourceArn=component["TrialComponentArn"])["AssociationSummaries"]
    assert (produced["AssociationType"], produced["SourceType"], produced["DestinationType"]) == (
        "Produced",
        "SageMakerTrainingJob",
        "Model",
    )
    assert sagemaker.describe_artifact(ArtifactArn=produced["DestinationArn"])["Source"]["SourceUri"] == model
    back = sagemaker.query_lineage(
        StartArns=[produced["DestinationArn"]], Direction="Ascendants", Filters={"Types": ["DataSet"]}
    )
    found = [sagemaker.describe_artifact(ArtifactArn=one["Arn"])["Source"]["SourceUri"] for one in back["Vertices"]]
    assert sorted(found) == ["s3://recorded/train/", "s3://recorded/validation/"]

    # The analytics of the SDKs ask these two.
    series = server.client("sagemaker-metrics").batch_get_metrics(
        MetricQueries=[
            {
                "MetricName": "validation:accuracy",
                "ResourceArn": component["TrialComponentArn"],
                "MetricStat": "Last",
                "Period": "IterationNumber",
                "XAxisType": "IterationNumber",
            }
        ]
    )["MetricQueryResults"][0]
    assert series["XAxisValues"] == [0, 1] and series["MetricValues"][-1] == final["validation:accuracy"]
    by_experiment = {"Filters": [{"Name": "Parents.ExperimentName", "Operator": "Equals", "Value": "recorded"}]}
    results = sagemaker.search(
        Resource="ExperimentTrialComponent", SearchExpression=by_experiment, SortBy="metrics.validation:accuracy.max"
    )["Results"]
    assert [one["TrialComponent"]["TrialComponentName"] for one in results] == ["recorded-aws-training-job"]
    assert results[0]["TrialComponent"]["Parents"] == [{"TrialName": "recorded-trial", "ExperimentName": "recorded"}]


def test_a_job_that_fails_is_recorded_with_its_reason(warm_server: Server) -> None:
    sagemaker = warm_server.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="failing")
    asked = training_job("fails-recorded", "no-such-bucket", ExperimentConfig={"ExperimentName": "failing"})
    sagemaker.create_training_job(**asked)
    job = wait(sagemaker, "fails-recorded")
    component = component_of(warm_server, "fails-recorded", "Failed")
    assert component["Status"]["Message"] == job["FailureReason"]
    assert not component.get("OutputArtifacts")
    # Without a TrialName the job gets a trial of its own.
    (trial,) = sagemaker.list_trials(ExperimentName="failing")["TrialSummaries"]
    (member,) = sagemaker.list_trial_components(TrialName=trial["TrialName"])["TrialComponentSummaries"]
    assert member["TrialComponentName"] == component["TrialComponentName"]


@pytest.mark.parametrize(
    "config",
    [{"ExperimentName": "never-made"}, {"TrialName": "never-made"}],
)
def test_an_experiment_that_is_not_there_is_refused_at_once(server: Server, config: dict[str, str]) -> None:
    sagemaker = server.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="'never-made' does not exist"):
        sagemaker.create_training_job(**training_job("unassigned", "nowhere", ExperimentConfig=config))
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="unassigned")


def test_a_deleted_trial_does_not_hurt_the_job(server: Server) -> None:
    """Deleted between the request and the record: the job goes its way, its component belongs to nobody."""
    sagemaker = server.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="short-lived")
    sagemaker.create_trial(TrialName="short-lived", ExperimentName="short-lived")
    sagemaker.create_training_job(**training_job("orphan", "nowhere", ExperimentConfig={"TrialName": "short-lived"}))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:  # the record may have been quicker
        try:
            sagemaker.delete_trial(TrialName="short-lived")
            break
        except ClientError:
            try:
                sagemaker.disassociate_trial_component(
                    TrialName="short-lived", TrialComponentName="orphan-aws-training-job"
                )
            except ClientError:
                continue
    assert wait(sagemaker, "orphan")["TrainingJobStatus"] == "Failed"
    sagemaker.delete_experiment(ExperimentName="short-lived")
