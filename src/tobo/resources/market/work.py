"""What goes on in a subscription: it is asked for, granted, watched, told about."""

from typing import Any

from tobo.catalogs import CatalogError, Missing
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.envelopes import BadEnvelope, enclose
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.operations.market import SUBSCRIPTION, is_over, market_key
from tobo.operations.offering import catalog_named
from tobo.resources.market import states
from tobo.resources.market.grants import accept, grant_file, open_grant, request_file, statement_file
from tobo.resources.market.offers import LONGEST
from tobo.resources.market.usage import MOST_DAYS, total, used_by_day
from tobo.store.base import Row

LOOK_SECONDS = 3.0
"""How often a catalogue is looked into for a grant."""
WATCH_SECONDS = 10.0
STATEMENT_SECONDS = 3600.0


def ask(context: Context, row: Row) -> Outcome:
    """Puts the request where the seller finds it, and looks for the grant."""
    try:
        catalog = catalog_named(context, row.key.space, row.asked["Catalog"])
        if not row.found.get("_asked"):
            catalog.write(request_file(row.key.name), row.found["_request"].encode())
            return Again(0.0, {"_asked": True, "Reason": "Waiting for the seller's grant."})
    except (CatalogError, Fault) as error:
        reason = f"{error} Send the request of DescribeSubscription to the seller by another way, and ImportGrant what comes."
        return Again(LOOK_SECONDS, {"Reason": reason})
    return _look(context, row) or Again(LOOK_SECONDS)


def watch(context: Context, row: Row) -> Outcome:
    """Until its time is up or the seller ends it; tells the seller what it was used."""
    now = context.clock.now()
    if is_over(row, now):
        return Happened("ended", {"Reason": "Its time is up."})
    if row.found["Sealed"] and (outcome := _look(context, row)) is not None:
        return outcome
    if now - row.found.get("_stated", 0.0) < STATEMENT_SECONDS:
        return Again(WATCH_SECONDS)
    _state(context, row)
    return Again(WATCH_SECONDS, {"_stated": now})


def settle(context: Context, row: Row) -> Outcome:
    """The last statement."""
    return Done() if _state(context, row) else Again(STATEMENT_SECONDS)


def _look(context: Context, row: Row) -> Outcome | None:
    """What the grant in the catalogue makes of it; None where there is nothing new."""
    try:
        catalog = catalog_named(context, row.key.space, row.asked["Catalog"])
        event, found = accept(context, row, open_grant(catalog.read(grant_file(row.key.name), LONGEST)))
    except Missing:
        return None
    except (CatalogError, Fault, BadEnvelope) as error:
        reason = f"The grant in the catalogue is refused: {error}" if isinstance(error, BadEnvelope) else str(error)
        return None if row.found.get("Reason") == reason else Again(LOOK_SECONDS, {"Reason": reason})
    return Happened(event, found) if event else None


def _state(context: Context, row: Row) -> bool:
    """Writes the statement of use into the catalogue, replacing the last one; False where it could not be written."""
    now = context.clock.now()
    days = used_by_day(context, row, now - MOST_DAYS * 86_400)
    if not days:
        return True
    content: dict[str, Any] = {
        "Subscription": row.key.name,
        "Offer": row.asked["OfferId"],
        "OfferDigest": row.found["_digest"],
        "Buyer": row.key.space.account,
        "Stated": now,
        "Days": days,
        **total(days),
    }
    key = market_key(context.settings.state, row.key.space.account)
    try:
        catalog = catalog_named(context, row.key.space, row.asked["Catalog"])
        if not row.found["Sealed"]:  # by which the seller knows whose statement it is
            catalog.write(request_file(row.key.name), row.found["_request"].encode())
        catalog.write(statement_file(row.key.name), enclose("statement", content, key))
    except (CatalogError, Fault):
        return False
    return True


MACHINE = register(Machine(SUBSCRIPTION, states.TABLE, states.STATUS, (ask, watch, settle)))
