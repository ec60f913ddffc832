"""What a seller does with buyers: sees who asks, grants, revokes, reads what was used."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tobo.catalogs import CatalogError, Missing
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.envelopes import BadEnvelope, Opened, enclose, open_envelope, own_fingerprint
from tobo.operations.listing import page_of
from tobo.operations.market import market_key, seal_key
from tobo.operations.offering import catalog_named
from tobo.operations.registry import operation
from tobo.resources.market.api import PAGE, SERVICE, anything
from tobo.resources.market.grants import grant_file, open_grant, request_file
from tobo.resources.market.offers import LONGEST, fits, is_moment
from tobo.resources.market.published import noted_offer


@operation(SERVICE, "ListRequests", resource=anything)
def list_requests(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Who has subscribed, or asks to, to offers of this account in a catalogue."""
    found, catalog = [], catalog_named(call.context, call.space, asked["Catalog"])
    own = own_fingerprint(market_key(call.context.settings.state, call.space.account))
    for request, told in _from_buyers(call, asked["Catalog"], "request"):
        told |= {"Requested": request.content["Requested"], "Granted": False, "Revoked": False}
        try:
            grant = open_grant(catalog.read(grant_file(request.content["Subscription"]), LONGEST))
            if grant.fingerprint == own:
                told |= {"Granted": not grant.revoked, "Revoked": grant.revoked}
                told |= {"Ends": grant.ends} if grant.ends else {}
                told |= {"Reason": grant.reason} if grant.reason else {}
        except (CatalogError, BadEnvelope):
            pass  # not granted yet
        found.append(told)
    items, more = page_of(found, "requests", asked, PAGE)
    return {"Requests": list(items), **more}


@operation(SERVICE, "GrantSubscription", resource=anything)
def grant_subscription(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Gives one buyer what opens a sealed offer: by a request in a catalogue, or by one that came another way.

    Granting again replaces what was granted before, its end included. Raises Fault ResourceNotFound, ValidationException.
    """
    request = _request(call, asked)
    content = request.content
    offer_key = _key_of(call, content.get("OfferDigest"))
    if asked.get("Ends") and asked["Ends"].timestamp() <= call.now:
        raise validation(f"Ends is {asked['Ends'].isoformat()}, which is over.")
    try:
        sealed = seal_key(offer_key, str(content["Recipient"]))
    except (KeyError, ValueError) as error:
        raise validation(f"The request has no key to grant to: {error}.") from None
    granted = {"Key": sealed, **({"Ends": asked["Ends"].timestamp()} if asked.get("Ends") else {})}
    return _grant(call, asked.get("Catalog"), content, granted)


@operation(SERVICE, "RevokeSubscription", resource=anything)
def revoke_subscription(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Ends a subscription to a sealed offer: no replica of it starts any more once the buyer's server has read so."""
    content = _request(call, asked).content
    _key_of(call, content.get("OfferDigest"))
    return _grant(call, asked["Catalog"], content, {"Revoked": True, "Reason": asked.get("Reason", "")})


@operation(SERVICE, "ListStatements", resource=anything)
def list_statements(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What buyers tell of their use of this account's offers, each signed with the key of the buyer's request."""
    buyers = {
        request.content["Subscription"]: request.fingerprint
        for request, _ in _from_buyers(call, asked["Catalog"], "request")
    }
    found = []
    for statement, told in _from_buyers(call, asked["Catalog"], "statement"):
        if buyers.get(statement.content["Subscription"]) == statement.fingerprint:
            found.append({**told, **{name: statement.content[name] for name in _STATED}})
    items, more = page_of(found, "statements", asked, PAGE)
    return {"Statements": list(items), **more}


def _from_buyers(call: Call, catalog: str, kind: str) -> Iterator[tuple[Opened, dict[str, Any]]]:
    """Requests or statements in a catalogue about offers that this account has ever made there, each with whose it is; what is
    not well signed is left out. Raises Fault ValidationException where the catalogue cannot be read."""
    opened = catalog_named(call.context, call.space, catalog)
    try:
        for name in opened.names(f"{kind}s/"):
            try:
                found = open_envelope(kind, opened.read(name, LONGEST))
            except (BadEnvelope, CatalogError):
                continue
            content = found.content
            if name != f"{kind}s/{content.get('Subscription')}.json" or not _is_plain(kind, content):
                continue
            if noted_offer(call, content.get("OfferDigest")) is not None:
                whose = {
                    "SubscriptionId": content["Subscription"],
                    "OfferId": content["Offer"],
                    "Buyer": content["Buyer"],
                }
                yield found, {**whose, "Catalog": catalog, "Fingerprint": found.fingerprint}
    except CatalogError as error:
        raise validation(str(error)) from None


_STATED = ("Stated", "Days", "InstanceHours", "Inferences", "Amount", "Currency")
"""What a statement says besides whose it is."""


def _is_plain(kind: str, content: Mapping[str, Any]) -> bool:
    """Whether a buyer's text has what is read of one: anybody may put files into a catalogue."""
    members = {**content, "SubscriptionId": content.get("Subscription"), "OfferId": content.get("Offer")}
    shape, moment = {"request": ("BuyerRequest", "Requested"), "statement": ("Statement", "Stated")}[kind]
    wanted = ("Subscription", "Offer", "Buyer", *(_STATED if kind == "statement" else ()))
    return (
        fits(shape, members)
        and all(content.get(name) is not None for name in wanted)
        and all(day.keys() >= {"Day", "InstanceHours", "Inferences", "Amount"} for day in content.get("Days", []))
        and is_moment(content.get(moment))
    )


def _request(call: Call, asked: Mapping[str, Any]) -> Opened:
    """The request that is meant. Raises Fault."""
    text = asked.get("Request")
    if not text and not (asked.get("Catalog") and asked.get("SubscriptionId")):
        raise validation("Give Request, the text of a request, or Catalog and SubscriptionId, where one lies.")
    try:
        if not text:
            text = catalog_named(call.context, call.space, asked["Catalog"]).read(
                request_file(asked["SubscriptionId"]), LONGEST
            )
        request = open_envelope("request", text)
        subscription = str(request.content["Subscription"])
        if not re.fullmatch("[0-9a-f]{32}", subscription) or asked.get("SubscriptionId") not in (None, subscription):
            raise BadEnvelope(f"it is for subscription '{subscription[:100]}'.")
    except Missing:
        raise Fault("ResourceNotFound", f"There is no request of subscription '{asked['SubscriptionId']}'.") from None
    except CatalogError as error:
        raise validation(str(error)) from None
    except (BadEnvelope, KeyError) as bad:
        raise validation(f"The request is refused: {bad}") from None
    return request


def _grant(call: Call, catalog: str | None, request: Mapping[str, Any], granted: Mapping[str, Any]) -> dict[str, Any]:
    subscription = request["Subscription"]
    content = {"Subscription": subscription, "OfferDigest": request["OfferDigest"], "Granted": call.now, **granted}
    envelope = enclose("grant", content, market_key(call.context.settings.state, call.space.account))
    if catalog:
        try:
            catalog_named(call.context, call.space, catalog).write(grant_file(subscription), envelope)
        except CatalogError as error:
            raise validation(str(error)) from None
    return {"SubscriptionId": subscription, "Grant": envelope.decode()}


def _key_of(call: Call, digest: Any) -> str:
    """What opens a sealed offer of this account. Raises Fault ValidationException where there is none of the digest."""
    key = (noted_offer(call, digest) or {}).get("Key")
    if not key:
        raise validation("The request is not for an offer that this account has sealed; others need no grant.")
    return key
