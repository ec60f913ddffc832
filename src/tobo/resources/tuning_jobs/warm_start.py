"""Warm start: what earlier tuning jobs found, copied into the new one when it is created.

Source: SageMaker Developer Guide, "Run a Warm Start Hyperparameter Tuning Job".
"""

from collections.abc import Mapping, Sequence
from statistics import fmean, pstdev
from typing import Any

from tobo.kit.fault import validation
from tobo.resources.tuning_jobs import states
from tobo.resources.tuning_jobs.searches import Search, searches_of
from tobo.resources.tuning_jobs.trials import best, gain, summary, trials_of
from tobo.store.base import Row


def inherit(config: Mapping[str, Any], parents: Sequence[Row], own: Sequence[Search]) -> dict[str, Any]:
    """`_inherited` [[parameters, gain], ...] and the parents' best, for the row of a tuning job with WarmStartConfig.

    IdenticalDataAndAlgorithm takes the gains as they are; TransferLearning takes each parent's in standard deviations
    from its mean, since other data have other levels. Raises Fault ValidationException.
    """
    identical = config["WarmStartType"] == "IdenticalDataAndAlgorithm"
    found: list[list[Any]] = []
    tops: list[tuple[float, dict[str, Any]]] = []
    for parent in parents:
        _check_parent(parent, own[0], identical)
        theirs = searches_of(parent)
        done = [trial for trial in trials_of(parent) if trial.succeeded]
        gains = [gain(trial, theirs) for trial in done]
        if not identical:
            gains = standardized(gains)
        found += [[dict(trial.parameters), value] for trial, value in zip(done, gains, strict=True)]
        if (top := best(done, theirs)) is not None:
            tops.append((gain(top, theirs), summary(parent, top, theirs)))
    inherited: dict[str, Any] = {"_inherited": found}
    if identical and tops:
        value, told = max(tops, key=lambda top: top[0])
        inherited |= {"_parents_best": told, "_parents_gain": value}
    return inherited


def standardized(gains: Sequence[float]) -> list[float]:
    """In standard deviations from their mean; equal ones are all 0."""
    if not gains:
        return []
    mean, spread = fmean(gains), pstdev(gains)
    return [(value - mean) / spread if spread > 0 else 0.0 for value in gains]


def _check_parent(parent: Row, own: Search, identical: bool) -> None:
    name = parent.key.name
    if parent.state not in states.TERMINAL:
        raise validation(f"The parent tuning job '{name}' is {parent.status}; start from it when it is over.")
    theirs = searches_of(parent)[0]
    if theirs.objective != own.objective:
        raise validation(
            f"The parent tuning job '{name}' has the objective {theirs.objective.metric}; take the same one."
        )
    if {axis.name for axis in theirs.axes} - _known_names(own):
        raise validation(
            f"The parent tuning job '{name}' tunes {', '.join(axis.name for axis in theirs.axes)}; "
            "give each of them a range or a static value here as well."
        )
    if not identical:
        return
    for what, member in (("image or algorithm", "AlgorithmSpecification"), ("input data", "InputDataConfig")):
        if _essence(theirs.definition.get(member)) != _essence(own.definition.get(member)):
            raise validation(
                f"The parent tuning job '{name}' has another {what}; use the WarmStartType TransferLearning, or the same."
            )


def _known_names(search: Search) -> set[str]:
    return {axis.name for axis in search.axes} | set(search.definition.get("StaticHyperParameters", {}))


def _essence(member: Any) -> Any:
    """Of an algorithm its image or name, of channels their names and addresses."""
    if isinstance(member, Mapping):
        return member.get("TrainingImage") or member.get("AlgorithmName")
    return sorted(
        (channel["ChannelName"], (channel["DataSource"].get("S3DataSource") or {}).get("S3Uri", ""))
        for channel in member or []
    )
