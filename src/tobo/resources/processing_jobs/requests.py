"""What CreateProcessingJob refuses before anything starts, beyond what the AWS model says."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from tobo.compute.instances import instance
from tobo.kit.fault import validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Context
from tobo.operations.images import Image, find_image

DEFAULT_MAX_RUNTIME = 86_400
"""Seconds; ProcessingStoppingCondition's documented default."""

ROOT = PurePosixPath("/opt/ml/processing")
"""Below it is every LocalPath (API reference, ProcessingS3Input and ProcessingS3Output)."""


def check_request(context: Context, asked: Mapping[str, Any]) -> None:
    """Raises Fault ValidationException in one sentence."""
    program(context, asked)
    _check_cluster(asked["ProcessingResources"]["ClusterConfig"])
    for place, given in enumerate(asked.get("ProcessingInputs", [])):
        _check_input(given, f"ProcessingInputs[{place}]")
    for place, given in enumerate(asked.get("ProcessingOutputConfig", {}).get("Outputs", [])):
        _check_output(given, f"ProcessingOutputConfig.Outputs[{place}]")
    for kind, names in (
        ("input", [given["InputName"] for given in asked.get("ProcessingInputs", [])]),
        ("output", [given["OutputName"] for given in asked.get("ProcessingOutputConfig", {}).get("Outputs", [])]),
    ):
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise validation(f"The {kind} '{twice}' stands twice in the request; names are unique.")


def program(context: Context, asked: Mapping[str, Any]) -> tuple[Image, tuple[str, ...]]:
    """The job's image and its command line; raises Fault where there is none."""
    application = asked["AppSpecification"]
    image = find_image(context, application["ImageUri"], "AppSpecification.ImageUri")
    if image.algorithm is not None:
        raise validation(
            f"The image '{application['ImageUri']}' at AppSpecification.ImageUri is that of the algorithm "
            f"{image.name}; a processing job takes a framework's, such as sagemaker-scikit-learn, and a program."
        )
    entrypoint = application.get("ContainerEntrypoint") or (image.binding.program if image.binding else ())
    if not entrypoint:
        raise validation(
            "AppSpecification.ContainerEntrypoint is missing, and the image has no program of its own; give one, such "
            "as ['python3', '/opt/ml/processing/input/code/script.py']."
        )
    return image, (*entrypoint, *application.get("ContainerArguments", ()))


def _check_cluster(cluster: Mapping[str, Any]) -> None:
    place = "ProcessingResources.ClusterConfig"
    if cluster.get("InstancePreferences"):
        raise validation(f"{place}.InstancePreferences is not supported; give InstanceType and InstanceCount 1.")
    if (count := cluster.get("InstanceCount", 1)) != 1:
        raise validation(f"{place}.InstanceCount {count} is not supported; one machine processes: use 1.")
    if not cluster.get("InstanceType"):
        raise validation(f"{place}.InstanceType is missing; ml.t3.medium is a small one.")
    instance(cluster["InstanceType"])


def _check_input(given: Mapping[str, Any], place: str) -> None:
    source = given.get("S3Input")
    if source is None:
        raise validation(f"{place} has no S3Input; a DatasetDefinition is not supported.")
    parse_s3_uri(source["S3Uri"], f"{place}.S3Input.S3Uri")
    if source.get("S3InputMode") == "Pipe":
        raise validation(f"{place}.S3Input.S3InputMode Pipe is not supported; use File.")
    if not given.get("AppManaged"):
        check_local_path(source.get("LocalPath"), f"{place}.S3Input.LocalPath")


def _check_output(given: Mapping[str, Any], place: str) -> None:
    target = given.get("S3Output")
    if target is None:
        raise validation(f"{place} has no S3Output; a FeatureStoreOutput is not supported.")
    parse_s3_uri(target["S3Uri"], f"{place}.S3Output.S3Uri")
    if not given.get("AppManaged"):
        check_local_path(target.get("LocalPath"), f"{place}.S3Output.LocalPath")


def check_local_path(path: str | None, place: str) -> None:
    """Raises Fault where it is not a path strictly below /opt/ml/processing."""
    if not path or ".." in path.split("/") or ROOT not in PurePosixPath(path).parents:
        raise validation(f"{place} is '{path or ''}'; give an absolute path below {ROOT}, such as {ROOT}/input.")
