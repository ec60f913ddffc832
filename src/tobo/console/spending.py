"""Spending: what Cost Explorer says, as the pages show it: by day and group, at AWS's prices and this machine's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any

from tobo.console.places import arn_place
from tobo.console.visit import Visit
from tobo.kit.fault import Fault

MOST_DAYS = 100
"""Beyond that the months are shown."""

METRICS = ("UnblendedCost", "AmortizedCost", "UsageQuantity")

GROUPS: Mapping[str, tuple[str, str, str]] = {
    "kind": ("Kind of work", "DIMENSION", "USAGE_TYPE"),
    "resource": ("Resource", "DIMENSION", "RESOURCE_ID"),
    "user": ("User", "TAG", "aws:createdBy"),
    "machine": ("Instance type", "DIMENSION", "INSTANCE_TYPE"),
    "region": ("Region", "DIMENSION", "REGION"),
}
"""What `by` in the address means: its words, and Cost Explorer's type and key. `tag:<key>` are the tags."""

_WORDS = {
    "Train": "Training jobs",
    "Processing": "Processing jobs",
    "Tsform": "Batch transforms",
    "Host": "Endpoints",
    "Notebk": "Notebooks",
}


@dataclass
class Spent:
    """US dollars at AWS's list price and on this machine, and instance hours."""

    listed: float = 0.0
    own: float = 0.0
    hours: float = 0.0

    def add(self, metrics: Mapping[str, Mapping[str, str]]) -> None:
        self.listed, self.own, self.hours = (
            had + float(metrics[name]["Amount"])
            for had, name in zip((self.listed, self.own, self.hours), METRICS, strict=True)
        )


@dataclass
class Line:
    """A group of the table: its words, its page, and what it has cost; `dollars` at AWS by the period's number."""

    words: str
    href: str
    whole: Spent = field(default_factory=Spent)
    dollars: dict[int, float] = field(default_factory=dict)


def spending(visit: Visit, first: date, last: date, by: str) -> tuple[list[Line], list[str]]:
    """The groups of those days, `last` included, the dearest first; and the first day of each period: a day, or a month
    where there are many. Raises GetCostAndUsage's Faults."""
    lines: dict[str, Line] = {}
    period = {"Start": str(first), "End": str(last + timedelta(1))}
    results = _results(visit, period, "DAILY" if (last - first).days < MOST_DAYS else "MONTHLY", _group(by))
    for number, result in enumerate(results):
        for group in result["Groups"]:
            words, href = named(by, group["Keys"][0], visit.region)
            line = lines.setdefault(words, Line(words, href))
            line.whole.add(group["Metrics"])
            line.dollars[number] = line.dollars.get(number, 0.0) + float(group["Metrics"][METRICS[0]]["Amount"])
    dearest = sorted(lines.values(), key=lambda line: (-line.whole.listed, -line.whole.hours, line.words))
    return dearest, [result["TimePeriod"]["Start"] for result in results]


def since(visit: Visit, start: datetime) -> Spent:
    """All that was used from `start` until now. Raises GetCostAndUsage's Faults."""
    now, spent = datetime.fromtimestamp(visit.context.clock.now(), UTC), Spent()
    if start < now.replace(microsecond=0):
        for result in _results(visit, _seconds(start, now), "HOURLY", None, quietly=True):
            spent.add(result["Total"])
    return spent


def an_hour(visit: Visit) -> list[Line]:
    """What runs now, by resource, for an hour: what the last whole second has used, 3,600 times. Raises the same Faults.

    An instance that began within that second counts as a whole one.
    """
    now = datetime.fromtimestamp(visit.context.clock.now(), UTC)
    lines = []
    (result,) = _results(visit, _seconds(now - timedelta(seconds=1), now), "HOURLY", _group("resource"), quietly=True)
    for group in result["Groups"]:
        words, href = arn_place(group["Keys"][0], visit.region)
        line = Line(words, href)
        line.whole.add(group["Metrics"])
        scale = ceil(round(3600 * line.whole.hours, 3)) / line.whole.hours
        line.whole = Spent(scale * line.whole.listed, scale * line.whole.own, scale * line.whole.hours)
        lines.append(line)
    return sorted(lines, key=lambda line: (-line.whole.listed, line.words))


def total(lines: Sequence[Line]) -> Spent:
    return Spent(
        sum(line.whole.listed for line in lines),
        sum(line.whole.own for line in lines),
        sum(line.whole.hours for line in lines),
    )


def tag_keys(visit: Visit, first: date, last: date) -> list[str]:
    """Those of people, not AWS's own."""
    try:
        found = visit.quietly("ce", "GetTags", TimePeriod={"Start": str(first), "End": str(last + timedelta(1))})
    except Fault:
        return []
    return [key for key in found["Tags"] if not key.startswith("aws:")]


def named(by: str, key: str, region: str) -> tuple[str, str]:
    """A group's key in words, and its page, "" where it has none in the region that is looked at."""
    if by == "kind":
        kind = key.partition("-")[2].partition(":")[0]
        return _WORDS.get(kind, kind), ""
    if by == "resource":
        return arn_place(key, region)
    if by in ("machine", "region"):
        return key, ""
    value = key.partition("$")[2]
    if by == "user":
        return value.rsplit(":", 1)[-1].rsplit("/", 1)[-1] or "unknown", ""
    return value or "without this tag", ""


def _group(by: str) -> dict[str, str]:
    """Raises Fault ValidationException for what nothing is grouped by."""
    if by in GROUPS:
        _, kind, key = GROUPS[by]
        return {"Type": kind, "Key": key}
    kind, _, key = by.partition(":")
    if kind != "tag" or not key:
        raise Fault("ValidationException", f"by={by[:40]} is none of {', '.join(GROUPS)} and no tag:key.")
    return {"Type": "TAG", "Key": key}


def _results(
    visit: Visit, period: Mapping[str, str], granularity: str, group: Mapping[str, str] | None, quietly: bool = False
) -> list[dict[str, Any]]:
    """ResultsByTime of all pages; of the first the code is shown unless it is asked for quietly."""
    asked: dict[str, Any] = {"TimePeriod": period, "Granularity": granularity, "Metrics": list(METRICS)}
    if group is not None:
        asked["GroupBy"] = [group]
    found = (visit.quietly if quietly else visit.call)("ce", "GetCostAndUsage", **asked)
    results: list[dict[str, Any]] = found["ResultsByTime"]
    while token := found.get("NextPageToken"):
        found = visit.quietly("ce", "GetCostAndUsage", **asked, NextPageToken=token)
        results += found["ResultsByTime"]
    return results


def _seconds(start: datetime, end: datetime) -> dict[str, str]:
    return {"Start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "End": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
