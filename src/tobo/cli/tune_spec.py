"""What `tobo tune` is asked, as a CreateHyperParameterTuningJob request: from a small file and from options."""

import importlib
import json
import secrets
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tobo.cli.client import fail

REGISTRY = "433757028032.dkr.ecr.us-west-2.amazonaws.com"
"""Put before the short name of a built-in algorithm; the part behind the last slash counts."""

DEFAULTS: Mapping[str, Any] = {
    "image": "image-classification",
    "objective": "validation:accuracy",
    "goal": "Maximize",
    "strategy": "Bayesian",
    "jobs": 10,
    "parallel": 2,
    "instance": "ml.m5.large",
    "max_seconds": 3600,
}
OTHERS = ("name", "role", "output", "seed", "channels", "content_type", "ranges", "hyperparameters", "metrics")
_SCALES = {
    "auto": "Auto",
    "linear": "Linear",
    "log": "Logarithmic",
    "logarithmic": "Logarithmic",
    "reverse-log": "ReverseLogarithmic",
    "reverselogarithmic": "ReverseLogarithmic",
}
_WRONG_USE = 2


def read_spec(file: Path) -> dict[str, Any]:
    """A .json, .toml or .yaml file; ends the command where it cannot be read."""
    try:
        text = file.read_text()
        if file.suffix == ".toml":
            return tomllib.loads(text)
        found = _read_yaml(text) if file.suffix in (".yaml", ".yml") else json.loads(text)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.", _WRONG_USE)
    except ValueError as error:
        fail(f"{file} is not what its extension says: {error}", _WRONG_USE)
    if not isinstance(found, dict):
        fail(
            f"{file} holds no mapping; its first level are names such as channels, ranges and hyperparameters.",
            _WRONG_USE,
        )
    return found


def request(spec: Mapping[str, Any], role: str) -> dict[str, Any]:
    """The request; a file that holds one already is passed on as it is. Ends the command for what it cannot mean."""
    if "HyperParameterTuningJobConfig" in spec:
        return dict(spec)
    if unknown := sorted(spec.keys() - DEFAULTS.keys() - set(OTHERS)):
        fail(f"'{unknown[0]}' is nothing that a tuning file has; it has {', '.join((*OTHERS, *DEFAULTS))}.", _WRONG_USE)
    said = {**DEFAULTS, **spec}
    if not said.get("ranges"):
        fail("There is nothing to tune: give ranges, such as --range learning_rate=0.00001:0.1:log.", _WRONG_USE)
    if not said.get("channels"):
        fail("There is nothing to train on: give channels, such as --channel train=s3://bucket/train/.", _WRONG_USE)
    if not said.get("output"):
        fail("There is no place for the models: give an output, such as --output s3://bucket/models.", _WRONG_USE)
    config: dict[str, Any] = {
        "Strategy": said["strategy"],
        "HyperParameterTuningJobObjective": {"Type": str(said["goal"]).capitalize(), "MetricName": said["objective"]},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": said["jobs"], "MaxParallelTrainingJobs": said["parallel"]},
        "ParameterRanges": ranges(said["ranges"]),
    }
    if said.get("seed") is not None:
        config["RandomSeed"] = said["seed"]
    return {
        "HyperParameterTuningJobName": said.get("name")
        or f"tune-{time.strftime('%m%d-%H%M%S')}-{secrets.token_hex(2)}",
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": _definition(said, role),
    }


def ranges(said: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """ParameterRanges of {name: [choices] or {min, max, scale, type}}; whole bounds make an integer range."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, given in said.items():
        if isinstance(given, list):
            found.setdefault("CategoricalParameterRanges", []).append(
                {"Name": name, "Values": [_text(v) for v in given]}
            )
            continue
        if not isinstance(given, Mapping) or not {"min", "max"} <= given.keys():
            fail(f"The range of '{name}' is neither a list of choices nor has min and max.", _WRONG_USE)
        bounds = [_text(given[bound]) for bound in ("min", "max")]
        whole = given.get("type", "int" if all(bound.lstrip("-").isdigit() for bound in bounds) else "float") == "int"
        scale = _SCALES.get(str(given.get("scale", "auto")).lower())
        if scale is None:
            fail(
                f"The range of '{name}' has the scale '{given['scale']}'; it is auto, linear, log or reverse-log.",
                _WRONG_USE,
            )
        kind = "IntegerParameterRanges" if whole else "ContinuousParameterRanges"
        found.setdefault(kind, []).append(
            {"Name": name, "MinValue": bounds[0], "MaxValue": bounds[1], "ScalingType": scale}
        )
    return found


def read_range(text: str) -> tuple[str, Any]:
    """name=low:high, name=low:high:scale or name=a,b,c as an option has it."""
    name, value = read_pair(text, "--range")
    if ":" not in value:
        return name, value.split(",")
    low, high, *scale = value.split(":")
    return name, {"min": low, "max": high, **({"scale": scale[0]} if scale else {})}


def read_pair(text: str, option: str) -> tuple[str, str]:
    """name=value; ends the command where it is none."""
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        fail(f"'{text}' after {option} is not name=value.", _WRONG_USE)
    return name, value


def with_pairs(spec: Mapping[str, Any], member: str, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The spec with names added to one of its mappings."""
    return {**spec, member: {**spec.get(member, {}), **dict(pairs)}} if pairs else dict(spec)


def _definition(said: Mapping[str, Any], role: str) -> dict[str, Any]:
    image = said["image"]
    specification: dict[str, Any] = {
        "TrainingImage": image if "/" in image else f"{REGISTRY}/{image}:1",
        "TrainingInputMode": "File",
    }
    if metrics := said.get("metrics"):
        specification["MetricDefinitions"] = [{"Name": name, "Regex": regex} for name, regex in metrics.items()]
    return {
        "AlgorithmSpecification": specification,
        "RoleArn": said.get("role") or role,
        "InputDataConfig": [_channel(name, uri, said.get("content_type")) for name, uri in said["channels"].items()],
        "OutputDataConfig": {"S3OutputPath": said["output"]},
        "ResourceConfig": {"InstanceType": said["instance"], "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": said["max_seconds"]},
        "StaticHyperParameters": {name: _text(value) for name, value in said.get("hyperparameters", {}).items()},
    }


def _channel(name: str, uri: str, content_type: str | None) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    return {"ChannelName": name, "DataSource": source, **({"ContentType": content_type} if content_type else {})}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_yaml(text: str) -> Any:
    try:
        yaml = importlib.import_module("yaml")
    except ModuleNotFoundError:
        fail(
            "A YAML file needs the package pyyaml; pip install pyyaml, or write the file as .toml or .json.", _WRONG_USE
        )
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
