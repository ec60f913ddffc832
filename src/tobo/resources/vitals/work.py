"""The watch: readings every two seconds, or every twenty where they are many; and alarms for what is new."""

from collections.abc import Iterator

from tobo.kit.arn import Namespace
from tobo.operations.context import Context
from tobo.operations.edge import DEVICE, FLEET
from tobo.operations.rows import rows_of
from tobo.operations.timers import every
from tobo.resources.vitals import defaults, readings

REGION = "us-east-1"
"""Where the machine's own alarms are: in the first account."""

SECONDS, SLOW_SECONDS = 2.0, 20.0

_looked: dict[str, float] = {}
"""When the jobs were looked at last, by state folder."""


@every(SECONDS, "vitals", "Watching")
def watch(context: Context) -> None:
    now, place = context.clock.now(), str(context.settings.state)
    since = _looked.get(place, now - SECONDS)
    for space in _spaces(context, "endpoint"):
        context.metrics.put(space, readings.endpoints(context, space, now))
        if context.settings.default_alarms:
            _alarm_endpoints(context, space)
    for space in _spaces(context, *readings.JOBS):
        if points := readings.jobs(context, space, since, now):
            context.metrics.put(space, points)
        if context.settings.default_alarms:
            defaults.make(context, space, "region", defaults.of_region())
    _looked[place] = now


@every(SLOW_SECONDS, "slow-vitals", "Watching")
def watch_slowly(context: Context) -> None:
    now, account = context.clock.now(), context.settings.account_id
    for space in _spaces(context, DEVICE):
        context.metrics.put(space, readings.devices(context, space, now))
    if account is not None:
        context.metrics.put(Namespace(account, REGION), readings.disk(context, now))
    if not context.settings.default_alarms:
        return
    if account is not None:
        defaults.make(context, Namespace(account, REGION), "machine", defaults.of_machine())
    for space in _spaces(context, FLEET):
        for row in rows_of(context.store, space, FLEET):
            defaults.make(context, space, row.arn, defaults.of_fleet(row.key.name))
    for space in _spaces(context, defaults.MARK):
        there = {row.arn for kind in ("endpoint", FLEET) for row in rows_of(context.store, space, kind)}
        defaults.unmake(context, space, there | {"region", "machine"})


def _alarm_endpoints(context: Context, space: Namespace) -> None:
    for row in rows_of(context.store, space, "endpoint"):
        variants = [each["VariantName"] for each in (row.found.get("_fleet") or {"variants": []})["variants"]]
        if variants:
            defaults.make(context, space, row.arn, defaults.of_endpoint(row.key.name, variants))


def _spaces(context: Context, *kinds: str) -> Iterator[Namespace]:
    yield from sorted({space for kind in kinds for space in context.store.spaces(kind)})
