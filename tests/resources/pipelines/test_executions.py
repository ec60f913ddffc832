"""Executions of pipelines through boto3 against the real server: what runs, in which order, and what stops it."""

from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support import labelling
from tests.support.handlers import archive
from tests.support.jobs import IMAGE, ROLE, training_job, upload_photos
from tests.support.pipelines import (
    await_end,
    await_step,
    create,
    definition,
    get,
    json_get,
    script_step,
    start,
    step,
    steps_of,
    told,
)
from tests.support.tuning import tuning_job
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("training")
BUCKET = "pipeline-photos"
ENDLESS = "import time; time.sleep(1000)"


@pytest.fixture
def sagemaker(warm_server: Server) -> Any:
    if BUCKET not in {bucket["Name"] for bucket in warm_server.client("s3").list_buckets()["Buckets"]}:
        upload_photos(warm_server, BUCKET)
        for name, body in (("echo", archive(**{"labels.json": "[]"})), ("broken", b"no archive")):
            warm_server.client("s3").put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=body)
    return warm_server.client("sagemaker")


def fail(name: str, message: Any, **more: Any) -> dict[str, Any]:
    return step(name, "Fail", {"ErrorMessage": message}, **more)


def condition(name: str, test: dict[str, Any], yes: list[Any], no: list[Any], **more: Any) -> dict[str, Any]:
    return step(name, "Condition", {"Conditions": [test], "IfSteps": yes, "ElseSteps": no}, **more)


