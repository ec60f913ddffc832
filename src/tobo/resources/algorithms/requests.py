"""What CreateAlgorithm refuses beyond what the AWS model says."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tobo.kit.algorithm import Hyperparameter
from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.images import find_image
from tobo.operations.inference_specifications import check_specification, check_transform
from tobo.operations.made_algorithms import (
    MadeAlgorithm,
    check_hyperparameters,
    check_job,
    declared_of,
    metrics_of,
    with_defaults,
)
from tobo.telemetry.scrape import check_definitions

_PLACE = "TrainingSpecification"


def check_request(call: Call, asked: Mapping[str, Any]) -> None:
    """Raises Fault ValidationException that names the member."""
    if asked.get("CertifyForMarketplace"):
        raise validation("CertifyForMarketplace is AWS's own marketplace, which is not here; leave it out.")
    training = asked["TrainingSpecification"]
    _check_training(call, training)
    _check_hyperparameters(training.get("SupportedHyperParameters", []))
    check_definitions([(one["Name"], one["Regex"]) for one in training.get("MetricDefinitions", [])])
    printed = [metric.name for metric in metrics_of(training)]
    for objective in training.get("SupportedTuningJobObjectiveMetrics", []):
        if objective["MetricName"] not in printed:
            raise validation(
                f"{_PLACE}.SupportedTuningJobObjectiveMetrics names '{objective['MetricName']}', which is none of the "
                f"metrics that are printed ({', '.join(printed) or 'none'}); add its regex to MetricDefinitions."
            )
    if specification := asked.get("InferenceSpecification"):
        check_specification(call, specification, "InferenceSpecification")
    if asked.get("ValidationSpecification"):
        _check_profile(asked)


def _check_training(call: Call, training: Mapping[str, Any]) -> None:
    uri, place = training["TrainingImage"], f"{_PLACE}.TrainingImage"
    image = find_image(call.context, uri, place)
    if image.train is None:
        raise validation(f"The image '{uri}' at {place} is not made for training.")
    if training.get("AdditionalS3DataSource"):
        raise validation(
            f"{_PLACE}.AdditionalS3DataSource is not supported; bring the data in a channel, or in the image."
        )
    if not training["SupportedTrainingInstanceTypes"]:
        raise validation(f"{_PLACE}.SupportedTrainingInstanceTypes is empty; name at least one, such as ml.m5.large.")
    _check_unique([one["Name"] for one in training["TrainingChannels"]], f"{_PLACE}.TrainingChannels")
    if image.algorithm is None:
        return
    known = [h.name for h in image.algorithm.hyperparameters]
    for one in training.get("SupportedHyperParameters", []):
        if one["Name"] not in known:
            raise validation(
                f"{_PLACE}.SupportedHyperParameters has '{one['Name']}', which the image '{uri}' does not know; it knows "
                f"{', '.join(known)}."
            )


def _check_hyperparameters(asked: Sequence[Mapping[str, Any]]) -> None:
    place = f"{_PLACE}.SupportedHyperParameters"
    _check_unique([one["Name"] for one in asked], place)
    for one in asked:
        what = f"'{one['Name']}' of {place}"
        _check_range(one, what)
        if one.get("IsRequired") and "DefaultValue" in one:
            raise validation(f"{what} is required and has a DefaultValue; keep one of the two.")
        _check_default(declared_of(one), what)


def _check_range(asked: Mapping[str, Any], what: str) -> None:
    member = f"{asked['Type']}ParameterRangeSpecification"
    given = asked.get("Range", {})
    if wrong := [name for name in given if name != member]:
        mend = f"use {member}" if asked["Type"] != "FreeText" else "leave its Range out"
        raise validation(f"{what} is {asked['Type']} and has a Range.{wrong[0]}; {mend}.")
    if "MinValue" not in given.get(member, {}):
        return
    ends = []
    for end in ("MinValue", "MaxValue"):
        text = given[member][end]
        try:
            number = float(int(text)) if asked["Type"] == "Integer" else float(text)
        except (ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise validation(
                f"The {end} '{text}' of {what} is no {'whole ' if asked['Type'] == 'Integer' else ''}number."
            )
        ends.append(number)
    if ends[0] > ends[1]:
        raise validation(
            f"The MinValue {given[member]['MinValue']} of {what} is above its MaxValue {given[member]['MaxValue']}; swap them."
        )


def _check_default(declared: Hyperparameter, what: str) -> None:
    if declared.default is not None and (problem := declared.problem(declared.default)):
        raise validation(f"The DefaultValue '{declared.default}' of {what} {problem}.")


def _check_profile(asked: Mapping[str, Any]) -> None:
    """What the profile's jobs would be refused for is refused at once."""
    [profile] = asked["ValidationSpecification"]["ValidationProfiles"]
    made = MadeAlgorithm(asked["AlgorithmName"], asked["TrainingSpecification"])
    definition, place = profile["TrainingJobDefinition"], f"The profile '{profile['ProfileName']}': "
    check_job(made, definition, definition["TrainingInputMode"], place)
    check_hyperparameters(made.declared, with_defaults(made.declared, definition.get("HyperParameters", {})))
    if "TransformJobDefinition" not in profile:
        return
    specification = asked.get("InferenceSpecification")
    if not specification:
        raise validation(f"{place}its TransformJobDefinition needs something that serves; give InferenceSpecification.")
    check_transform(specification, profile["TransformJobDefinition"], place)


def _check_unique(names: Sequence[str], place: str) -> None:
    if twice := [name for name in names if names.count(name) > 1]:
        raise validation(f"'{twice[0]}' stands twice in {place}; names are unique.")
