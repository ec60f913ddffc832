"""What CreateLabelingJob refuses before anything starts, beyond what the AWS model says."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.artifacts import container_of
from tobo.operations.context import Call
from tobo.operations.images import find_image
from tobo.operations.sources import read_object
from tobo.operations.workers import check_team
from tobo.resources.labeling_jobs.categories import Categories, read_categories
from tobo.resources.labeling_jobs.task_types import TaskType, task_type
from tobo.resources.labeling_jobs.templates import Template, read_template

LEARNED = "image-classification"
"""The algorithm that labels by machine."""

_ALGORITHM = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:labeling-job-algorithm-specification/([a-z-]+)")
_CROWDS = re.compile(r":workteam/(public|vendor)-crowd/")


def check_request(call: Call, asked: Mapping[str, Any]) -> tuple[TaskType, Categories, Template | None]:
    """The task, its classes, and its template where it has one of its own; raises Fault in one sentence that names the member."""
    kind = task_type(asked)
    source = asked["InputConfig"]["DataSource"]
    if "S3DataSource" not in source:
        raise validation(
            "InputConfig.DataSource.SnsDataSource is for streaming jobs, which tobo has not; give S3DataSource.ManifestS3Uri."
        )
    parse_s3_uri(source["S3DataSource"]["ManifestS3Uri"], "InputConfig.DataSource.S3DataSource.ManifestS3Uri")
    parse_s3_uri(asked["OutputConfig"]["S3OutputPath"], "OutputConfig.S3OutputPath")
    attribute = asked["LabelAttributeName"]
    if attribute in ("source", "source-ref") or attribute.endswith("-metadata"):
        raise validation(f"LabelAttributeName is '{attribute}', which manifests use themselves; choose another.")
    if kind.shape == "mask" and not attribute.endswith("-ref"):
        raise validation(
            f"LabelAttributeName is '{attribute}'; that of a segmentation ends with -ref, e.g. '{attribute}-ref'."
        )
    if kind.shape != "mask" and attribute.endswith("-ref"):
        raise validation(
            f"LabelAttributeName '{attribute}' ends with -ref, which is for segmentations only; leave it off."
        )
    team = asked["HumanTaskConfig"]["WorkteamArn"]
    if _CROWDS.search(team):
        raise validation(
            "HumanTaskConfig.WorkteamArn is a public or vendor team; those work on AWS only. Name a private team, or"
            " import what such a team has labelled: `tobo labels convert` reads its result."
        )
    check_team(call.context, call.space, team, "HumanTaskConfig.WorkteamArn")
    categories = _categories(call, asked, kind)
    if categories.audits == attribute:
        raise validation(
            f"auditLabelAttributeName and LabelAttributeName are both '{attribute}'; what is mended or checked gets a name"
            " of its own."
        )
    if "LabelingJobAlgorithmsConfig" in asked:
        _check_algorithm(asked["LabelingJobAlgorithmsConfig"], kind, categories)
    return kind, categories, read_template(call, asked, kind)


def _check_algorithm(config: Mapping[str, Any], kind: TaskType, categories: Categories) -> None:
    """A machine labels pictures of one class each. Source of the ARN: API reference, LabelingJobAlgorithmsConfig."""
    member = "LabelingJobAlgorithmsConfig"
    arn = config["LabelingJobAlgorithmSpecificationArn"]
    found = _ALGORITHM.fullmatch(arn)
    if found is None:
        raise validation(
            f"{member}.LabelingJobAlgorithmSpecificationArn '{arn}' names no algorithm; give"
            " arn:aws:sagemaker:<region>:027400017018:labeling-job-algorithm-specification/image-classification."
        )
    if found[1] != LEARNED or kind.name != "ImageMultiClass":
        raise validation(
            f"{member}: a machine labels pictures of one class each (algorithm {LEARNED}, task type ImageMultiClass), not"
            f" {kind.name} by '{found[1]}'. For boxes, outlines, masks and texts tobo has no network whose sureness could be"
            " tested on people's labels; leave the member out, and people label everything."
        )
    if len(categories.labels) < 2:
        raise validation(
            f"{member}: with the one class '{categories.labels[0]}' there is nothing to learn; leave it out."
        )
    if find_spec("torch") is None:
        raise validation(
            f"{member} needs torch, which is not installed on this machine: pip install 'tobo[train]' in the server's"
            " environment, or leave the member out."
        )


def initial_model(call: Call, arn: str) -> str:
    """The archive of the model whose network is to compute the features; raises Fault where it is none of ours."""
    place = "LabelingJobAlgorithmsConfig.InitialActiveLearningModelArn"
    try:
        found = call.call("sagemaker", "DescribeModel", ModelName=arn.rsplit("/", 1)[-1])
    except Fault as fault:
        raise validation(f"{place}: {fault.message}") from None
    container = container_of(found)
    algorithm = find_image(call.context, container["Image"], place).algorithm
    archive: str = container["ModelData"]
    if (
        found["ModelArn"] != arn
        or algorithm is None
        or algorithm.name != LEARNED
        or not archive
        or not container["Archived"]
        or container["MultiModel"]
    ):
        raise validation(
            f"{place} '{arn}' is no model of this account with one model.tar.gz of the algorithm {LEARNED}; name one that a"
            " training job or an earlier labelling job has left, or leave it out for the network that tobo brings."
        )
    return archive


def _categories(call: Call, asked: Mapping[str, Any], kind: TaskType) -> Categories:
    given = asked.get("LabelCategoryConfigS3Uri")
    if given is None and kind.shape == "fields":
        return Categories(())
    if given is None:
        raise validation(
            'LabelCategoryConfigS3Uri is missing; it names a file like {"labels": [{"label": "ok"}, {"label": "ko"}]}.'
        )
    uri = parse_s3_uri(given, "LabelCategoryConfigS3Uri")
    try:
        return read_categories(read_object(call.context.objects, call.space, uri), str(uri))
    except Fault as fault:
        if fault.code in ("NoSuchKey", "NoSuchBucket"):
            raise validation(f"LabelCategoryConfigS3Uri: {fault.message}") from None
        raise


def manifest_uri(asked: Mapping[str, Any]) -> S3Uri:
    return parse_s3_uri(asked["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"], "ManifestS3Uri")
