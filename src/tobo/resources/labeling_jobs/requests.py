"""What CreateLabelingJob refuses before anything starts, beyond what the AWS model says."""

import re
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.sources import read_object
from tobo.operations.workers import check_team
from tobo.resources.labeling_jobs.categories import Categories, read_categories
from tobo.resources.labeling_jobs.task_types import TaskType, task_type

_CROWDS = re.compile(r":workteam/(public|vendor)-crowd/")


def check_request(call: Call, asked: Mapping[str, Any]) -> tuple[TaskType, Categories]:
    """The task and its classes; raises Fault in one sentence that names the member."""
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
    if asked.get("LabelingJobAlgorithmsConfig"):
        raise validation(
            "LabelingJobAlgorithmsConfig: labelling by machine is not built yet; leave it out, and people label everything."
        )
    team = asked["HumanTaskConfig"]["WorkteamArn"]
    if _CROWDS.search(team):
        raise validation(
            "HumanTaskConfig.WorkteamArn is a public or vendor team; those work on AWS only. Name a private team, or"
            " import what such a team has labelled: `tobo labels convert` reads its result."
        )
    check_team(call.context, call.space, team, "HumanTaskConfig.WorkteamArn")
    categories = _categories(call, asked)
    if categories.audits == attribute:
        raise validation(
            f"auditLabelAttributeName and LabelAttributeName are both '{attribute}'; what is mended or checked gets a name"
            " of its own."
        )
    return kind, categories


def _categories(call: Call, asked: Mapping[str, Any]) -> Categories:
    given = asked.get("LabelCategoryConfigS3Uri")
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
