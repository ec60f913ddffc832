"""Searches: the training-job definitions of a tuning job, each with its axes and its objective, checked before it starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tobo.algorithms import find_algorithm
from tobo.kit.algorithm import Algorithm
from tobo.kit.fault import validation
from tobo.operations.made_algorithms import MadeAlgorithm
from tobo.resources.tuning_jobs.objective import Objective, read_objective
from tobo.resources.tuning_jobs.ranges import Axis, axes
from tobo.resources.tuning_jobs.strategies import grid_size
from tobo.store.base import Row

Made = Mapping[str, Mapping[str, Any]]
"""The TrainingSpecification of each algorithm that a definition names, by that name."""

MADE = "_algorithms"
"""Member of `found`: a tuning job's `Made`, kept when it was created."""

MOST_TRIALS = 750
"""What a tuning job without MaxNumberOfTrainingJobs may run, SageMaker's default quota."""

AUTOTUNE_TRIALS = 20
"""MaxNumberOfTrainingJobs where Autotune is to choose it."""


@dataclass(frozen=True)
class Search:
    """`definition` is a HyperParameterTrainingJobDefinition, `name` its DefinitionName ("" for a single one without).

    `algorithm` declares what may be tuned: the built-in one of the image, or the one that the definition names.
    """

    name: str
    definition: Mapping[str, Any]
    axes: Sequence[Axis]
    objective: Objective
    algorithm: Algorithm | None


def searches_of(row: Row) -> list[Search]:
    """The searches of a tuning job."""
    return searches(row.asked, row.found.get(MADE, {}))


def searches(asked: Mapping[str, Any], made: Made) -> list[Search]:
    """The searches of a CreateHyperParameterTuningJob request. Raises Fault ValidationException in one sentence."""
    single, several = asked.get("TrainingJobDefinition"), asked.get("TrainingJobDefinitions")
    if bool(single) == bool(several):
        raise validation("Give either TrainingJobDefinition or TrainingJobDefinitions, and not both.")
    config = asked["HyperParameterTuningJobConfig"]
    found = []
    for place, definition in enumerate(several or [single]):
        where = f"TrainingJobDefinitions[{place}]" if several else "TrainingJobDefinition"
        found.append(_search(config, definition, made, where))
    names = [search.name for search in found]
    if several and ("" in names or len(set(names)) < len(names)):
        raise validation("Each of TrainingJobDefinitions needs a DefinitionName of its own.")
    if len({search.objective.maximize for search in found}) > 1:
        raise validation("Some of TrainingJobDefinitions maximize and others minimize; their bests cannot be compared.")
    return found


def check_request(asked: Mapping[str, Any], made: Made) -> None:
    """Everything that CreateHyperParameterTuningJob refuses. Raises Fault ValidationException in one sentence."""
    found = searches(asked, made)
    config = asked["HyperParameterTuningJobConfig"]
    strategy, limits = config["Strategy"], config["ResourceLimits"]
    criteria = config.get("TuningJobCompletionCriteria", {})
    if criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence") == "Enabled":
        raise validation("ConvergenceDetected is not supported; use BestObjectiveNotImproving.")
    if strategy == "Grid":
        _check_grid(found, limits)
    elif not (limits.keys() & {"MaxNumberOfTrainingJobs", "MaxRuntimeInSeconds"} or criteria or asked.get("Autotune")):
        raise validation("ResourceLimits.MaxNumberOfTrainingJobs is missing; say how many training jobs may run.")
    if "HyperbandStrategyConfig" in config.get("StrategyConfig", {}) and strategy != "Hyperband":
        raise validation(
            f"StrategyConfig.HyperbandStrategyConfig does not go with the strategy {strategy}; leave it out."
        )
    if strategy == "Hyperband":
        if config.get("TrainingJobEarlyStoppingType") == "Auto":
            raise validation("Hyperband stops training jobs by itself; set TrainingJobEarlyStoppingType to Off.")
        for search in found:
            least, most = resources(config, search)
            if least >= most:
                raise validation(
                    f"MinResource {least} of HyperbandStrategyConfig is not below MaxResource {most}; widen them."
                )


def budget(asked: Mapping[str, Any], found: Sequence[Search]) -> int:
    """How many trials there are at most."""
    config = asked["HyperParameterTuningJobConfig"]
    if config["Strategy"] == "Grid":
        return sum(grid_size(search.axes) for search in found)
    limit: int = config["ResourceLimits"].get(
        "MaxNumberOfTrainingJobs", AUTOTUNE_TRIALS if asked.get("Autotune") else MOST_TRIALS
    )
    return limit


def share(asked: Mapping[str, Any], found: Sequence[Search], number: int) -> tuple[int, int]:
    """(index of the search, place in it) of trial `number` (from 0): in turn, grids one after the other."""
    if asked["HyperParameterTuningJobConfig"]["Strategy"] != "Grid":
        return number % len(found), number // len(found)
    for index, search in enumerate(found):
        if number < grid_size(search.axes):
            return index, number
        number -= grid_size(search.axes)
    raise ValueError("a trial behind the last combination")


