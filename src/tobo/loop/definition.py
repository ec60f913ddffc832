"""The loop's pipeline as a SageMaker pipeline definition, made from the current model's training job."""

import json
from collections.abc import Mapping
from typing import Any

from tobo.kit.guest import UserError

IMAGE = "081325390199.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0"
"""A Python of SageMaker's Processing: here, the server's own."""

COMPARISON = "Comparison"
"""The property file by which the console finds the comparison of an execution."""

OUT = "/opt/ml/processing/out"


def loop_definition(
    job: Mapping[str, Any],
    group: str,
    held_out: str,
    work: str,
    endpoint: Mapping[str, Any] | None = None,
    deploy_if_better: bool = False,
) -> str:
    """JSON for CreatePipeline.

    `job` is DescribeTrainingJob's answer about the current model, whose settings are kept; `group` has the versions of
    the model, `held_out` the pictures of the comparison, `work` is a folder in S3. With an `endpoint` (EndpointName,
    and InstanceType and InitialInstanceCount for its new configuration) the parameter DeployIfBetter, `deploy_if_better`
    by default, lets an execution deploy by itself; without it nothing can. Raises UserError where the job's training
    data is of a form that cannot be added to, or where it names an algorithm instead of an image.
    """
    compared = [_register("Propose", group, "PendingManualApproval")]
    if endpoint is not None:
        better = _equals(_json_get("Compare", COMPARISON, "better"), True)
        told = [_equals(_get("Parameters.DeployIfBetter"), True), better]
        compared = [_condition("DeployIt", told, _deploy(job, group, endpoint), compared)]
    parameters = [
        _parameter("LabelingJob"),
        _parameter("TrainingData", training_data(job)),
        _parameter("HeldOut", held_out),
        _parameter("Group", group),
        _parameter("Work", work.rstrip("/")),
    ]
    if endpoint is not None:
        parameters.append(_parameter("DeployIfBetter", deploy_if_better, "Boolean"))
    steps = [
        {"Name": "Labels", "Type": "LabelingJob", "Arguments": {"LabelingJobName": _get("Parameters.LabelingJob")}},
        _gather(job),
        _train(job),
        *_score("New", {"Image": _image(job), "ModelDataUrl": _artefact()}, job),
        *_score("Current", {"ModelPackageName": _json_get("Gather", "Facts", "current")}, job),
        _compare(job),
        _condition("NotWorse", [_equals(_json_get("Compare", COMPARISON, "not_worse"), True)], compared, []),
    ]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})


def loop_description(job: str) -> str:
    """The pipeline's PipelineDescription."""
    return f"Learns new labels on top of what {job} has learned, and proposes what is not worse."


def training_data(job: Mapping[str, Any]) -> str:
    """Where a training job's `train` channel lies, as the pipeline's TrainingData says it. Raises UserError."""
    found = _channel(job, "train")
    if not found:
        raise UserError(
            f"The training data of '{job['TrainingJobName']}' are neither one folder a class nor a list nor an augmented "
            "manifest; `tobo labels convert` makes a manifest of them."
        )
    return found


def validation_data(job: Mapping[str, Any]) -> str:
    """The same of its `validation` channel, which was not trained on; "" where it has none."""
    return _channel(job, "validation")


def _channel(job: Mapping[str, Any], name: str) -> str:
    """A manifest, a folder with one folder a class, or a folder and its list, a space between; "" for anything else."""
    sources = {
        channel["ChannelName"]: channel.get("DataSource", {}).get("S3DataSource", {})
        for channel in job.get("InputDataConfig", [])
    }
    kind, uri = sources.get(name, {}).get("S3DataType"), str(sources.get(name, {}).get("S3Uri", ""))
    if kind == "AugmentedManifestFile":
        return uri
    folder = uri if uri.endswith("/") else f"{uri}/"
    if kind != "S3Prefix":
        return ""
    listed = sources.get(f"{name}_lst")
    return folder if listed is None else f"{folder} {listed.get('S3Uri', '')}"


