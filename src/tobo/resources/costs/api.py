"""GetCostAndUsage, GetCostAndUsageWithResources, GetDimensionValues, GetTags. Source: AWS Cost Explorer API Reference.

UnblendedCost, BlendedCost and NetUnblendedCost are what the use would have cost at AWS's list price; AmortizedCost and
NetAmortizedCost what it cost on this machine: its purchase spread over its lifetime, and its power (operations/pricing.py).
All regions of the account are in them, wherever the request is signed for, as on AWS.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.costing import condition, dimension, tags_of
from tobo.operations.listing import Tokens
from tobo.operations.registry import operation
from tobo.resources.costs.periods import Period, cut, whole
from tobo.telemetry.ledger import Span

PAGE = 1000
"""Groups of an answer, after which it ends with the period."""

_LISTED = ("UnblendedCost", "BlendedCost", "NetUnblendedCost")
_OWN = ("AmortizedCost", "NetAmortizedCost")
METRICS = (*_LISTED, *_OWN, "UsageQuantity")


@dataclass
class Sums:
    """Instance hours, and US dollars at AWS and here."""

    hours: float = 0.0
    listed: float = 0.0
    own: float = 0.0

    def add(self, span: Span, hours: float) -> None:
        self.hours += hours
        self.listed += hours * span.use.list_price
        self.own += hours * span.use.own_price

    def metric(self, name: str) -> dict[str, str]:
        """Cost Explorer's MetricValue."""
        if name == "UsageQuantity":
            return {"Amount": f"{self.hours:.10f}", "Unit": "Hrs"}
        return {"Amount": f"{self.own if name in _OWN else self.listed:.10f}", "Unit": "USD"}


Groups = dict[tuple[str, ...], Sums]


