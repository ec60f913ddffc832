"""What an endpoint has beside its variants: data capture, review by people and a backlog. They follow its fleet and end with its route."""

from tobo.kit.fault import Fault
from tobo.operations.closing import at_close
from tobo.operations.context import Context
from tobo.operations.review import rule_of
from tobo.resources.endpoints.accepted import Ways
from tobo.resources.endpoints.backlog import Backlog, kind_of
from tobo.resources.endpoints.capture import Capture
from tobo.resources.endpoints.fleets import Fleet
from tobo.resources.endpoints.review import STREAM, Review
from tobo.resources.endpoints.routes import ROUTES, Route
from tobo.resources.endpoints.telling import tell
from tobo.store.base import Query, Row


def follow(context: Context, route: Route) -> None:
    """Brings them up to date with the fleet that answers, and writes what they have held for a while; again and again."""
    fleet: Fleet | None = route.row.found["_fleet"] or route.row.found["_next"]
    assert fleet is not None
    _follow_capture(context, route, fleet)
    _follow_review(context, route)
    _follow_backlog(context, route, fleet)


def end(route: Route) -> None:
    """Writes what was captured, shows what is doubtful, and gives up what is under way."""
    if route.capture is not None:
        route.capture.flush()
    if route.review is not None:
        route.review.flush(last=True)
    backlog, route.backlog = route.backlog, None
    if backlog is not None:
        backlog.stop()


def drop_backlog(context: Context, row: Row) -> None:
    """Removes the requests of an endpoint that goes."""
    kind = kind_of(row)
    while rows := context.store.page(Query(row.key.space, kind, limit=1000)).rows:
        for waiting in rows:
            context.store.delete(waiting)


@at_close
def close(context: Context) -> None:
    """A clean stop of the server loses nothing of what was captured; requests under way are asked again after it."""
    for route in ROUTES.values():
        end(route)


def _follow_capture(context: Context, route: Route, fleet: Fleet) -> None:
    config = fleet.get("DataCaptureConfig")
    wanted = config if config and config.get("EnableCapture") else None
    old = route.capture
    if wanted != (old.config if old is not None else None):
        space, _, name = route.row.key
        route.capture = Capture(context, space, name, wanted) if wanted else None
        if old is not None:
            old.flush()
    elif old is not None:
        old.flush_when_due()


def _follow_review(context: Context, route: Route) -> None:
    old, tags = route.review, route.row.tags
    if tags != route.tags:
        route.tags, route.review = tags, _review_of(context, route.row)
        if old is not None:
            old.flush(last=True)
    elif old is not None:
        old.flush_when_due()


def _review_of(context: Context, row: Row) -> Review | None:
    """What the endpoint's tags ask for; tags that ask for nothing possible are told in its log group."""
    space, _, name = row.key
    try:
        rule = rule_of(row.tags)
    except Fault as fault:
        tell(context, space, name, STREAM, fault.message)
        return None
    return Review(context, space, name, rule) if rule is not None else None


def _follow_backlog(context: Context, route: Route, fleet: Fleet) -> None:
    config = fleet.get("AsyncInferenceConfig")
    if route.backlog is None:
        if config is None and (route.drained or not _waiting(context, route)):
            route.drained = True
            return
        route.backlog = Backlog(context, route.row, _ways(route))
    # A fleet that is not asynchronous any more still answers what was accepted before it came.
    if config is None and not _waiting(context, route):
        route.backlog.stop()
        route.backlog = None
        return
    shadows = {variant["VariantName"] for variant in fleet["variants"] if variant["Shadow"]}
    ready = [r for r in fleet["replicas"] if r["ready"] and r["variant"] not in shadows]
    route.backlog.follow(config or {"OutputConfig": {}}, len(ready))


def _waiting(context: Context, route: Route) -> bool:
    """Whether there are accepted requests that have no answer yet."""
    return context.store.count(Query(route.row.key.space, kind_of(route.row))) > 0


def _ways(route: Route) -> Ways:
    def pick() -> tuple[str, str]:
        target = route.pick()
        return target.variant, target.group

    return Ways(pick, route.tell)
