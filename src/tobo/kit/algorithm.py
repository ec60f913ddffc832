"""How a built-in algorithm declares itself: data that the server checks requests against before anything starts."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter; values travel as strings (CreateTrainingJob's HyperParameters).

    `kind` int/float are checked against [low, high] (inclusive), `choice` against `choices`, `text` against the
    regular expression `pattern` (whole value).
    """

    name: str
    kind: Literal["int", "float", "choice", "text"]
    default: str | None = None
    required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    tunable: bool = False
    description: str = ""

    def problem(self, value: str) -> str | None:
        """What is wrong with a value, as the end of a sentence ("must be from 0 to 1"); None where nothing is."""
        if self.kind == "choice":
            return None if value in self.choices else f"must be one of {', '.join(self.choices)}"
        if self.kind == "text":
            fits = self.pattern is None or re.fullmatch(self.pattern, value)
            return None if fits else f"must match {self.pattern}"
        try:
            number = int(value) if self.kind == "int" else float(value)
        except ValueError:
            return "must be a whole number" if self.kind == "int" else "must be a number"
        low, high = self.low, self.high
        if not math.isfinite(number) or (low is not None and number < low) or (high is not None and number > high):
            return f"must be {_range(low, high)}"
        return None


@dataclass(frozen=True)
class Metric:
    """A metric that the algorithm prints; the first group of `regex` is its value."""

    name: str
    regex: str


@dataclass(frozen=True)
class Channel:
    """An input channel and the content types it takes; no type sent counts as the first one."""

    name: str
    content_types: tuple[str, ...]
    required: bool = False
    description: str = ""


@dataclass(frozen=True)
class Algorithm:
    """`repositories` are the image repository names that mean this algorithm, whatever registry account is in front.

    `train` (None: it does not learn) and `serve` are "module:function" entries; both are called without arguments in a
    process of their own whose TOBO_ML_ROOT names the /opt/ml tree. `preload` are modules worth loading once in the warm parent.
    """

    name: str
    repositories: tuple[str, ...]
    hyperparameters: tuple[Hyperparameter, ...]
    metrics: tuple[Metric, ...]
    channels: tuple[Channel, ...]
    train: str | None
    serve: str
    preload: tuple[str, ...] = ()

    def defaults(self) -> Mapping[str, str]:
        return {h.name: h.default for h in self.hyperparameters if h.default is not None}


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"from {low:g} to {high:g}"
    return f"at least {low:g}" if low is not None else f"at most {high:g}" if high is not None else "finite"


def repository_of(image_uri: str) -> str:
    """`433757028032.dkr.ecr.us-west-2.amazonaws.com/image-classification:1` -> `image-classification`."""
    return image_uri.rsplit("/", 1)[-1].split("@", 1)[0].split(":", 1)[0]
