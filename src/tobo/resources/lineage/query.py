"""QueryLineage: the entities that led to one, and those that came of it. Source: API reference, QueryLineage."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.listing import Tokens
from tobo.operations.registry import operation
from tobo.resources.lineage.associations import KIND, known_entity, leading_to, type_of
from tobo.store.base import Query, Row, every_row

_DEEPEST = 10
_MOST_VERTICES = 1000
"""Entities that one question reaches; the nearest."""
_PAGE = 50
_LINEAGE = {
    "artifact": "Artifact",
    "action": "Action",
    "context": "Context",
    "experiment-trial-component": "TrialComponent",
}


class Edge(NamedTuple):
    """An association, as far as it was walked."""

    source: str
    destination: str
    kind: str

    def told(self) -> dict[str, str]:
        return {"SourceArn": self.source, "DestinationArn": self.destination, "AssociationType": self.kind}


@operation("sagemaker", "QueryLineage", resource=lambda call, asked: "*")
def query_lineage(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Entities without the one that it starts from, the nearest first; edges between those that are told, and to the start."""
    if not asked.get("StartArns"):
        raise validation("StartArns is missing; give the ARN of an artifact, action, context or trial component.")
    start = known_entity(call, asked["StartArns"][0]).arn
    depth = asked.get("MaxDepth") or _DEEPEST
    directions = {"Ascendants": (False,), "Descendants": (True,)}.get(asked.get("Direction", "Both"), (False, True))
    reached: dict[str, None] = {}
    edges: dict[Edge, None] = {}
    for forward in directions:
        _walk(call, start, forward, depth, reached, edges)
    found = (call.context.store.find_arn(arn) for arn in reached)
    rows = [row for row in found if row is not None and _passes(row, asked.get("Filters", {}))]
    tokens = Tokens.of("lineage", asked)
    begin, _ = tokens.read(asked.get("NextToken")) or (0.0, 0)
    begin, size = _place(begin), asked.get("MaxResults") or _PAGE
    page = rows[begin : begin + size]
    answer: dict[str, Any] = {"Vertices": [_vertex(row) for row in page], "Edges": []}
    if asked.get("IncludeEdges", True):
        order = {start: -1} | {row.arn: number for number, row in enumerate(rows)}
        told = [edge for edge in edges if edge.source in order and edge.destination in order]
        # An edge is told with the page of its farther end, so that each comes once.
        farther = [max(order[edge.source], order[edge.destination]) for edge in told]
        answer["Edges"] = [
            edge.told() for edge, at in zip(told, farther, strict=True) if begin <= max(at, 0) < begin + size
        ]
    if begin + size < len(rows):
        answer["NextToken"] = tokens.write((float(begin + size), 0))
    return answer


def _walk(call: Call, start: str, forward: bool, depth: int, reached: dict[str, None], edges: dict[Edge, None]) -> None:
    """Breadth first, in one direction; adds to `reached` and `edges`."""
    seen, front = {start}, [start]
    for _ in range(depth):
        following: list[str] = []
        for arn in front:
            for edge in _edges(call, arn, forward):
                end = edge.destination if forward else edge.source
                if end not in seen:
                    if len(reached) >= _MOST_VERTICES:
                        return
                    seen.add(end)
                    reached[end] = None
                    following.append(end)
                edges[edge] = None
        front = following


def _edges(call: Call, arn: str, forward: bool) -> Iterator[Edge]:
    ends: dict[str, Any] = {"name_prefix": f"{arn} "} if forward else {"arn": leading_to(arn)}
    for row in every_row(call.context.store, Query(call.space, KIND, descending=False, limit=1000, **ends)):
        yield Edge(row.asked["SourceArn"], row.asked["DestinationArn"], row.asked["AssociationType"])


def _passes(row: Row, filters: Mapping[str, Any]) -> bool:
    types = filters.get("Types")
    bounds = (
        ("CreatedAfter", row.created, 1),
        ("CreatedBefore", row.created, -1),
        ("ModifiedAfter", row.modified, 1),
        ("ModifiedBefore", row.modified, -1),
    )
    properties = row.asked.get("Properties", {})
    return (
        (not types or {type_of(row), _vertex(row)["Type"]} & set(types) != set())
        and (not filters.get("LineageTypes") or _LINEAGE.get(row.key.kind) in filters["LineageTypes"])
        and all((at - filters[name].timestamp()) * sign >= 0 for name, at, sign in bounds if name in filters)
        and all(properties.get(name) == value for name, value in filters.get("Properties", {}).items())
    )


def _vertex(row: Row) -> dict[str, Any]:
    told = {"Arn": row.arn, "Type": type_of(row).removeprefix("SageMaker")}
    return told | ({"LineageType": _LINEAGE[row.key.kind]} if row.key.kind in _LINEAGE else {})


def _place(begin: object) -> int:
    if not isinstance(begin, float) or not 0 <= begin <= _MOST_VERTICES:
        raise validation("NextToken is not one that this operation gave; start again without it.")
    return int(begin)
