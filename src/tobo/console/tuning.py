"""Tuning as a page shows it: the axes of a search, its trials along them, and what each hyperparameter explains."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

WIDE = 100.0
"""From this ratio of its ends on, a range that says Auto is searched, and drawn, on a logarithmic scale."""

Scale = Literal["Linear", "Logarithmic", "ReverseLogarithmic"]


@dataclass(frozen=True)
class Axis:
    """One hyperparameter that is searched: `low` to `high` on `scale`, or one of `choices`."""

    name: str
    low: float = 0.0
    high: float = 1.0
    scale: Scale = "Linear"
    choices: tuple[str, ...] = ()

    def drawn(self) -> dict[str, Any]:
        """As the page's script takes it."""
        if self.choices:
            return {"name": self.name, "choices": list(self.choices)}
        return {"name": self.name, "low": self.low, "high": self.high, "scale": self.scale}


def axes_of(job: Mapping[str, Any], trials: Sequence[Mapping[str, Any]]) -> list[Axis]:
    """The axes of a described tuning job, each name once; ranges that it chose itself end where its trials do."""
    found: dict[str, Axis] = {}
    for ranges in _ranges_of(job):
        for asked in (*ranges.get("IntegerParameterRanges", []), *ranges.get("ContinuousParameterRanges", [])):
            low, high = float(asked["MinValue"]), float(asked["MaxValue"])
            axis = Axis(asked["Name"], low, high, _scale(asked.get("ScalingType", "Auto"), low, high))
            found[axis.name] = _wider(found.get(axis.name), axis)
        for asked in ranges.get("CategoricalParameterRanges", []):
            found.setdefault(asked["Name"], Axis(asked["Name"], choices=tuple(dict.fromkeys(asked["Values"]))))
        for asked in ranges.get("AutoParameters", []):
            values = [trial["TunedHyperParameters"].get(asked["Name"]) for trial in trials]
            found.setdefault(asked["Name"], _seen(asked["Name"], [value for value in values if value is not None]))
    return list(found.values())


def _ranges_of(job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    own = job["HyperParameterTuningJobConfig"].get("ParameterRanges")
    several = [each.get("HyperParameterRanges", {}) for each in job.get("TrainingJobDefinitions", [])]
    return [own, *several] if own else several


def _scale(asked: str, low: float, high: float) -> Scale:
    if asked in ("Linear", "Logarithmic", "ReverseLogarithmic"):
        return asked  # type: ignore[return-value]
    if low > 0 and high / low >= WIDE:
        return "Logarithmic"
    return "ReverseLogarithmic" if low >= 0 and high < 1 and (1 - low) / (1 - high) >= WIDE else "Linear"


def _wider(known: Axis | None, axis: Axis) -> Axis:
    if known is None or known.choices:
        return axis
    return Axis(axis.name, min(known.low, axis.low), max(known.high, axis.high), known.scale)


def _seen(name: str, values: Sequence[str]) -> Axis:
    numbers = [number_of(value) for value in values]
    known = [number for number in numbers if number is not None]
    if len(known) < len(values):
        return Axis(name, choices=tuple(sorted(set(values))))
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    return Axis(name, low, high, _scale("Auto", low, high)) if low < high else Axis(name, low - 0.5, high + 0.5)


def number_of(text: str | None) -> float | None:
    """A finite number that is written as text; None for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def drawing(job: Mapping[str, Any], trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What <parallel-coords> takes: axes, and for each trial its name, status, values in their order and objective."""
    axes = axes_of(job, trials)
    rows = [
        {
            "name": trial["TrainingJobName"],
            "status": trial["TrainingJobStatus"],
            "values": [_value(axis, trial["TunedHyperParameters"].get(axis.name)) for axis in axes],
            "objective": objective_of(trial),
        }
        for trial in trials
    ]
    asked = objective_asked(job)
    return {
        "axes": [axis.drawn() for axis in axes],
        "trials": rows,
        "objective": {"name": asked["MetricName"], "maximise": asked["Type"] == "Maximize"},
        "best": job.get("BestTrainingJob", {}).get("TrainingJobName"),
    }


def objective_asked(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tuning job's objective; the first one where each definition has its own."""
    config = job["HyperParameterTuningJobConfig"]
    own = config.get("HyperParameterTuningJobObjective")
    several = [each["TuningObjective"] for each in job.get("TrainingJobDefinitions", []) if "TuningObjective" in each]
    found: Mapping[str, Any] = own or several[0]
    return found


def objective_of(trial: Mapping[str, Any]) -> float | None:
    """The last value of the objective; None while there is none."""
    value = trial.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
    return None if value is None or not math.isfinite(value) else float(value)


def _value(axis: Axis, text: str | None) -> float | str | None:
    return (text if text in axis.choices else None) if axis.choices else number_of(text)


def importance(axes: Sequence[Axis], trials: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """For each hyperparameter the share of the objective's ranking that it explains alone, in [0, 1].

    The adjusted coefficient of determination of ranks, 1 - (1 - R^2) (n - 1) / (n - p - 1), at least 0. R^2 is the
    square of Spearman's rank correlation for numbers (p = 1), and eta squared = SS_between / SS_total of the
    objective's ranks for categories (p = categories - 1); tied values share their mean rank. Interactions, and an
    optimum in the middle of a range, it does not see. None for fewer than p + 3 trials, or where nothing varies.
    """
    return {axis.name: _explained(axis, trials) for axis in axes}


def _explained(axis: Axis, trials: Sequence[Mapping[str, Any]]) -> float | None:
    pairs = [(_value(axis, trial["TunedHyperParameters"].get(axis.name)), objective_of(trial)) for trial in trials]
    known = [(value, objective) for value, objective in pairs if value is not None and objective is not None]
    groups = sorted({str(value) for value, _ in known}) if axis.choices else []
    free = len(groups) - 1 if axis.choices else 1
    count = len(known)
    if free < 1 or count < free + 3:
        return None
    outcome = ranks(np.array([objective for _, objective in known]))
    if axis.choices:
        index = np.array([groups.index(str(value)) for value, _ in known])
        share = _between(outcome, index)
    else:
        share = _squared_correlation(ranks(np.array([value for value, _ in known], np.float64)), outcome)
    return None if share is None else max(0.0, 1 - (1 - share) * (count - 1) / (count - free - 1))


def ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """[n] -> ranks from 1, ties at their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: npt.NDArray[np.float64] = (ends - (counts - 1) / 2)[inverse]
    return means


def _squared_correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float | None:
    one, other = one - one.mean(), other - other.mean()
    spread = float((one**2).sum() * (other**2).sum())
    return None if spread == 0 else float((one * other).sum() ** 2 / spread)


def _between(outcome: npt.NDArray[np.float64], groups: npt.NDArray[np.int64]) -> float | None:
    total = float(((outcome - outcome.mean()) ** 2).sum())
    if total == 0:
        return None
    counts = np.bincount(groups)
    means = np.bincount(groups, outcome) / counts
    return float((counts * (means - outcome.mean()) ** 2).sum()) / total
