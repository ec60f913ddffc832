"""Hyperparameters as a script sees them: decoded values, `--key value` arguments, and texts for the environment.

The rules are those of sagemaker-training-toolkit 5.1 (its `mapping` and `environment` modules), which scripts written
for SageMaker rely on.
"""

import json
from collections.abc import Mapping
from typing import Any

SAGEMAKER_PREFIX = "sagemaker_"
"""Begins the names of hyperparameters that are SageMaker's own and no argument of the script."""

_OWN = frozenset(
    {
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "sagemaker_s3_output",
    }
)
_NO_ARGUMENTS = ("_tuning_objective_metric", "default_user_module_name")


def decode(given: Mapping[str, str]) -> dict[str, Any]:
    """Values as they were before the SDK encoded them as JSON; a text that is not JSON stays as it is."""
    return {name: decode_value(value) for name, value in given.items()}


def decode_value(value: str) -> Any:
    """'"sgd"' -> 'sgd', '0.1' -> 0.1, 'sgd' -> 'sgd'."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def users(decoded: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters that are the script's."""
    return {
        name: value
        for name, value in decoded.items()
        if not name.startswith(SAGEMAKER_PREFIX) and name not in _NO_ARGUMENTS
    }


def framework_parameters(decoded: Mapping[str, Any]) -> dict[str, Any]:
    """SageMaker's hyperparameters beyond the well-known ones, such as sagemaker_mpi_enabled (SM_FRAMEWORK_PARAMS)."""
    return {name: value for name, value in decoded.items() if name.startswith(SAGEMAKER_PREFIX) and name not in _OWN}


def arguments(hyperparameters: Mapping[str, Any]) -> list[str]:
    """`--name value` in the order of the names, `-n value` for names of one letter.

    True becomes "True", a list "[1, 2]", None "", an object "a=1,b=2".
    """
    found: list[str] = []
    for name, value in sorted(hyperparameters.items()):
        found += (f"--{name}" if len(name) > 1 else f"-{name}", _text(value))
    return found


def variables(values: Mapping[str, Any]) -> dict[str, str]:
    """SM_<NAME> for each value: a text as it is, None empty, the rest as compact JSON with sorted keys.

    A name with "=" cannot be a variable's, and is left out.
    """
    return {f"SM_{name.upper()}": _variable(value) for name, value in values.items() if "=" not in name}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ",".join(f"{name}={item}" for name, item in sorted(value.items()))
    return str(value)


def _variable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
