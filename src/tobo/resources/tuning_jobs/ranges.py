"""Axes: a hyperparameter's range seen as the interval [0, 1], on which every strategy works.

Source: SageMaker Developer Guide, "Define Hyperparameter Ranges" (scaling types).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tobo.kit.algorithm import Algorithm, Hyperparameter
from tobo.kit.fault import validation

MOST_RANGES = 20
"""Hyperparameters that one search tunes, as on AWS."""

WIDE = 100.0
"""Auto scaling takes a logarithm where the end of a range is that many times its beginning."""

Scaling = Literal["Linear", "Logarithmic", "ReverseLogarithmic"]


@dataclass(frozen=True)
class Axis:
    """One tuned hyperparameter. `choices` are used by kind choice, `low`, `high` and `scaling` by the others."""

    name: str
    kind: Literal["int", "float", "choice"]
    low: float = 0.0
    high: float = 1.0
    scaling: Scaling = "Linear"
    choices: tuple[str, ...] = ()

    def text(self, position: float) -> str:
        """The value at a position in [0, 1], as it travels in HyperParameters."""
        if self.kind == "choice":
            return self.choices[min(int(position * len(self.choices)), len(self.choices) - 1)]
        low, high = _scaled(self.low, self.scaling), _scaled(self.high, self.scaling)
        value = _unscaled(low + min(max(position, 0.0), 1.0) * (high - low), self.scaling)
        value = min(max(value, self.low), self.high)
        return str(round(value)) if self.kind == "int" else repr(value)

    def position(self, text: str) -> float | None:
        """Where a value lies in [0, 1]; a choice at the middle of its share. None where it is outside of the range."""
        if self.kind == "choice":
            return (self.choices.index(text) + 0.5) / len(self.choices) if text in self.choices else None
        try:
            value = float(text)
        except ValueError:
            return None
        if not self.low <= value <= self.high:
            return None
        low, high = _scaled(self.low, self.scaling), _scaled(self.high, self.scaling)
        return (_scaled(value, self.scaling) - low) / (high - low)


def axes(ranges: Mapping[str, Any], algorithm: Algorithm | None, place: str) -> list[Axis]:
    """The axes of a ParameterRanges; `place` names it in refusals. Raises Fault ValidationException."""
    found: list[Axis] = []
    for member, kind in (("IntegerParameterRanges", "int"), ("ContinuousParameterRanges", "float")):
        found += [_numeric(asked, kind, f"{place}.{member}") for asked in ranges.get(member, [])]
    for asked in ranges.get("CategoricalParameterRanges", []):
        found.append(Axis(asked["Name"], "choice", choices=tuple(dict.fromkeys(asked["Values"]))))
    found += [_automatic(asked, algorithm, place) for asked in ranges.get("AutoParameters", [])]
    names = [axis.name for axis in found]
    if len(names) > MOST_RANGES:
        raise validation(f"{place} has {len(names)} hyperparameters; one tuning job searches at most {MOST_RANGES}.")
    if twice := [name for name in names if names.count(name) > 1]:
        raise validation(f"The hyperparameter '{twice[0]}' stands twice in {place}; give it one range.")
    if algorithm is not None:
        for axis in found:
            _check_declared(axis, algorithm, place)
    return found


def _numeric(asked: Mapping[str, str], kind: Any, place: str) -> Axis:
    name = asked["Name"]
    low, high = (_number(asked[end], kind, f"{end} of '{name}' in {place}") for end in ("MinValue", "MaxValue"))
    if low >= high:
        raise validation(
            f"MinValue {asked['MinValue']} of '{name}' in {place} is not below MaxValue {asked['MaxValue']}; swap or widen them."
        )
    scaling = asked.get("ScalingType", "Auto")
    if scaling == "Logarithmic" and low <= 0:
        raise validation(
            f"'{name}' in {place} begins at {asked['MinValue']}, and a Logarithmic scale needs MinValue above 0; raise it or scale Linear."
        )
    if scaling == "ReverseLogarithmic" and (kind == "int" or low < 0 or high >= 1):
        raise validation(
            f"'{name}' in {place} goes from {asked['MinValue']} to {asked['MaxValue']}; "
            "a ReverseLogarithmic scale needs a continuous range within 0 <= x < 1."
        )
    chosen: Scaling = _auto_scaling(low, high, kind) if scaling == "Auto" else scaling  # type: ignore[assignment]
    return Axis(name, kind, low, high, chosen)


def _number(text: str, kind: str, what: str) -> float:
    try:
        value = float(int(text)) if kind == "int" else float(text)
    except ValueError:
        expected = "a whole number" if kind == "int" else "a number"
        raise validation(f"{what} is '{text}', which is not {expected}; give one as text.") from None
    if not math.isfinite(value):
        raise validation(f"{what} is '{text}'; give a finite number.")
    return value


def _auto_scaling(low: float, high: float, kind: str) -> Scaling:
    if low > 0 and high / low >= WIDE:
        return "Logarithmic"
    if kind == "float" and low >= 0 and high < 1 and (1 - low) / (1 - high) >= WIDE:
        return "ReverseLogarithmic"
    return "Linear"


def _automatic(asked: Mapping[str, str], algorithm: Algorithm | None, place: str) -> Axis:
    """An autotune range: a decade to both sides of the hint, towards 1 where the hint is a share near 1."""
    name, hint = asked["Name"], asked["ValueHint"]
    if algorithm is None:
        raise validation(
            f"'{name}' in {place}.AutoParameters has no range, and the image declares none; give it one in another list."
        )
    declared = _declared(name, algorithm, place)
    if declared.kind == "choice":
        return Axis(name, "choice", choices=declared.choices)
    if declared.kind == "text":
        raise validation(
            f"'{name}' in {place}.AutoParameters is free text; give its values in CategoricalParameterRanges."
        )
    value = _number(hint, declared.kind, f"ValueHint of '{name}' in {place}.AutoParameters")
    least = declared.low if declared.low is not None else -math.inf
    most = declared.high if declared.high is not None else math.inf
    if not least <= value <= most or value <= 0:
        raise validation(
            f"ValueHint {hint} of '{name}' in {place}.AutoParameters is no value to search around; "
            f"give one above 0 within {least:g} to {most:g}."
        )
    if declared.kind == "float" and most == 1 and 0.5 <= value < 1:
        return Axis(name, "float", max(1 - 10 * (1 - value), least, 0.0), 1 - (1 - value) / 10, "ReverseLogarithmic")
    low, high = max(value / 10, least), min(value * 10, most)
    if declared.kind == "int":
        low, high = max(math.floor(low), 1), math.ceil(high)
    return Axis(name, declared.kind, low, high, "Logarithmic")


def _declared(name: str, algorithm: Algorithm, place: str) -> Hyperparameter:
    tunable = {h.name: h for h in algorithm.hyperparameters if h.tunable}
    if name not in tunable:
        raise validation(
            f"The hyperparameter '{name}' in {place} is none that {algorithm.name} can tune; those are {', '.join(tunable)}."
        )
    return tunable[name]


def _check_declared(axis: Axis, algorithm: Algorithm, place: str) -> None:
    declared = _declared(axis.name, algorithm, place)
    values: Sequence[str] = axis.choices or (repr(axis.low), repr(axis.high))
    if declared.kind == "choice":
        if wrong := [value for value in values if value not in declared.choices]:
            raise validation(
                f"'{wrong[0]}' of '{axis.name}' in {place} is no value of it; {algorithm.name} has {', '.join(declared.choices)}."
            )
        return
    if axis.kind == "float" and declared.kind == "int":
        raise validation(f"'{axis.name}' in {place} takes whole numbers; put it into IntegerParameterRanges.")
    for value in values if declared.kind != "text" else ():
        number = _number(value, "float", f"The value of '{axis.name}' in {place}")
        below = declared.low is not None and number < declared.low
        if below or (declared.high is not None and number > declared.high):
            limit = f"at least {declared.low:g}" if below else f"at most {declared.high:g}"
            raise validation(f"{number:g} of '{axis.name}' in {place} must be {limit} for {algorithm.name}.")


def _scaled(value: float, scaling: Scaling) -> float:
    """Logarithmic log(x), ReverseLogarithmic -log(1-x)."""
    if scaling == "Logarithmic":
        return math.log(value)
    return -math.log1p(-value) if scaling == "ReverseLogarithmic" else value


def _unscaled(scaled: float, scaling: Scaling) -> float:
    if scaling == "Logarithmic":
        return math.exp(scaled)
    return -math.expm1(-scaled) if scaling == "ReverseLogarithmic" else scaled
