"""Algorithms that people make (CreateAlgorithm): what a job that names one takes from it, and what it lets a job ask.

Source: API reference, TrainingSpecification and the shapes below it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tobo.algorithms import find_algorithm
from tobo.kit.algorithm import Algorithm, Hyperparameter, Metric
from tobo.kit.arn import Namespace
from tobo.kit.fault import validation
from tobo.operations.context import Context

_KINDS = {"Integer": "int", "Continuous": "float", "Categorical": "choice", "FreeText": "text"}


@dataclass(frozen=True)
class MadeAlgorithm:
    """`training` is the TrainingSpecification; `declared` the same in the house's words, without channels."""

    name: str
    training: Mapping[str, Any]

    @property
    def image(self) -> str:
        uri: str = self.training["TrainingImage"]
        return uri

    @property
    def declared(self) -> Algorithm:
        """Its metrics are those of its image where it names none and the image is a built-in one's."""
        return Algorithm(
            name=self.name,
            repositories=(),
            hyperparameters=tuple(declared_of(one) for one in self.training.get("SupportedHyperParameters", [])),
            metrics=metrics_of(self.training),
            channels=(),
            train=None,
            serve="",
        )


def find_made(context: Context, space: Namespace, specification: Mapping[str, Any], place: str) -> MadeAlgorithm | None:
    """The algorithm that an AlgorithmSpecification, found at `place`, names; None where it names an image.

    Raises Fault ValidationException where it names both or none, or an algorithm that is not there or not Completed.
    """
    name, uri = specification.get("AlgorithmName"), specification.get("TrainingImage")
    if bool(name) == bool(uri):
        raise validation(f"Give either {place}.TrainingImage or {place}.AlgorithmName, and not both.")
    if not name:
        return None
    made = completed_algorithm(context, space, name, f"{place}.AlgorithmName")
    return MadeAlgorithm(made["AlgorithmName"], made["TrainingSpecification"])


def completed_algorithm(context: Context, space: Namespace, name: str, place: str) -> Mapping[str, Any]:
    """DescribeAlgorithm's answer. Asked by the house: who may start a job needs no leave to look at its algorithm.

    Raises Fault ValidationException where it is not there, or where its validation has failed or is not over.
    """
    made: Mapping[str, Any] = context.as_house(space, "sagemaker", "DescribeAlgorithm", AlgorithmName=name)
    if (status := made["AlgorithmStatus"]) != "Completed":
        statuses = made["AlgorithmStatusDetails"]["ValidationStatuses"]
        reasons = [one["FailureReason"] for one in statuses if one.get("FailureReason")]
        why = f": {reasons[0].rstrip('.')}" if reasons else ""
        raise validation(
            f"The algorithm '{name}' at {place} is {status}{why}; only a Completed one can be used, so "
            f"{'wait for its validation' if status in ('Pending', 'InProgress') else 'make one whose validation succeeds'}."
        )
    return made


def declared_of(asked: Mapping[str, Any]) -> Hyperparameter:
    """A HyperParameterSpecification; one that is Categorical without a range is as free as text."""
    kind: Any = _KINDS[asked["Type"]]
    given = asked.get("Range", {}).get(f"{asked['Type']}ParameterRangeSpecification", {})
    choices = tuple(given.get("Values", ()))
    return Hyperparameter(
        name=asked["Name"],
        kind="text" if kind == "choice" and not choices else kind,
        default=asked.get("DefaultValue"),
        required=asked.get("IsRequired", False),
        low=float(given["MinValue"]) if "MinValue" in given else None,
        high=float(given["MaxValue"]) if "MaxValue" in given else None,
        choices=choices,
        tunable=asked.get("IsTunable", False),
        description=asked.get("Description", ""),
    )


def metrics_of(training: Mapping[str, Any]) -> tuple[Metric, ...]:
    """What a job of a TrainingSpecification prints: its MetricDefinitions, else those of a built-in image."""
    if given := training.get("MetricDefinitions"):
        return tuple(Metric(one["Name"], one["Regex"]) for one in given)
    built_in = find_algorithm(training["TrainingImage"])
    return built_in.metrics if built_in else ()


def check_hyperparameters(algorithm: Algorithm, given: Mapping[str, str]) -> None:
    """Unknown names, missing ones, bad types and values out of range are refused, naming the hyperparameter."""
    declared = {h.name: h for h in algorithm.hyperparameters}
    for name, value in given.items():
        if name not in declared:
            raise validation(
                f"ClientError: Hyperparameter '{name}' is not one of {algorithm.name}'s; it has "
                f"{', '.join(declared) or 'none'}."
            )
        if problem := declared[name].problem(value):
            raise validation(f"ClientError: Hyperparameter '{name}' has the value '{value}', which {problem}.")
    if missing := [h.name for h in algorithm.hyperparameters if h.required and h.name not in given]:
        raise validation(
            f"ClientError: Hyperparameter '{missing[0]}' of {algorithm.name} is required; give it a value."
        )


def check_job(made: MadeAlgorithm, asked: Mapping[str, Any], mode: str, place: str = "") -> None:
    """The machine and the channels of a job's definition (of CreateTrainingJob's members), whose input mode is `mode`.

    Raises Fault ValidationException; `place` comes before the members in it.
    """
    machine, allowed = asked.get("ResourceConfig") or {}, made.training["SupportedTrainingInstanceTypes"]
    if "InstanceType" in machine and machine["InstanceType"] not in allowed:
        raise validation(
            f"{place}ResourceConfig.InstanceType {machine['InstanceType']} is none of the algorithm '{made.name}'; "
            f"it supports {', '.join(allowed)}."
        )
    if machine.get("InstanceCount", 1) > 1 and not made.training.get("SupportsDistributedTraining", False):
        raise validation(
            f"{place}ResourceConfig.InstanceCount is {machine['InstanceCount']}, and the algorithm '{made.name}' does not "
            "support distributed training; use 1."
        )
    specifications = {one["Name"]: one for one in made.training["TrainingChannels"]}
    channels = asked.get("InputDataConfig", [])
    for channel in channels:
        _check_channel(made.name, channel, specifications, mode, f"{place}InputDataConfig")
    given = {channel["ChannelName"] for channel in channels}
    if missing := [name for name, one in specifications.items() if one.get("IsRequired") and name not in given]:
        raise validation(f"The algorithm '{made.name}' needs the channel '{missing[0]}' in {place}InputDataConfig.")


def _check_channel(
    algorithm: str, channel: Mapping[str, Any], specifications: Mapping[str, Mapping[str, Any]], mode: str, place: str
) -> None:
    name = channel["ChannelName"]
    if name not in specifications:
        raise validation(
            f"The algorithm '{algorithm}' has no channel '{name}' of {place}; it has {', '.join(specifications)}."
        )
    its = specifications[name]
    compression = channel.get("CompressionType", "None")
    for what, value, allowed in (
        ("ContentType", channel.get("ContentType", "").split(";")[0], its["SupportedContentTypes"]),
        ("InputMode", channel.get("InputMode", mode), its["SupportedInputModes"]),
        ("CompressionType", compression if compression != "None" else "", its.get("SupportedCompressionTypes", [])),
    ):
        if value and allowed and value not in allowed:
            raise validation(
                f"The channel '{name}' of {place} has the {what} '{value}'; the algorithm '{algorithm}' reads there "
                f"{_listed(allowed)}."
            )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def with_defaults(algorithm: Algorithm, given: Mapping[str, str]) -> dict[str, str]:
    """The hyperparameters that a job gets: its own, and the defaults of those that it leaves out."""
    return {**algorithm.defaults(), **given}