def _image(job: Mapping[str, Any]) -> str:
    """What trains and serves it. Raises UserError."""
    uri = job["AlgorithmSpecification"].get("TrainingImage")
    if not uri:
        raise UserError(
            f"The training job {job['TrainingJobName']} names an algorithm; the loop goes on from jobs that name a "
            "TrainingImage, so train it once with the algorithm's image."
        )
    return str(uri)


def first_version(job: Mapping[str, Any], group: str) -> dict[str, Any]:
    """CreateModelPackage's members for the model of a job as the one that is in use. Raises UserError without a model."""
    artefact = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if not artefact:
        raise UserError(f"The training job {job['TrainingJobName']} is {job['TrainingJobStatus']} and has no model.")
    container = {"Image": _image(job), "ModelDataUrl": artefact}
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": f"The model of {job['TrainingJobName']}",
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {"Containers": [container]},
    }


def _get(path: str) -> dict[str, str]:
    return {"Get": path}


def _json_get(step: str, file: str, path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": _get(f"Steps.{step}.PropertyFiles.{file}"), "Path": path}}


def _join(*values: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": "/", "Values": list(values)}}


def _equals(left: Any, right: Any) -> dict[str, Any]:
    return {"Type": "Equals", "LeftValue": left, "RightValue": right}


def _parameter(name: str, default: Any = None, kind: str = "String") -> dict[str, Any]:
    return {"Name": name, "Type": kind} | ({} if default is None else {"DefaultValue": default})


def _condition(name: str, conditions: list[Any], yes: list[Any], no: list[Any]) -> dict[str, Any]:
    return {"Name": name, "Type": "Condition", "Arguments": {"Conditions": conditions, "IfSteps": yes, "ElseSteps": no}}


def _place(folder: str) -> dict[str, Any]:
    """Where an execution puts something: <work>/<execution>/<folder>."""
    return _join(_get("Parameters.Work"), _get("Execution.PipelineExecutionId"), folder)


def _artefact() -> dict[str, str]:
    return _get("Steps.Train.ModelArtifacts.S3ModelArtifacts")


def _processing(
    name: str, job: Mapping[str, Any], module: str, arguments: list[Any], inputs: dict[str, Any], file: str, path: str
) -> dict[str, Any]:
    """A Processing step of one of our programs; what it leaves is its output `out`, with the property file `file`."""
    output = {"S3Uri": _place(name.lower()), "LocalPath": OUT, "S3UploadMode": "EndOfJob"}
    given = [
        {
            "InputName": what,
            "S3Input": {
                "S3Uri": uri,
                "LocalPath": f"/opt/ml/processing/{what}",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
        for what, uri in inputs.items()
    ]
    entrypoint = ["python3", "-m", module]
    arguments = [*arguments, "--message", "/opt/ml/output/message"]
    asked = {
        "RoleArn": job["RoleArn"],
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": entrypoint, "ContainerArguments": arguments},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
    }
    if given:
        asked["ProcessingInputs"] = given
    files = [{"PropertyFileName": file, "OutputName": "out", "FilePath": path}]
    return {"Name": name, "Type": "Processing", "Arguments": asked, "PropertyFiles": files}


def _gather(job: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        "--train": _get("Parameters.TrainingData"),
        "--labels": _get("Steps.Labels.LabelingJobOutput.OutputDatasetS3Uri"),
        "--held-out": _get("Parameters.HeldOut"),
        "--group": _get("Parameters.Group"),
        "--work": _get("Parameters.Work"),
        "--out": OUT,
    }
    arguments = [word for pair in told.items() for word in pair]
    return _processing("Gather", job, "tobo.loop.gather", arguments, {}, "Facts", "facts.json")


def _compare(job: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {
        "data": _join(_place("gather"), ""),
        "current": _join(_get("Steps.ScoreCurrent.TransformOutput.S3OutputPath"), ""),
        "new": _join(_get("Steps.ScoreNew.TransformOutput.S3OutputPath"), ""),
    }
    arguments = ["--base", "/opt/ml/processing"]
    found = _processing("Compare", job, "tobo.loop.compare", arguments, inputs, COMPARISON, "comparison.json")
    return {**found, "DependsOn": ["Gather"]}


def _train(job: Mapping[str, Any]) -> dict[str, Any]:
    """The current job's settings, over the joined data."""
    counted = {
        "num_classes": _json_get("Gather", "Facts", "classes"),
        "num_training_samples": _json_get("Gather", "Facts", "train"),
    }
    kept = (
        "AlgorithmSpecification",
        "RoleArn",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
        "Environment",
    )
    arguments = {member: job[member] for member in kept if job.get(member)}
    image = {name: value for name, value in job["AlgorithmSpecification"].items() if name != "MetricDefinitions"}
    arguments |= {"AlgorithmSpecification": image, "HyperParameters": {**job.get("HyperParameters", {}), **counted}}
    arguments["InputDataConfig"] = [
        {
            "ChannelName": name,
            "ContentType": "application/x-image",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "AugmentedManifestFile",
                    "S3Uri": _join(_place("gather"), f"{name}.manifest"),
                    "AttributeNames": ["source-ref", "label"],
                }
            },
        }
        for name in ("train", "validation")
    ]
    return {"Name": "Train", "Type": "Training", "Arguments": arguments, "DependsOn": ["Gather"]}


def _score(which: str, container: dict[str, Any], job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A model and its batch transform of the held-out set."""
    source = {"S3DataType": "ManifestFile", "S3Uri": _join(_place("gather"), "held-out.json")}
    model = {"ExecutionRoleArn": job["RoleArn"], "PrimaryContainer": container}
    asked = {
        "ModelName": _get(f"Steps.{which}Model.ModelName"),
        "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "application/x-image"},
        "TransformOutput": {"S3OutputPath": _place(f"scores-{which.lower()}"), "Accept": "application/json"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    return [
        {"Name": f"{which}Model", "Type": "Model", "Arguments": model},
        {"Name": f"Score{which}", "Type": "Transform", "Arguments": asked, "DependsOn": ["Gather"]},
    ]


def _register(name: str, group: str, status: str, after: str = "") -> dict[str, Any]:
    """A version with the comparison: as ModelMetrics, and its numbers for whoever approves it."""
    numbers = (
        "pictures",
        "only_new_right",
        "only_current_right",
        "p_value",
        "new.accuracy",
        "current.accuracy",
    )
    properties = {
        number.replace("_", " ").replace(".", " "): {
            "Std:Join": {"On": "", "Values": [_json_get("Compare", COMPARISON, number)]}
        }
        for number in numbers
    }
    quality = {"ContentType": "application/json", "S3Uri": _join(_place("compare"), "comparison.json")}
    arguments = {
        "ModelPackageGroupName": _get("Parameters.Group"),
        "ModelPackageDescription": {
            "Std:Join": {
                "On": "",
                "Values": [
                    "With the labels of ",
                    _get("Parameters.LabelingJob"),
                    ". ",
                    _json_get("Compare", COMPARISON, "verdict"),
                ],
            }
        },
        "ModelApprovalStatus": status,
        "InferenceSpecification": {
            "Containers": [{"Image": _get("Steps.NewModel.PrimaryContainer.Image"), "ModelDataUrl": _artefact()}]
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": quality}},
        "CustomerMetadataProperties": {
            **properties,
            "held-out set": _json_get("Gather", "Facts", "held_out_set"),
            "compared with": _json_get("Gather", "Facts", "current"),
            "pipeline execution": _get("Execution.PipelineExecutionArn"),
        },
    }
    found = {"Name": name, "Type": "RegisterModel", "Arguments": arguments}
    return {**found, "DependsOn": [after]} if after else found


def _deploy(job: Mapping[str, Any], group: str, endpoint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The endpoint gets the new model; once it serves, the version is registered as approved."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": _get("Steps.NewModel.ModelName"),
        "InstanceType": endpoint.get("InstanceType", "ml.m5.large"),
        "InitialInstanceCount": endpoint.get("InitialInstanceCount", 1),
    }
    asked = {"EndpointName": endpoint["EndpointName"], "EndpointConfigName": _get("Steps.NewConfig.EndpointConfigName")}
    return [
        {"Name": "NewConfig", "Type": "EndpointConfig", "Arguments": {"ProductionVariants": [variant]}},
        {"Name": "Deploy", "Type": "Endpoint", "Arguments": asked},
        _register("RegisterDeployed", group, "Approved", "Deploy"),
    ]
