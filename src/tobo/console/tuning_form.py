"""The tuning form: from a training job and the ranges that are filled in, the request that searches them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tobo.algorithms import find_algorithm
from tobo.kit.fault import validation
from tobo.wire.models import operation_model

MEMBERS = {
    "Integer": "IntegerParameterRanges",
    "Continuous": "ContinuousParameterRanges",
    "Categorical": "CategoricalParameterRanges",
}
KINDS = tuple(MEMBERS)
STRATEGIES = ("Bayesian", "Random", "Grid", "Hyperband")
SCALINGS = ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic")
ROWS = 25
"""Rows that the form may have; a search takes 20 hyperparameters."""

_KIND_OF = {"int": ("Integer",), "float": ("Continuous",), "choice": ("Categorical",)}
_OBJECTIVE = "_tuning_objective_metric"


@dataclass(frozen=True)
class RangeRow:
    """A hyperparameter of the form: `kinds` that it may be searched as, its present value and what is filled in."""

    name: str
    kinds: tuple[str, ...]
    now: str = ""
    low: str = ""
    high: str = ""
    scaling: str = "Auto"
    values: str = ""
    hint: str = ""


def rows_of(job: Mapping[str, Any]) -> list[RangeRow]:
    """The hyperparameters of a described training job that can be tuned; the learning rate a decade to both sides."""
    given = job.get("HyperParameters", {})
    algorithm = find_algorithm(job["AlgorithmSpecification"].get("TrainingImage", ""))
    if algorithm is None:
        return [RangeRow(name, KINDS, _unquoted(value)) for name, value in given.items() if _is_tunable(name)][:ROWS]
    rows: list[RangeRow] = []
    for declared in (each for each in algorithm.hyperparameters if each.tunable):
        now = given.get(declared.name, declared.default or "")
        row = RangeRow(
            declared.name,
            _KIND_OF.get(declared.kind, ("Categorical",)),
            now,
            hint=", ".join(declared.choices) or _limits(declared.low, declared.high),
        )
        if declared.name == "learning_rate" and (value := _positive(now)) is not None:
            low, high = f"{value / 10:g}", f"{min(value * 10, declared.high or value * 10):g}"
            row = RangeRow(row.name, row.kinds, now, low, high, "Logarithmic", hint=row.hint)
        rows.append(row)
    return rows[:ROWS]


def metrics_of(job: Mapping[str, Any]) -> list[str]:
    """What the job's image prints, and so what can be sought; those of unseen data first."""
    defined = [metric["Name"] for metric in job["AlgorithmSpecification"].get("MetricDefinitions", [])]
    algorithm = find_algorithm(job["AlgorithmSpecification"].get("TrainingImage", ""))
    declared = [metric.name for metric in algorithm.metrics] if algorithm else []
    found = list(dict.fromkeys([*defined, *declared]))
    return sorted(found, key=lambda name: ("valid" not in name, "accuracy" not in name))


def request_of(fields: Mapping[str, str], job: Mapping[str, Any]) -> dict[str, Any]:
    """CreateHyperParameterTuningJob's members. Raises Fault ValidationException."""
    ranges = _ranges(fields)
    if not ranges:
        raise validation("No hyperparameter has a range; fill in the ends or the values of at least one.")
    limits: dict[str, Any] = {
        "MaxNumberOfTrainingJobs": _whole(fields, "most", "Training jobs"),
        "MaxParallelTrainingJobs": _whole(fields, "parallel", "At a time"),
    }
    if "minutes" in fields:
        limits["MaxRuntimeInSeconds"] = 60 * _whole(fields, "minutes", "Minutes at most")
    if fields.get("strategy") == "Grid":
        limits.pop("MaxNumberOfTrainingJobs")  # the grid has as many as it has combinations
    config: dict[str, Any] = {
        "Strategy": fields.get("strategy", "Bayesian"),
        "HyperParameterTuningJobObjective": {
            "Type": fields.get("direction", "Maximize"),
            "MetricName": fields.get("metric", ""),
        },
        "ResourceLimits": limits,
        "ParameterRanges": ranges,
    }
    if fields.get("early"):
        config["TrainingJobEarlyStoppingType"] = "Auto"
    if "seed" in fields:
        config["RandomSeed"] = _whole(fields, "seed", "Seed")
    tuned = {each["Name"] for listed in ranges.values() for each in listed}
    return {
        "HyperParameterTuningJobName": fields.get("name", ""),
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": definition_of(job, tuned),
    }


def definition_of(job: Mapping[str, Any], tuned: set[str]) -> dict[str, Any]:
    """A TrainingJobDefinition that repeats a described training job; `tuned` hyperparameters are left to the search."""
    shape = operation_model("sagemaker", "CreateHyperParameterTuningJob").input_shape
    known: Mapping[str, Any] = shape.members["TrainingJobDefinition"].members  # type: ignore[union-attr]
    kept = {name: job[name] for name in known if name in job and name != "CheckpointConfig"}
    specification = {
        name: value
        for name, value in job["AlgorithmSpecification"].items()
        if name in known["AlgorithmSpecification"].members
    }
    if find_algorithm(specification.get("TrainingImage", "")) is not None:
        specification.pop("MetricDefinitions", None)  # the image's own, which nobody may define anew
    fixed = {
        name: value
        for name, value in job.get("HyperParameters", {}).items()
        if name not in tuned and name != _OBJECTIVE
    }
    return {**kept, "AlgorithmSpecification": specification, "StaticHyperParameters": fixed}


def _ranges(fields: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for number in range(ROWS):
        name, kind = fields.get(f"name.{number}"), fields.get(f"kind.{number}", "")
        low, high, values = (fields.get(f"{part}.{number}") for part in ("low", "high", "values"))
        if not name or not (low or high or values):
            continue
        if kind not in MEMBERS:
            raise validation(f"The kind '{kind}' of '{name}' is none of {', '.join(KINDS)}; choose one of them.")
        if kind == "Categorical":
            if not values:
                raise validation(f"'{name}' has no values; write them with commas between.")
            told: dict[str, Any] = {"Values": [each.strip() for each in values.split(",") if each.strip()]}
        elif not low or not high:
            raise validation(f"'{name}' has one end only; fill in From and To, or neither to keep its value.")
        else:
            told = {"MinValue": low, "MaxValue": high, "ScalingType": fields.get(f"scaling.{number}", "Auto")}
        found.setdefault(MEMBERS[kind], []).append({"Name": name, **told})
    return found


def _whole(fields: Mapping[str, str], name: str, label: str) -> int:
    text = fields.get(name, "")
    if not text.isdecimal():
        raise validation(f"{label} is '{text}', which is not a whole number; write one.")
    return int(text)


def _is_tunable(name: str) -> bool:
    return not name.startswith(("sagemaker_", "_"))


def _unquoted(value: str) -> str:
    """The SDK writes the hyperparameters of own code as JSON."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value > 0 else None


def _limits(low: float | None, high: float | None) -> str:
    ends: Sequence[str] = [f"{word} {end:g}" for word, end in (("from", low), ("to", high)) if end is not None]
    return " ".join(ends)
