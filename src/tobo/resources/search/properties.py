"""Property names as Search takes them: "TrainingJobStatus", "Tags.team", "HyperParameters.epochs", "Metrics.loss"."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tobo.kit.fault import validation
from tobo.resources.search.catalog import Candidate, Entity
from tobo.wire.models import service_model

STATISTICS = ("Min", "Max", "Avg", "Count", "StdDev", "Last")
"""What a metric of a trial component has."""

_TIMES = ("CreationTime", "LastModifiedTime")
_NUMBERS = frozenset({"integer", "long", "float", "double"})


class Property(NamedTuple):
    """Where a property is found, key by key, and its type: text, number, time or any (what a map holds)."""

    keys: tuple[str, ...]
    type: str


@cache
def read_property(entity: Entity, name: str) -> Property:
    """Members without regard to case; names of metrics, hyperparameters and tags as they are, with their dots.

    Raises Fault ValidationException for a name that the resource does not have.
    """
    first, _, rest = name.partition(".")
    if entity.member == "Model" and first.lower() == "model" and rest:
        first, _, rest = rest.partition(".")  # Model.ModelName is what a SearchRecord has
    if name in _TIMES:
        return Property((name,), "time")  # every row has them, whether its shape tells them or not
    special = first.capitalize()
    if special == "Tags" and rest:
        return Property(("Tags", rest), "text")
    if special == "Metrics" and rest and entity.member == "TrainingJob":
        return Property(("Metrics", rest), "number")
    if special == "Metrics" and rest and entity.member == "TrialComponent":
        metric, _, statistic = rest.rpartition(".")
        known = {word.lower(): word for word in STATISTICS}.get(statistic.lower())
        return Property(("Metrics", metric, known) if known and metric else ("Metrics", rest, "Last"), "number")
    keys: list[str] = []
    shape: Shape = _shape(entity)
    parts = ".".join((first, rest)).rstrip(".").split(".")
    while parts:
        while isinstance(shape, ListShape):
            shape = shape.member
        if isinstance(shape, MapShape):
            return Property((*keys, ".".join(parts)), "any")
        member = _member(shape, parts.pop(0))
        if member is None:
            raise validation(f"Unknown property name: {name}. GetSearchSuggestions tells those of {entity.noun}.")
        keys.append(member)
        assert isinstance(shape, StructureShape)
        shape = shape.members[member]
    return Property(tuple(keys), _type(shape))


def values(found: Candidate, keys: tuple[str, ...]) -> Iterator[Any]:
    """Every value at the end of the keys; a list on the way gives those of all its items."""
    yield from values_below(found.top(keys[0]), keys[1:])


def values_below(node: Any, keys: tuple[str, ...]) -> Iterator[Any]:
    """The same from an item of a list on."""
    if isinstance(node, list | tuple):
        for item in node:
            yield from values_below(item, keys)
    elif not keys:
        if node is not None:
            yield node
    elif isinstance(node, dict):
        yield from values_below(node.get(keys[0]), keys[1:])


def names(entity: Entity) -> Iterator[str]:
    """Every property name that the model knows, depth first; what maps hold is not known to it."""
    yield from _names(_shape(entity), "", frozenset())


def _names(shape: Shape, prefix: str, seen: frozenset[str]) -> Iterator[str]:
    while isinstance(shape, ListShape):
        shape = shape.member
    if not isinstance(shape, StructureShape) or shape.name in seen:
        if prefix:
            yield prefix.removesuffix(".")
        return
    for name, member in shape.members.items():
        if not (prefix == "" and name in ("Tags", "Metrics")):
            yield from _names(member, f"{prefix}{name}.", seen | {shape.name})


def _shape(entity: Entity) -> Shape:
    return service_model("sagemaker").shape_for(entity.shape)


def _member(shape: Shape, name: str) -> str | None:
    if not isinstance(shape, StructureShape):
        return None
    if name in shape.members:
        return name
    return next((member for member in shape.members if member.lower() == name.lower()), None)


def _type(shape: Shape) -> str:
    while isinstance(shape, ListShape):
        shape = shape.member
    if shape.type_name in _NUMBERS:
        return "number"
    return {"timestamp": "time", "string": "text"}.get(shape.type_name, "any")