@operation("ce", "GetCostAndUsage", resource=lambda call, asked: "*")
def get_cost_and_usage(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Sums by period and up to two keys; the resources are known by their ARN with the operation beside this one.

    Raises Fault ValidationException, InvalidNextTokenException.
    """
    return _answer(call, asked)


@operation("ce", "GetCostAndUsageWithResources", resource=lambda call, asked: "*")
def get_cost_and_usage_with_resources(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The same; here it reaches back as far as the ledger does, at AWS two weeks."""
    return _answer(call, asked)


@operation("ce", "GetDimensionValues", resource=lambda call, asked: "*")
def get_dimension_values(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a dimension that had any use in the time, the dearest first where it is sorted by a cost."""
    read = dimension(asked["Dimension"])
    values, more = _values(call, asked, lambda span: [read(span)])
    return {"DimensionValues": [{"Value": value, "Attributes": {}} for value in values], **more}


@operation("ce", "GetTags", resource=lambda call, asked: "*")
def get_tags(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of the tags that anything used bears, or the values of one key."""
    key = asked.get("TagKey")

    def read(span: Span) -> Sequence[str]:
        tags = tags_of(span)
        return list(tags) if key is None else [tags[key]] if key in tags else []

    values, more = _values(call, asked, read)
    return {"Tags": values, **more}


def _answer(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    metrics, keys = _metrics(asked["Metrics"]), [_key(group) for group in asked.get("GroupBy", ())]
    if len(keys) > 2:
        raise validation(f"GroupBy has {len(keys)} keys; take two at most.")
    period, meets = whole(asked["TimePeriod"]), condition(asked.get("Filter"))
    periods = cut(period, asked["Granularity"])
    spans = [span for span in _spans(call, period) if meets(span)]
    sums = _sums(spans, periods, keys)
    tokens = _Tokens.of("ce", asked)
    begin, results, written = tokens.read(asked.get("NextPageToken")), list[dict[str, Any]](), 0
    for number in range(begin, len(periods)):
        results.append(_result(call, periods[number], sums[number], metrics, bool(keys)))
        written += max(len(sums[number]), 1)
        if written >= PAGE and number + 1 < len(periods):
            return _told(asked, results) | {"NextPageToken": tokens.write(number + 1)}
    return _told(asked, results)


def _told(asked: Mapping[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"GroupDefinitions": asked.get("GroupBy", []), "ResultsByTime": results, "DimensionValueAttributes": []}


def _sums(spans: Sequence[Span], periods: Sequence[Period], keys: Sequence[Callable[[Span], str]]) -> list[Groups]:
    """Of each period; a span is looked at in those alone that it touches."""
    starts, groups = [period.start for period in periods], [Groups() for _ in periods]
    for span in spans:
        named = tuple(key(span) for key in keys)
        for number in range(max(bisect_right(starts, span.begun) - 1, 0), bisect_left(starts, span.until)):
            if hours := span.hours(periods[number].start, periods[number].end):
                groups[number].setdefault(named, Sums()).add(span, hours)
    return groups


def _result(call: Call, period: Period, groups: Groups, metrics: Sequence[str], grouped: bool) -> dict[str, Any]:
    """Cost Explorer's ResultByTime; it is an estimate while the period goes on."""
    told = {key: {name: sums.metric(name) for name in metrics} for key, sums in sorted(groups.items())}
    total = {} if grouped else told.get((), {name: Sums().metric(name) for name in metrics})
    return {
        "TimePeriod": period.interval,
        "Total": total,
        "Groups": [{"Keys": list(key), "Metrics": values} for key, values in told.items()] if grouped else [],
        "Estimated": period.end > call.now,
    }


def _values(
    call: Call, asked: Mapping[str, Any], read: Callable[[Span], Sequence[str]]
) -> tuple[list[str], dict[str, Any]]:
    """A page of the values that the spans have, in their order or by a metric, and the sizes of page and whole."""
    period, meets = whole(asked["TimePeriod"]), condition(asked.get("Filter"))
    sums: dict[str, Sums] = defaultdict(Sums)
    for span in _spans(call, period):
        if meets(span):
            for value in read(span):
                sums[value].add(span, span.hours(period.start, period.end))
    wanted = asked.get("SearchString", "").lower()
    values = sorted(value for value in sums if wanted in value.lower())
    for sort in reversed(asked.get("SortBy", [])):
        (metric,) = _metrics([sort["Key"]])
        descending = sort.get("SortOrder", "DESCENDING") == "DESCENDING"
        values.sort(key=lambda value: float(sums[value].metric(metric)["Amount"]), reverse=descending)
    tokens = _Tokens.of("ce-values", {name: value for name, value in asked.items() if name != "MaxResults"})
    begin, limit = tokens.read(asked.get("NextPageToken")), asked.get("MaxResults") or PAGE
    page = values[begin : begin + limit]
    more = {"NextPageToken": tokens.write(begin + limit)} if begin + limit < len(values) else {}
    return page, {"ReturnSize": len(page), "TotalSize": len(values), **more}


def _spans(call: Call, period: Period) -> list[Span]:
    ledger = call.context.ledger
    return [] if ledger is None else ledger.spans(call.principal.account, period.start, period.end, call.now)


def _metrics(names: Sequence[str]) -> list[str]:
    """Written as Cost Explorer writes them, or UNBLENDED_COST as its clients may."""
    known = {name.lower(): name for name in METRICS}
    for name in names:
        if name.replace("_", "").lower() not in known:
            raise validation(f"Metric '{name[:40]}' is none of {', '.join(METRICS)}.")
    if not names:
        raise validation(f"Metrics is empty; name one of {', '.join(METRICS)}.")
    return [known[name.replace("_", "").lower()] for name in names]


def _key(group: Mapping[str, Any]) -> Callable[[Span], str]:
    """How a span is grouped; a tag's group is named `key$value`, that of spans without it `key$`."""
    kind, key = group.get("Type"), group.get("Key", "")
    if kind == "DIMENSION":
        return dimension(key)
    if kind == "TAG" and key:
        return lambda span: f"{key}${tags_of(span).get(key, '')}"
    raise validation(f"GroupBy of Type {kind} and Key '{key}' is not known; take a DIMENSION or a TAG, and its Key.")


@dataclass(frozen=True)
class _Tokens:
    """NextPageTokens: the number of the next period or value, sealed with the request."""

    tokens: Tokens

    @classmethod
    def of(cls, kind: str, asked: Mapping[str, Any]) -> "_Tokens":
        return cls(Tokens.of(kind, {name: value for name, value in asked.items() if name != "NextPageToken"}))

    def write(self, number: int) -> str:
        return self.tokens.write(("", number))

    def read(self, token: str | None) -> int:
        try:
            found = self.tokens.read(token)
        except Fault as fault:
            raise Fault("InvalidNextTokenException", fault.message.replace("NextToken", "NextPageToken")) from None
        return max(found[1], 0) if found else 0
