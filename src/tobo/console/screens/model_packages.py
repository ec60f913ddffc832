"""The model registry: groups, the versions in each, who approved them, and one becoming a model."""

from typing import Any

from starlette.responses import Response

from tobo.console.choices import names_of
from tobo.console.lists import Plain, addresses, list_request, plain_list
from tobo.console.navigation import listed_at
from tobo.console.routing import Screen, posted, shown
from tobo.console.serving import change_over, container_of, make_model, model_of_package
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

WORDS = {"PendingManualApproval": "Waits for approval", "Approved": "Approved", "Rejected": "Rejected"}

LIST = Plain(
    "Model registry",
    "group",
    "model-package-group",
    listed_at("model-packages"),
    ("Register a model", "CreateModelPackage", "model-packages/register"),
    ("No models are registered", "A registered model has versions, of which one is approved before it goes anywhere."),
    beside=(("Packages without versions", "packages"),),
)


@shown("/model-packages")
def _list(visit: Visit) -> Response:
    return plain_list(visit, LIST)


@shown("/model-packages/register")
def _form(visit: Visit) -> Response:
    """?training_job= chooses whose model is registered."""
    job = visit.query.get("training_job", "")
    names = names_of(visit, "ListModelPackageGroups", "ModelPackageGroupSummaryList", "ModelPackageGroupName")
    jobs = names_of(visit, "ListTrainingJobs", "TrainingJobSummaries", "TrainingJobName", StatusEquals="Completed")
    return visit.page("model_packages/register.html", job=job, jobs=jobs, groups=names)


@posted("/model-packages/register")
def _register(visit: Visit) -> Response:
    """Two requests: CreateModelPackageGroup where there is none of this name, CreateModelPackage."""
    fields = fields_of(visit.form)
    group, job = fields.get("group", ""), fields.get("training_job", "")
    trained = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=job)
    artefact = trained.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if not artefact:
        raise Fault("ValidationException", f"Training job '{job}' is {trained['TrainingJobStatus']} and has no model.")
    if visit.attempt("sagemaker", "DescribeModelPackageGroup", ModelPackageGroupName=group) is None:
        visit.change("sagemaker", "CreateModelPackageGroup", ModelPackageGroupName=group)
    container = container_of(visit, trained, artefact)
    words: dict[str, Any] = {}
    if fields.get("description"):
        words["ModelPackageDescription"] = fields["description"]
    visit.change(
        "sagemaker",
        "CreateModelPackage",
        ModelPackageGroupName=group,
        **words,
        InferenceSpecification={"Containers": [container]},
        CustomerMetadataProperties=_facts(trained),
    )
    return visit.done(url("model-packages", group), f"A version of {group} waits for approval.")


@shown("/model-packages/{group}")
def _show(visit: Visit) -> Response:
    name = visit.path["group"]
    group = visit.call("sagemaker", "DescribeModelPackageGroup", ModelPackageGroupName=name)
    asked = list_request(visit)
    found = visit.call("sagemaker", "ListModelPackages", ModelPackageGroupName=name, **asked)
    summaries = found["ModelPackageSummaryList"]
    packages = [
        visit.quietly("sagemaker", "DescribeModelPackage", ModelPackageName=one["ModelPackageArn"]) for one in summaries
    ]
    return visit.page(
        "model_packages/show.html",
        name=name,
        group=group,
        packages=packages,
        words=WORDS,
        comparison=_comparison,
        endpoints=names_of(visit, "ListEndpoints", "Endpoints", "EndpointName"),
        next_token=found.get("NextToken"),
        at=addresses(visit, "model-packages", name),
    )


@posted("/model-packages/{group}/{version}/approval")
def _approve(visit: Visit) -> Response:
    name, version = visit.path["group"], visit.path["version"]
    fields = fields_of(visit.form)
    words = {"ApprovalDescription": fields["why"]} if fields.get("why") else {}
    status = fields.get("status", "")
    visit.change("sagemaker", "UpdateModelPackage", ModelPackageArn=_arn(visit), ModelApprovalStatus=status, **words)
    return visit.done(url("model-packages", name), f"Version {version} of {name}: {WORDS.get(status, status).lower()}.")


@posted("/model-packages/{group}/{version}/model")
def _model(visit: Visit) -> Response:
    """An approved version becomes a model, which is deployed, scored or compiled from its page."""
    group, version = visit.path["group"], visit.path["version"]
    name = fields_of(visit.form).get("name") or _model_name(group, version)
    make_model(visit, _arn(visit), name)
    return visit.done(url("models", name), f"Version {version} of {group} is the model {name}; deploy it here.")


@posted("/model-packages/{group}/{version}/deploy")
def _deploy(visit: Visit) -> Response:
    """An approved version takes the place of what an endpoint serves: CreateModel, CreateEndpointConfig, UpdateEndpoint."""
    group, version = visit.path["group"], visit.path["version"]
    endpoint, name = fields_of(visit.form).get("endpoint", ""), _model_name(group, version)
    model_of_package(visit, _arn(visit), name)
    change_over(visit, endpoint, name)
    return visit.done(url("endpoints", endpoint), f"Endpoint {endpoint} changes over to version {version} of {group}.")


@posted("/model-packages/{group}/{version}/delete")
def _delete(visit: Visit) -> Response:
    name, version = visit.path["group"], visit.path["version"]
    visit.change("sagemaker", "DeleteModelPackage", ModelPackageName=_arn(visit))
    return visit.done(url("model-packages", name), f"Version {version} of {name} was deleted; its archive stays in S3.")


@posted("/model-packages/{group}/delete")
def _delete_group(visit: Visit) -> Response:
    name = visit.path["group"]
    visit.change("sagemaker", "DeleteModelPackageGroup", ModelPackageGroupName=name)
    return visit.done(url("model-packages"), f"The group {name} was deleted.")


def _model_name(group: str, version: str) -> str:
    return f"{group[:50]}-v{version}"


def _comparison(package: dict[str, Any]) -> str:
    """The page of the execution that has registered a version beside its comparison; "" for any other version."""
    arn = package.get("CustomerMetadataProperties", {}).get("pipeline execution", "")
    pipeline, _, execution = arn.partition(":pipeline/")[2].partition("/execution/")
    return f"{url('pipelines', pipeline, execution)}#comparison" if execution else ""


def _arn(visit: Visit) -> str:
    """A version's ARN: its group's, with the number behind it."""
    name, version = visit.path["group"], visit.path["version"]
    group = visit.quietly("sagemaker", "DescribeModelPackageGroup", ModelPackageGroupName=name)
    return f"{group['ModelPackageGroupArn'].replace(':model-package-group/', ':model-package/')}/{version}"


def _facts(trained: dict[str, Any]) -> dict[str, str]:
    """Where the model is from and how good it was: what a person wants to see who approves it."""
    metrics = {
        one["MetricName"].replace(":", " "): f"{one['Value']:.4g}" for one in trained.get("FinalMetricDataList", [])
    }
    return {"training job": trained["TrainingJobName"], **dict(sorted(metrics.items())[:20])}


SCREENS: tuple[Screen, ...] = (_list, _form, _register, _show, _approve, _model, _deploy, _delete, _delete_group)
