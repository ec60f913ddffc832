"""The market: what is offered in the catalogues, one offer with all that its seller says of it, and subscribing."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tobo.console.certificates import certificate_of
from tobo.console.lists import PAGE, addresses
from tobo.console.reading import image_type
from tobo.console.routing import Screen, posted, shown
from tobo.console.safe_bytes import download, picture
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault
from tobo.operations.market import price_of

SERVICE = "tobo-market"

TRUST = {
    "Own": ("good", "Your own", "Signed with this account's own key."),
    "Known": ("good", "Known key", "Signed with the key that this publisher's offers had when you first subscribed."),
    "New": (
        "",
        "New key",
        "Signed with a key that is new here. Anybody can write this publisher's name: ask the publisher for the key's "
        "fingerprint by another way before you subscribe. The first subscription fixes the key.",
    ),
    "Changed": (
        "bad",
        "ANOTHER key",
        "Signed with ANOTHER key than this publisher's offers had when you first subscribed. Somebody else may use the "
        "name: ask the publisher by another way. It is subscribed to with `tobo market subscribe --fingerprint` alone, once they have said that it is theirs.",
    ),
}
"""What is known of the key: tone, a word, a sentence."""

SHOWN = ("image/jpeg", "image/png")
"""Samples that are shown in the page; all others are saved."""

AT_ONCE, AT_ONCE_BYTES = 6, 120_000
"""Pictures that come with the page; what is more is asked for by a click each: a page stays small."""


@shown("/market")
def _search(visit: Visit) -> Response:
    """?words= &catalog= &sealed=yes|no"""
    asked: dict[str, Any] = {"MaxResults": PAGE}
    for name, member in (("words", "Text"), ("catalog", "Catalog"), ("token", "NextToken")):
        if value := visit.query.get(name):
            asked[member] = value
    if visit.query.get("sealed") in ("yes", "no"):
        asked["Sealed"] = visit.query["sealed"] == "yes"
    found = visit.call(SERVICE, "SearchOffers", **asked)
    return visit.page(
        "market/search.html",
        asked=asked,
        offers=[one for one in found["Offers"] if "Problem" not in one],
        refused=[one for one in found["Offers"] if "Problem" in one],
        catalogs=catalogs_of(visit),
        next_token=found.get("NextToken"),
        at=addresses(visit, "market"),
        **words(),
    )


@shown("/market/offers/{catalog}/{publisher}/{product}/{version}")
def _offer(visit: Visit) -> Response:
    offer = visit.call(SERVICE, "DescribeOffer", **_named(visit))["Offer"]
    return visit.page(
        "market/offer.html",
        offer=offer,
        certificate=certificate_of(offer.get("Certificate")),
        certificate_text=_indented(offer.get("Certificate")),
        samples=_samples(offer),
        subscription=_subscription(visit, offer["OfferId"]),
        **words(),
    )


@shown("/market/offers/{catalog}/{publisher}/{product}/{version}/sample")
def _sample(visit: Visit) -> Response:
    """The bytes of ?name=: pictures are shown, all else is saved, whatever the seller says that it is."""
    name = visit.query.get("name", "")
    data = visit.quietly(SERVICE, "GetSample", **_named(visit), Name=name)["Body"]
    kind = image_type(data)
    return picture(data, kind) if kind in SHOWN else download(data, name)


@posted("/market/offers/{catalog}/{publisher}/{product}/{version}/subscribe")
def _subscribe(visit: Visit) -> Response:
    fields, named = fields_of(visit.form), _named(visit)
    more = {"Fingerprint": fields["fingerprint"]} if "fingerprint" in fields else {}
    made = visit.change(SERVICE, "Subscribe", **named, AcceptLicense="accept" in fields, **more)
    said = f"You have subscribed to {named['OfferId']}."
    return visit.done(url("market", "subscriptions", made.get("SubscriptionId", "")), said)


@posted("/market/offers/{catalog}/{publisher}/{product}/{version}/withdraw")
def _withdraw(visit: Visit) -> Response:
    named = _named(visit)
    visit.change(SERVICE, "WithdrawOffer", **named)
    return visit.done(url("market", "selling", catalog=named["Catalog"]), f"{named['OfferId']} is no longer offered.")


def catalogs_of(visit: Visit) -> list[dict[str, Any]]:
    """Those that the server knows; none where the key may not list them."""
    try:
        found: list[dict[str, Any]] = visit.quietly(SERVICE, "ListCatalogs")["Catalogs"]
    except Fault:
        return []
    return found


def words() -> dict[str, Any]:
    """What templates say of offers and subscriptions."""
    return {"price_of": price_of, "offer_url": offer_url, "trust_of": trust_of}


def trust_of(offer: Mapping[str, Any]) -> tuple[str, str, str]:
    """Of TRUST. A name under which somebody else's key is known is warned of, even where one's own key signed."""
    return TRUST["Own" if offer["Own"] and offer["Trust"] != "Changed" else offer["Trust"]]


def offer_url(one: Mapping[str, Any], *more: str, **query: Any) -> str:
    """The page of whatever names its Catalog and OfferId."""
    return url("market", "offers", one["Catalog"], *one["OfferId"].split("/"), *more, **query)


def _named(visit: Visit) -> dict[str, str]:
    parts = (visit.path[name] for name in ("publisher", "product", "version"))
    return {"Catalog": visit.path["catalog"], "OfferId": "/".join(parts)}


def _subscription(visit: Visit, offer: str) -> dict[str, Any] | None:
    """The newest one to it that holds or is waited for; None where there is none, or the key may not look."""
    try:
        found = visit.quietly(SERVICE, "ListSubscriptions", MaxResults=100)["Subscriptions"]
    except Fault:
        return None
    there = (one for one in found if one["OfferId"] == offer and one["Status"] in ("Requested", "Active"))
    return next(there, None)


def _samples(offer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """With `Shown`, "now", "later" or "": whether it is a picture that comes with the page, or one that is asked for."""
    samples, count, size = list[dict[str, Any]](), 0, 0
    for each in offer["Samples"]:
        how = "later" if each["ContentType"] in SHOWN else ""
        if how and count < AT_ONCE and size + each["Size"] <= AT_ONCE_BYTES:
            how, count, size = "now", count + 1, size + each["Size"]
        samples.append({**each, "Shown": how})
    return samples


def _indented(text: str | None) -> str | None:
    """JSON as people read it; the text as it is where it is none."""
    try:
        return text and json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


SCREENS: tuple[Screen, ...] = (_search, _offer, _sample, _subscribe, _withdraw)
