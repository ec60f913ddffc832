"""What CreateTrainingJob refuses before anything starts, beyond what the AWS model says."""

from collections.abc import Mapping, Sequence
from typing import Any

from tobo.compute.instances import instance
from tobo.kit.algorithm import Algorithm
from tobo.kit.arn import Namespace
from tobo.kit.fault import validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Context
from tobo.operations.images import Image, find_image
from tobo.operations.made_algorithms import check_hyperparameters, check_job, find_made, with_defaults
from tobo.resources.training_jobs.source import check_source
from tobo.store.base import Row
from tobo.telemetry.scrape import check_definitions

_PLACE = "AlgorithmSpecification"

_IMAGE = "_image"
"""Member of `found`: the image's address where the request names an algorithm instead."""

DEFAULT_MAX_RUNTIME = 86_400
"""Seconds; CreateTrainingJob's documented default."""


def check_request(context: Context, asked: Mapping[str, Any], uri: str) -> Image:
    """The image that the request, of the image at the address `uri`, means; raises Fault ValidationException in one sentence."""
    image = _image(context, uri)
    _check_machine(asked.get("ResourceConfig"))
    channels = asked.get("InputDataConfig", [])
    _check_channels(channels)
    parse_s3_uri(asked["OutputDataConfig"]["S3OutputPath"], "OutputDataConfig.S3OutputPath")
    if checkpoint := asked.get("CheckpointConfig"):
        parse_s3_uri(checkpoint["S3Uri"], "CheckpointConfig.S3Uri")
    if image.algorithm is not None:
        _check_declared(image.algorithm, channels)
        check_hyperparameters(image.algorithm, asked.get("HyperParameters", {}))
    else:
        definitions = asked["AlgorithmSpecification"].get("MetricDefinitions", [])
        check_definitions([(one["Name"], one["Regex"]) for one in definitions])
    if image.framework is not None:
        check_source(asked, uri)
    return image


def image_uri(row: Row) -> str:
    """The address of a job's image."""
    uri: str = row.found.get(_IMAGE) or row.asked["AlgorithmSpecification"]["TrainingImage"]
    return uri


def by_algorithm(
    context: Context, space: Namespace, asked: Mapping[str, Any]
) -> tuple[Mapping[str, Any], str, dict[str, str]]:
    """The request with what the algorithm that it names adds (default hyperparameters, metrics), its image's address, and
    what the row is to keep of it: the algorithm may be deleted while the job runs.

    Raises Fault ValidationException where the algorithm cannot be used, or does not allow what is asked.
    """
    specification = asked.get("AlgorithmSpecification")
    if not specification:
        raise validation("AlgorithmSpecification is missing; name a TrainingImage and a TrainingInputMode.")
    made = find_made(context, space, specification, _PLACE)
    if made is None:
        return asked, specification["TrainingImage"], {}
    check_job(made, asked, specification["TrainingInputMode"])
    hyperparameters = with_defaults(made.declared, asked.get("HyperParameters", {}))
    check_hyperparameters(made.declared, hyperparameters)
    metrics = [{"Name": metric.name, "Regex": metric.regex} for metric in made.declared.metrics]
    if others := [one["Name"] for one in specification.get("MetricDefinitions", []) if one not in metrics]:
        raise validation(
            f"{_PLACE}.MetricDefinitions has '{others[0]}', and the algorithm '{made.name}' says itself what it prints; "
            "leave MetricDefinitions out."
        )
    own = {
        "HyperParameters": hyperparameters,
        "AlgorithmSpecification": {**specification, "MetricDefinitions": metrics},
    }
    return {**asked, **own}, made.image, {_IMAGE: made.image}


def _image(context: Context, uri: str) -> Image:
    image = find_image(context, uri, f"{_PLACE}.TrainingImage")
    if image.train is None:
        raise validation(f"The image '{uri}' at {_PLACE}.TrainingImage is not made for training.")
    return image


def _check_machine(config: Mapping[str, Any] | None) -> None:
    if not config:
        raise validation("ResourceConfig is missing; give InstanceType, InstanceCount and VolumeSizeInGB.")
    if config.get("InstanceGroups"):
        raise validation("ResourceConfig.InstanceGroups is not supported; give InstanceType and InstanceCount 1.")
    if (count := config.get("InstanceCount", 1)) != 1:
        raise validation(f"ResourceConfig.InstanceCount {count} is not supported yet; one machine trains: use 1.")
    if not config.get("InstanceType"):
        raise validation("ResourceConfig.InstanceType is missing; ml.m5.large is a small one.")
    instance(config["InstanceType"])


def _check_channels(channels: Sequence[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for place, channel in enumerate(channels):
        name = channel["ChannelName"]
        if name in seen:
            raise validation(f"The channel '{name}' stands twice in InputDataConfig; channel names are unique.")
        seen.add(name)
        _check_source(channel, f"InputDataConfig[{place}]")


def _check_declared(algorithm: Algorithm, channels: Sequence[Mapping[str, Any]]) -> None:
    """The channels of a built-in algorithm."""
    declared = {channel.name: channel for channel in algorithm.channels}
    for channel in channels:
        name, content_type = channel["ChannelName"], channel.get("ContentType")
        if name not in declared:
            raise validation(f"{algorithm.name} has no channel '{name}'; it has {', '.join(declared)}.")
        if content_type and content_type.split(";")[0] not in declared[name].content_types:
            raise validation(
                f"The channel '{name}' has the ContentType '{content_type}'; {algorithm.name} reads there "
                f"{', '.join(declared[name].content_types)}."
            )
    seen = {channel["ChannelName"] for channel in channels}
    if missing := [c.name for c in algorithm.channels if c.required and c.name not in seen]:
        raise validation(f"ClientError: {algorithm.name} needs the channel '{missing[0]}' in InputDataConfig.")


def _check_source(channel: Mapping[str, Any], place: str) -> None:
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise validation(f"{place}.DataSource must be an S3DataSource; file systems are not supported.")
    parse_s3_uri(source["S3Uri"], f"{place}.DataSource.S3DataSource.S3Uri")
    kind = source["S3DataType"]
    if kind == "Converse":
        raise validation(
            f"{place}: S3DataType Converse is for language models; use S3Prefix, ManifestFile or AugmentedManifestFile."
        )
    if kind == "AugmentedManifestFile" and not source.get("AttributeNames"):
        raise validation(f"{place}: an AugmentedManifestFile needs AttributeNames, such as ['source-ref', 'label'].")
