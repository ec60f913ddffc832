"""Arguments of steps against the AWS model of the operation that they become: unknown members, and values made to fit."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import Shape

from tobo.resources.pipelines.functions import function_of
from tobo.resources.pipelines.step_types import RESOURCES
from tobo.wire.models import operation_model


def _shape(kind: str) -> Shape | None:
    """The request that a step of a type becomes; a step that only waits says what Describe wants."""
    verb = "Describe" if kind == "LabelingJob" else "Create"
    return operation_model("sagemaker", f"{verb}{RESOURCES[kind].noun}").input_shape


def misfits(kind: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Members that the operation of a type of step does not have, and those that it needs and are not there."""
    resource = RESOURCES[kind]
    yield from _misfits(_shape(kind), arguments, "Arguments", resource.name if resource.named else "")


def _misfits(shape: Shape | None, value: Any, path: str, given: str = "") -> Iterator[str]:
    """`given` is a member that the step itself will add."""
    if shape is None or function_of(value):
        return
    if shape.type_name == "structure":
        if not isinstance(value, Mapping):
            yield f"{path} has to be an object"
            return
        members: Mapping[str, Shape] = shape.members  # type: ignore[attr-defined]
        needed = shape.required_members
        yield from (f"{path}.{name} is missing" for name in needed if name not in value and name != given)
        for name, inner in value.items():
            if name in members:
                yield from _misfits(members[name], inner, f"{path}.{name}")
            else:
                yield f"{path}.{name} is no member of {shape.name}"
    elif shape.type_name == "list" and isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _misfits(shape.member, inner, f"{path}[{number}]")  # type: ignore[attr-defined]


def fitted(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Resolved arguments with numbers as texts where the model wants texts, such as hyperparameters, and the reverse."""
    return dict(_fitted(_shape(kind), arguments))


def _fitted(shape: Shape | None, value: Any) -> Any:
    if shape is None:
        return value
    if shape.type_name == "structure" and isinstance(value, Mapping):
        members: Mapping[str, Shape] = shape.members  # type: ignore[attr-defined]
        return {name: _fitted(members.get(name), inner) for name, inner in value.items() if inner is not None}
    if shape.type_name == "list" and isinstance(value, list):
        return [_fitted(shape.member, inner) for inner in value]  # type: ignore[attr-defined]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {name: _fitted(shape.value, inner) for name, inner in value.items()}  # type: ignore[attr-defined]
    if shape.type_name == "string" and isinstance(value, bool | int | float):
        return str(value)
    try:
        if shape.type_name in ("integer", "long") and isinstance(value, str):
            return int(value)
        if shape.type_name in ("float", "double") and isinstance(value, str):
            return float(value)
    except ValueError:
        return value  # the operation's own check says what is wrong with it
    return value