def test_trained_judged_and_registered(sagemaker: Any) -> None:
    """The slice that everybody wants: train, look at the metric, register what is good enough, and make a model of it."""
    group = unique("group")
    training = training_job("", BUCKET)
    del training["TrainingJobName"]
    training["HyperParameters"] = {**training["HyperParameters"], "epochs": get("Parameters.Epochs")}
    container = {"Image": IMAGE, "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}
    register = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {"Containers": [container]},
        "CustomerMetadataProperties": {
            "by": {"Std:Join": {"On": "/", "Values": [get("Execution.PipelineName"), get("Parameters.Epochs")]}}
        },
    }
    package = {"PrimaryContainer": container, "ExecutionRoleArn": ROLE}
    accuracy = get("Steps.Train.FinalMetricDataList['validation:accuracy'].Value")
    text = definition(
        step("Train", "Training", training),
        condition(
            "GoodEnough",
            {"Type": "GreaterThanOrEqualTo", "LeftValue": accuracy, "RightValue": get("Parameters.Least")},
            [step("Register", "RegisterModel", register), step("Model", "Model", package)],
            [fail("TooBad", {"Std:Join": {"On": " ", "Values": ["accuracy", accuracy]}})],
        ),
        parameters={"Epochs": ("Integer", 2), "Least": ("Float", 0.5)},
        PipelineExperimentConfig={
            "ExperimentName": get("Execution.PipelineName"),
            "TrialName": get("Execution.PipelineExecutionId"),
        },
    )
    name = create(sagemaker, text)
    arn = start(sagemaker, name)
    ended = await_end(sagemaker, arn)
    steps = steps_of(sagemaker, arn)
    assert ended["PipelineExecutionStatus"] == "Succeeded", ended
    assert list(steps) == ["Train", "GoodEnough", "Register", "Model"]
    assert {one["StepStatus"] for one in steps.values()} == {"Succeeded"}
    assert steps["GoodEnough"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    job = sagemaker.describe_training_job(
        TrainingJobName=steps["Train"]["Metadata"]["TrainingJob"]["Arn"].split("/")[-1]
    )
    assert job["HyperParameters"]["epochs"] == "2"
    assert job["TrainingJobName"].startswith(f"pipelines-{arn.split('/')[-1]}-train-")
    version = sagemaker.describe_model_package(ModelPackageName=steps["Register"]["Metadata"]["RegisterModel"]["Arn"])
    assert version["ModelApprovalStatus"] == "PendingManualApproval"
    assert version["CustomerMetadataProperties"] == {"by": f"{name}/2"}
    assert (
        version["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == job["ModelArtifacts"]["S3ModelArtifacts"]
    )
    assert sagemaker.list_trials(ExperimentName=name)["TrialSummaries"][0]["TrialName"] == arn.split("/")[-1]
    assert ended["PipelineExperimentConfig"] == {"ExperimentName": name, "TrialName": arn.split("/")[-1]}
    # the other branch, by a parameter
    arn = start(sagemaker, name, Least="1.1", Epochs="1")
    ended = await_end(sagemaker, arn)
    assert ended["PipelineExecutionStatus"] == "Failed"
    assert "'TooBad' failed: accuracy " in ended["FailureReason"]
    assert list(steps_of(sagemaker, arn)) == ["Train", "GoodEnough", "TooBad"]


def test_values_of_property_files_decide(sagemaker: Any) -> None:
    """JsonGet reads what a Processing step has left; Not, Or, In and DependsOn."""
    weigh = script_step("Weigh", BUCKET, told({"scores": [{"value": 0.25}], "word": "ok"}))
    tests = {
        "Type": "Or",
        "Conditions": [
            {
                "Type": "Not",
                "Expression": {"Type": "In", "QueryValue": json_get("Weigh", "word"), "Values": ["ok", "ko"]},
            },
            {"Type": "LessThan", "LeftValue": json_get("Weigh", "scores[0].value"), "RightValue": 0.5},
        ],
    }
    text = definition(
        condition("Light", tests, [], [fail("Heavy", "heavy")]),
        weigh,
        script_step(
            "Last", BUCKET, "print(1)", DependsOn=["Light"], DisplayName="The last one", Description="It is late."
        ),
    )
    arn = start(sagemaker, create(sagemaker, text))
    assert await_end(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    steps = steps_of(sagemaker, arn)
    assert list(steps) == ["Weigh", "Light", "Last"]
    assert (steps["Last"]["StepDisplayName"], steps["Last"]["StepDescription"]) == ("The last one", "It is late.")
    assert steps["Weigh"]["EndTime"] <= steps["Light"]["StartTime"]


def test_a_value_that_is_not_there_fails_its_step(sagemaker: Any) -> None:
    test = {"Type": "Equals", "LeftValue": json_get("Weigh", "nothing"), "RightValue": 1}
    text = definition(script_step("Weigh", BUCKET, told({"word": "ok"})), condition("Light", test, [], []))
    arn = start(sagemaker, create(sagemaker, text))
    ended = await_end(sagemaker, arn)
    assert ended["PipelineExecutionStatus"] == "Failed"
    assert "there is no 'nothing'" in steps_of(sagemaker, arn)["Light"]["FailureReason"]


def test_a_failed_step_ends_the_execution_and_is_retried_alone(warm_server: Server, sagemaker: Any) -> None:
    """What succeeded stays; what failed begins anew under another name."""
    bucket = unique("retried")
    warm_server.client("s3").create_bucket(Bucket=bucket)
    fetch = step("Fetch", "Processing", script_step("Fetch", BUCKET, "print(1)")["Arguments"], DependsOn=["First"])
    fetch["Arguments"]["ProcessingInputs"] = [
        {
            "InputName": "in",
            "S3Input": {
                "S3Uri": f"s3://{bucket}/in/",
                "LocalPath": "/opt/ml/processing/in",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
    ]
    after = script_step("After", BUCKET, "print(1)", DependsOn=["Fetch"])
    name = create(sagemaker, definition(script_step("First", BUCKET, "print(1)"), fetch, after))
    arn = start(sagemaker, name)
    ended = await_end(sagemaker, arn)
    assert ended["PipelineExecutionStatus"] == "Failed" and "there is no object" in ended["FailureReason"]
    before = steps_of(sagemaker, arn)
    assert {one: found["StepStatus"] for one, found in before.items()} == {"First": "Succeeded", "Fetch": "Failed"}
    warm_server.client("s3").put_object(Bucket=bucket, Key="in/a", Body=b"a")
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    ended = await_end(sagemaker, arn)
    assert ended["PipelineExecutionStatus"] == "Succeeded" and "FailureReason" not in ended
    steps = steps_of(sagemaker, arn)
    assert steps["First"] == before["First"]
    assert (steps["Fetch"]["AttemptCount"], steps["After"]["AttemptCount"]) == (2, 1)
    assert steps["Fetch"]["Metadata"] != before["Fetch"]["Metadata"]
    with pytest.raises(ClientError, match="only one that has failed or was stopped is retried"):
        sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)


def test_stopped_with_its_jobs(sagemaker: Any) -> None:
    text = definition(
        script_step("Long", BUCKET, ENDLESS), script_step("After", BUCKET, "print(1)", DependsOn=["Long"])
    )
    name = create(sagemaker, text)
    arn = start(sagemaker, name)
    found = await_step(sagemaker, arn, "Long")
    with pytest.raises(ClientError, match="stop it first"):
        sagemaker.delete_pipeline(PipelineName=name)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert await_end(sagemaker, arn)["PipelineExecutionStatus"] == "Stopped"
    assert {one: found["StepStatus"] for one, found in steps_of(sagemaker, arn).items()} == {"Long": "Stopped"}
    job = found["Metadata"]["ProcessingJob"]["Arn"].split("/")[-1]
    assert sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="is Stopped and cannot be stopped"):
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    sagemaker.delete_pipeline(PipelineName=name)
    with pytest.raises(ClientError, match="There is no pipeline execution"):
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)


def test_as_many_at_a_time_as_allowed(sagemaker: Any) -> None:
    steps = [script_step(f"S{number}", BUCKET, "print(1)") for number in range(3)]
    name = create(sagemaker, definition(*steps), ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    arn = start(sagemaker, name)
    assert await_end(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    found = list(steps_of(sagemaker, arn).values())
    assert all(first["EndTime"] <= second["StartTime"] for first, second in pairwise(found))


def test_callbacks(sagemaker: Any) -> None:
    """The token stands in the step; the answer's output parameters are read by the next step."""
    ask = step("Ask", "Callback", {"question": "?"}, SqsQueueUrl="https://sqs.us-east-1.amazonaws.com/1/q")
    text = definition(ask, fail("Say", get("Steps.Ask.OutputParameters['word']")))
    name = create(sagemaker, text)
    arn = start(sagemaker, name)
    token = await_step(sagemaker, arn, "Ask")["Metadata"]["Callback"]["CallbackToken"]
    answer = [{"Name": "word", "Value": "swordfish"}]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=token, OutputParameters=answer)
    assert "'Say' failed: swordfish" in await_end(sagemaker, arn)["FailureReason"]
    with pytest.raises(ClientError, match="No step waits"):
        sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    arn = start(sagemaker, name)
    token = await_step(sagemaker, arn, "Ask")["Metadata"]["Callback"]["CallbackToken"]
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=token, FailureReason="nobody is here")
    assert "nobody is here" in await_end(sagemaker, arn)["FailureReason"]


def test_a_labelling_job_is_awaited(warm_server: Server, sagemaker: Any) -> None:
    """Stopped early it counts with the labels given until then; failed it fails the step; a stop leaves it alone."""
    wait = step("Labels", "LabelingJob", {"LabelingJobName": get("Parameters.Job")})
    output = get("Steps.Labels.LabelingJobOutput.OutputDatasetS3Uri")
    name = create(sagemaker, definition(wait, fail("Say", output), parameters={"Job": ("String", None)}))
    bucket = labelling.bucket_of(warm_server, 3)
    request = labelling.labeling_job(warm_server, bucket)
    job = str(request["LabelingJobName"])
    people, labels = labelling.labeler(warm_server), labelling.create(warm_server, request)
    left, arn = start(sagemaker, name, Job=job), start(sagemaker, name, Job=job)
    await_step(sagemaker, left, "Labels")
    assert await_step(sagemaker, arn, "Labels")["Metadata"] == {"Job": {"Arn": labels}}
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=left)
    assert await_end(sagemaker, left)["PipelineExecutionStatus"] == "Stopped"
    assert sagemaker.describe_labeling_job(LabelingJobName=job)["LabelingJobStatus"] == "InProgress"
    labelling.say(people, labels, labelling.claim(people, labels)[0], {"label": "ok"})
    sagemaker.stop_labeling_job(LabelingJobName=job)
    assert f"'Say' failed: s3://{bucket}/out/{job}/manifests/output/" in await_end(sagemaker, arn)["FailureReason"]
    broken = labelling.labeling_job(warm_server, bucket, source=f"s3://{bucket}/nothing/")
    sagemaker.create_labeling_job(**broken)
    arn = start(sagemaker, name, Job=str(broken["LabelingJobName"]))
    assert "'Labels' failed: " in await_end(sagemaker, arn)["FailureReason"]
    arn = start(sagemaker, name, Job="no-such-job")
    assert "no-such-job" in await_end(sagemaker, arn)["FailureReason"]


def test_an_endpoint_is_made_and_then_updated(sagemaker: Any) -> None:
    """The same step creates what is not there and updates what is; a configuration that cannot serve fails it."""
    endpoint = unique("served")
    container = {"Image": "tobo-echo", "ModelDataUrl": get("Parameters.Model")}
    variant = {"VariantName": "all", "ModelName": get("Steps.Make.ModelName"), "InstanceType": "ml.t2.medium"}
    config = {"ProductionVariants": [{**variant, "InitialInstanceCount": 1}]}
    deploy = {"EndpointName": endpoint, "EndpointConfigName": get("Steps.Config.EndpointConfigName")}
    text = definition(
        step("Make", "Model", {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}),
        step("Config", "EndpointConfig", config),
        step("Deploy", "Endpoint", deploy),
        parameters={"Model": ("String", f"s3://{BUCKET}/echo.tar.gz")},
    )
    name = create(sagemaker, text)
    for _ in range(2):
        arn = start(sagemaker, name)
        ended = await_end(sagemaker, arn)
        assert ended["PipelineExecutionStatus"] == "Succeeded", ended
        used = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        assert steps_of(sagemaker, arn)["Config"]["Metadata"]["EndpointConfig"]["Arn"].endswith(f"/{used}")
    arn = start(sagemaker, name, Model=f"s3://{BUCKET}/broken.tar.gz")
    ended = await_end(sagemaker, arn)
    assert ended["PipelineExecutionStatus"] == "Failed" and "'Deploy' failed" in ended["FailureReason"]
    assert sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"] == used
    sagemaker.delete_endpoint(EndpointName=endpoint)


def test_a_search_gives_its_best(sagemaker: Any) -> None:
    asked = tuning_job("", BUCKET, 2, 2)
    del asked["HyperParameterTuningJobName"]
    best = get("Steps.A_search_with_a_long_name.BestTrainingJob.TrainingJobName")
    name = create(sagemaker, definition(step("A_search_with_a_long_name", "Tuning", asked), fail("Say", best)))
    arn = start(sagemaker, name)
    ended = await_end(sagemaker, arn)
    job = steps_of(sagemaker, arn)["A_search_with_a_long_name"]["Metadata"]["TuningJob"]["Arn"].split("/")[-1]
    told = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job)
    assert ended["FailureReason"].endswith(f"'Say' failed: {told['BestTrainingJob']['TrainingJobName']}")
