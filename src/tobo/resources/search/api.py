"""Search and GetSearchSuggestions. Source: API reference, Search.

Rows are read in the order of the sort and tested one by one until a page is full; names, statuses and times are ruled out
by the store, and the components of an experiment by the index of its members. A sort by another property must see every
row first. Of each row only those members are read that are asked for.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from operator import itemgetter
from typing import Any

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.listing import Tokens
from tobo.operations.registry import operation
from tobo.resources.search.catalog import Candidate, Entity, candidate, components_of, entity_of, members_of, record
from tobo.resources.search.expressions import Test, looked_at, narrowed, parents, read_expression
from tobo.resources.search.properties import STATISTICS, names, read_property, values
from tobo.store.base import Query, SortBy

_READ = 500
"""Rows read at a time; fewer at first, as the first ones may be enough."""
_DEFAULT_RESULTS = 10
_SUGGESTIONS = 100
_LOOKED_AT = 1000
"""Rows whose tags, hyperparameters and metrics are suggested: the newest ones."""

Place = tuple[Any, int]


@operation("sagemaker", "Search", resource=lambda call, asked: "*")
def search(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Last modified first unless asked otherwise. Raises Fault ValidationException for what cannot be searched by."""
    entity = entity_of(asked["Resource"])
    if asked.get("VisibilityConditions"):
        raise validation("VisibilityConditions are not supported; filter by the tags in SearchExpression instead.")
    if asked.get("CrossAccountFilterOption") == "CrossAccount":
        raise validation("CrossAccountFilterOption CrossAccount is not supported; only the own account is searched.")
    expression = asked.get("SearchExpression", {})
    test = read_expression(entity, expression)
    tokens = Tokens.of("search", asked)
    after, limit = tokens.read(asked.get("NextToken")), asked.get("MaxResults") or _DEFAULT_RESULTS
    descending = asked.get("SortOrder", "Descending") == "Descending"
    keys, _ = read_property(entity, asked.get("SortBy", "LastModifiedTime"))
    members = members_of(entity, {*looked_at(entity, expression), keys[0]})
    query = Query(call.space, entity.kind, descending=descending, limit=limit + 1, members=members)
    query = narrowed(entity, expression, query)
    columns: dict[tuple[str, ...], SortBy] = {
        ("CreationTime",): "CreationTime",
        ("LastModifiedTime",): "LastModifiedTime",
        (entity.name_member,): "Name",
    }
    if parent := parents(entity, expression):
        rows = components_of(call, parent.get("ExperimentName"), parent.get("TrialName"))
        candidates = (Candidate(entity, row) for row in rows)
        page, place = _sorted(filter(test, candidates), keys, descending, after, limit)
    elif keys in columns:
        page, place = _in_order(call, entity, test, replace(query, sort_by=columns[keys], after=after), limit)
    else:
        matching = _matching(call, entity, test, replace(query, sort_by="CreationTime", limit=_READ))
        page, place = _sorted(matching, keys, descending, after, limit)
    records = (record(call, found) for found in page)
    answer: dict[str, Any] = {"Results": [one for one in records if one is not None]}
    if place is not None:
        answer["NextToken"] = tokens.write(place)
    return answer


@operation("sagemaker", "GetSearchSuggestions", resource=lambda call, asked: "*")
def get_search_suggestions(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Property names that hold the hint, those that begin with it first; 100 at most."""
    entity = entity_of(asked["Resource"])
    hint = asked.get("SuggestionQuery", {}).get("PropertyNameQuery", {}).get("PropertyNameHint", "").lower()
    known = dict.fromkeys((*names(entity), *_living_names(call, entity)))
    found = [name for name in known if hint in name.lower()]
    found.sort(key=lambda name: (not name.lower().startswith(hint), name))
    return {"PropertyNameSuggestions": [{"PropertyName": name} for name in found[:_SUGGESTIONS]]}


def _in_order(call: Call, entity: Entity, test: Test, query: Query, limit: int) -> tuple[list[Candidate], Place | None]:
    """The next page in an order that the store has, and the place of its last row where more remains."""
    value = _COLUMNS[query.sort_by]
    found: list[Candidate] = []
    for one in _matching(call, entity, test, query):
        if len(found) == limit:
            return found, (value(found[-1]), found[-1].row.id)
        found.append(one)
    return found, None


_COLUMNS: Mapping[str, Callable[[Candidate], Any]] = {
    "CreationTime": lambda found: found.row.created,
    "LastModifiedTime": lambda found: found.row.modified,
    "Name": lambda found: found.row.key.name,
}


def _sorted(
    matching: Iterator[Candidate], keys: tuple[str, ...], descending: bool, after: Place | None, limit: int
) -> tuple[list[Candidate], Place | None]:
    """The same of all that match, by any property. What lacks it comes last; the place is a number of results."""
    begin = _number_of_results(after)
    end = begin + limit
    lacking: list[Candidate] = []

    def having() -> Iterator[tuple[Any, Candidate]]:
        for one in matching:
            if (value := next(values(one, keys), None)) is not None:
                yield (_order(value), one.row.id), one
            elif len(lacking) <= end:
                lacking.append(one)

    choose = heapq.nlargest if descending else heapq.nsmallest  # hold no more than they shall give
    order = [one for _, one in choose(end + 1, having(), key=itemgetter(0))] + lacking
    return order[begin:end], (float(end), 0) if end < len(order) else None


def _matching(call: Call, entity: Entity, test: Test, query: Query) -> Iterator[Candidate]:
    """Candidates that satisfy the test, in the query's order."""
    while True:
        page = call.context.store.page(query)
        for row in page.rows:
            found = candidate(call, entity, row)
            if found is not None and test(found):
                yield found
        if page.after is None:
            return
        query = replace(query, after=page.after, limit=min(4 * query.limit, _READ))


def _order(value: Any) -> tuple[bool, float, str]:
    """Numbers before texts; a text that is a number is one."""
    try:
        return False, float(value), ""
    except (TypeError, ValueError):
        return True, 0.0, str(value)


def _number_of_results(after: Place | None) -> int:
    if after is None:
        return 0
    if not isinstance(after[0], float) or not 0 <= after[0] < 1e9:
        raise validation("NextToken is not one that this operation gave; start again without it.")
    return int(after[0])


def _living_names(call: Call, entity: Entity) -> Iterator[str]:
    """Names that come from the resources themselves: of tags, hyperparameters, parameters and metrics."""
    rows = call.context.store.page(Query(call.space, entity.kind, limit=_LOOKED_AT)).rows
    for row in rows:
        found = Candidate(entity, row)
        yield from (f"Tags.{key}" for key in row.tags)
        yield from (f"HyperParameters.{name}" for name in row.asked.get("HyperParameters", ()))
        yield from (f"Parameters.{name}" for name in row.asked.get("Parameters", ()))
        for name, metric in found.top("Metrics").items():
            yield from (
                [f"Metrics.{name}.{word}" for word in STATISTICS] if isinstance(metric, dict) else [f"Metrics.{name}"]
            )
