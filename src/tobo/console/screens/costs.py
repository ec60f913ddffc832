"""Costs: what was used, what it would have cost at AWS, and what it cost here."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from starlette.responses import Response

from tobo.console.days import days_asked
from tobo.console.lists import addresses
from tobo.console.prices import SOURCE
from tobo.console.routing import Screen, shown
from tobo.console.spending import GROUPS, MOST_DAYS, Line, an_hour, since, spending, tag_keys, total
from tobo.console.visit import Visit
from tobo.operations.pricing import machine_price

COLOURS = 6
"""Groups that have a colour of their own; the others have one together."""

HEIGHT = 120
"""Of the chart, in its own units; a period is 10 wide."""


class Bar(NamedTuple):
    """A rectangle of the chart, in its own units."""

    x: int
    y: float
    height: float
    colour: int
    words: str


@shown("/costs")
def _costs(visit: Visit) -> Response:
    now = datetime.fromtimestamp(visit.context.clock.now(), UTC)
    first, last = days_asked(visit)
    by = visit.query.get("by") or "kind"
    lines, periods = spending(visit, first, last, by)
    running, month = an_hour(visit), now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return visit.page(
        "costs/costs.html",
        lines=lines,
        whole=total(lines),
        bars=_bars(lines, periods),
        periods=len(periods),
        span="day" if (last - first).days < MOST_DAYS else "month",
        dearest=max(_sums(lines), default=0.0),
        first=first,
        last=last,
        today=now.date(),
        by=by,
        groups=[(name, words) for name, (words, _, _) in GROUPS.items()]
        + [(f"tag:{key}", f"Tag {key}") for key in tag_keys(visit, first, last)],
        running=running,
        hourly=total(running),
        month=since(visit, month),
        day=since(visit, now.replace(hour=0, minute=0, second=0, microsecond=0)),
        own=machine_price(visit.context.settings),
        source=SOURCE,
        at=addresses(visit, "costs"),
    )


def _sums(lines: list[Line]) -> list[float]:
    """Of the periods in which anything was used."""
    numbers = {number for line in lines for number in line.dollars}
    return [sum(line.dollars.get(number, 0.0) for line in lines) for number in sorted(numbers)]


def _bars(lines: list[Line], periods: Sequence[str]) -> list[Bar]:
    """Periods beside each other, groups upon each other, the dearest at the bottom."""
    most = max(_sums(lines), default=0.0)
    bars, heights = list[Bar](), dict[int, float]()
    for rank, line in enumerate(lines):
        for number, dollars in sorted(line.dollars.items()):
            if dollars and most:
                height = dollars / most * HEIGHT
                heights[number] = heights.get(number, 0.0) + height
                words = f"{periods[number]}: {line.words} ${dollars:,.4f}"
                bars.append(Bar(10 * number, HEIGHT - heights[number], height, min(rank, COLOURS) + 1, words))
    return bars


SCREENS: tuple[Screen, ...] = (_costs,)