def resources(config: Mapping[str, Any], search: Search) -> tuple[int, int]:
    """(MinResource, MaxResource) of Hyperband in epochs; what is left out: 1, and the `epochs` that a trial has."""
    given = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    declared = search.algorithm.defaults().get("epochs", "1") if search.algorithm else "1"
    epochs = search.definition.get("StaticHyperParameters", {}).get("epochs", declared)
    return given.get("MinResource", 1), given.get("MaxResource", int(epochs) if epochs.isdecimal() else 1)


def static_hyperparameters(definition: Mapping[str, Any]) -> dict[str, str]:
    """Those of a definition; `_tuning_...` are SageMaker's own notes, which SDKs send back and no algorithm knows."""
    given: Mapping[str, str] = definition.get("StaticHyperParameters", {})
    return {name: value for name, value in given.items() if not name.startswith("_tuning_")}


def _search(config: Mapping[str, Any], definition: Mapping[str, Any], made: Made, place: str) -> Search:
    specification = definition["AlgorithmSpecification"]
    name = specification.get("AlgorithmName")
    named = MadeAlgorithm(name.rsplit("/", 1)[-1], made[name]) if name else None
    algorithm = named.declared if named else find_algorithm(specification.get("TrainingImage", ""))
    own = definition.get("HyperParameterRanges")
    where = f"{place}.HyperParameterRanges" if own else "ParameterRanges"
    found = axes(own or config.get("ParameterRanges", {}), algorithm, where)
    if not found:
        raise validation(f"{where} names no hyperparameter to tune; give at least one range or AutoParameters.")
    static = static_hyperparameters(definition)
    if both := [axis.name for axis in found if axis.name in static]:
        raise validation(f"The hyperparameter '{both[0]}' is static and has a range in {where}; keep one of the two.")
    if algorithm is not None:
        _check_names(algorithm, {*static, *(axis.name for axis in found)}, place)
        _check_values(algorithm, static, place)
    asked = definition.get("TuningObjective") or config.get("HyperParameterTuningJobObjective")
    if not asked:
        raise validation(f"{place} has no objective; give HyperParameterTuningJobObjective a Type and a MetricName.")
    objective = read_objective(asked)
    printed = [metric.name for metric in algorithm.metrics] if algorithm else []
    printed += [] if algorithm else [metric["Name"] for metric in specification.get("MetricDefinitions", [])]
    if objective.metric not in printed:
        mend = f"there are {', '.join(printed)}" if printed else "add its regex to MetricDefinitions"
        raise validation(f"The objective metric '{objective.metric}' of {place} is none that is printed; {mend}.")
    if named:
        _check_objective(named, objective, place)
    machine = definition.get("HyperParameterTuningResourceConfig")
    if machine and "InstanceType" not in machine:
        raise validation(
            f"{place}.HyperParameterTuningResourceConfig needs an InstanceType; InstanceConfigs is not supported."
        )
    return Search(definition.get("DefinitionName", ""), definition, found, objective, algorithm)


def _check_objective(made: MadeAlgorithm, objective: Objective, place: str) -> None:
    """Of the objectives that an algorithm names it has to be one; an algorithm that names none leaves it open."""
    supported = made.training.get("SupportedTuningJobObjectiveMetrics", [])
    if supported and objective.asked() not in supported:
        named = ", ".join(f"{one['Type']} {one['MetricName']}" for one in supported)
        raise validation(
            f"The objective '{objective.asked()['Type']} {objective.metric}' of {place} is none of the algorithm "
            f"'{made.name}'; it supports {named}."
        )


def _check_names(algorithm: Algorithm, given: set[str], place: str) -> None:
    declared = [h.name for h in algorithm.hyperparameters]
    if unknown := sorted(given - set(declared)):
        raise validation(
            f"The hyperparameter '{unknown[0]}' of {place} is not one of {algorithm.name}'s; it has {', '.join(declared)}."
        )
    if missing := [h.name for h in algorithm.hyperparameters if h.required and h.name not in given]:
        raise validation(
            f"The hyperparameter '{missing[0]}' of {algorithm.name} is required; put it into {place}.StaticHyperParameters."
        )


def _check_values(algorithm: Algorithm, static: Mapping[str, str], place: str) -> None:
    for declared in algorithm.hyperparameters:
        value = static.get(declared.name)
        if value is not None and (problem := declared.problem(value)):
            raise validation(
                f"The hyperparameter '{declared.name}' of {place}.StaticHyperParameters has the value '{value}', which {problem}."
            )


def _check_grid(found: Sequence[Search], limits: Mapping[str, Any]) -> None:
    for search in found:
        if numeric := [axis.name for axis in search.axes if axis.kind != "choice"]:
            raise validation(
                f"The strategy Grid takes CategoricalParameterRanges only, and '{numeric[0]}' is a range of numbers; list its values."
            )
    combinations = sum(grid_size(search.axes) for search in found)
    if combinations > MOST_TRIALS:
        raise validation(
            f"The grid has {combinations} combinations; a tuning job runs at most {MOST_TRIALS}, list fewer values."
        )
    given = limits.get("MaxNumberOfTrainingJobs", combinations)
    if given != combinations:
        raise validation(
            f"MaxNumberOfTrainingJobs is {given}, and the grid has {combinations} combinations; leave it out or make it equal."
        )
