"""The watch: readings every two seconds, or every twenty where they are many; and alarms for what is new."""

from collections.abc import Iterator, Mapping, Sequence

from tobo.kit.arn import Namespace
from tobo.operations.context import Context
from tobo.operations.edge import DEVICE, FLEET
from tobo.operations.rows import rows_of
from tobo.operations.timers import every
from tobo.resources.vitals import defaults, readings
from tobo.store.base import Row

REGION = "us-east-1"
"""Where the machine's own alarms are: in the first account."""

SECONDS, SLOW_SECONDS = 2.0, 20.0

_looked: dict[str, float] = {}
"""When the jobs were looked at last, by state folder."""


@every(SECONDS, "vitals", "Watching")
def watch(context: Context) -> None:
    now, place = context.clock.now(), str(context.settings.state)
    since, machine = _looked.get(place, now - SECONDS), _machine(context)
    working = _spaces(context, *readings.JOBS)
    for space in sorted(working | _spaces(context, "endpoint", FLEET, defaults.MARK) | machine):
        endpoints = list(rows_of(context.store, space, "endpoint"))
        points = [*readings.endpoints(endpoints, now), *readings.jobs(context, space, since, now)]
        if points:
            context.metrics.put(space, points)
        if context.settings.default_alarms:
            whole = {"region": defaults.of_region()} if space in working else {}
            whole |= {"machine": defaults.of_machine()} if space in machine else {}
            defaults.keep(context, space, {**whole, **dict(_subjects(context, space, endpoints))})
    _looked[place] = now


@every(SLOW_SECONDS, "slow-vitals", "Watching")
def watch_slowly(context: Context) -> None:
    now = context.clock.now()
    for space in _spaces(context, DEVICE):
        context.metrics.put(space, readings.devices(context, space, now))
    for space in _machine(context):
        context.metrics.put(space, readings.disk(context, now))


def _subjects(
    context: Context, space: Namespace, endpoints: Sequence[Row]
) -> Iterator[tuple[str, Mapping[str, defaults.Alarm]]]:
    """ARNs, and the alarms that they are born with."""
    for row in endpoints:
        variants = [each["VariantName"] for each in (row.found.get("_fleet") or {"variants": []})["variants"]]
        yield row.arn, defaults.of_endpoint(row.key.name, variants) if variants else {}
    for row in rows_of(context.store, space, FLEET):
        yield row.arn, defaults.of_fleet(row.key.name)


def _machine(context: Context) -> set[Namespace]:
    account = context.settings.account_id
    return set() if account is None else {Namespace(account, REGION)}


def _spaces(context: Context, *kinds: str) -> set[Namespace]:
    return {space for kind in kinds for space in context.store.spaces(kind)}
