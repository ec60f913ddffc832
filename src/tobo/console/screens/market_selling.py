"""Selling on the market: a model package is offered, buyers' requests are granted, their statements read."""

from collections.abc import Callable
from typing import Any

from starlette.responses import HTMLResponse, Response

from tobo.console.days import day_of
from tobo.console.routing import Screen, posted, shown
from tobo.console.screens.market import SERVICE, catalogs_of, offer_url, words
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

LICENCES = ("Apache-2.0", "MIT", "BSD-3-Clause", "CC-BY-4.0", "CC-BY-SA-4.0", "AGPL-3.0-only", "Proprietary")
"""Proposed names; any other can be typed."""

MOST_PAGES = 20
"""Of one list that are read for one page: 2000 offers, requests or statements."""


@shown("/market/selling")
def _selling(visit: Visit) -> Response:
    """?catalog= chooses whose offers, requests and statements are shown; the first one without a word."""
    catalogs = catalogs_of(visit)
    names = [one["Name"] for one in catalogs]
    catalog = visit.query.get("catalog") or (names[0] if names else "")
    offers = _every(visit, "SearchOffers", "Offers", catalog) if catalog else []
    own = {one["OfferId"]: one for one in offers if one.get("Own")}
    return visit.page(
        "market/selling.html",
        catalogs=catalogs,
        catalog=catalog,
        problem=next((one["Problem"] for one in offers if "OfferId" not in one), ""),
        offers=list(own.values()),
        sealed={name for name, one in own.items() if one["Sealed"]},
        requests=_every(visit, "ListRequests", "Requests", catalog) if own else [],
        statements=_every(visit, "ListStatements", "Statements", catalog) if own else [],
        **words(),
    )


@shown("/market/selling/publish")
def _form(visit: Visit) -> Response:
    """?package= fills in what its model package says."""
    name = visit.query.get("package", "")
    package = visit.quietly("sagemaker", "DescribeModelPackage", ModelPackageName=name) if name else {}
    return visit.page(
        "market/publish.html",
        catalogs=catalogs_of(visit),
        name=name,
        package=package,
        title=package.get("ModelPackageGroupName") or package.get("ModelPackageName", ""),
        version=f"{package['ModelPackageVersion']}.0" if package.get("ModelPackageVersion") else "1.0",
        licences=LICENCES,
    )


@posted("/market/selling/publish")
def _publish(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    prices = {"PerInstanceHour": _dollars(fields, "hour"), "PerInference": _dollars(fields, "inference")}
    asked: dict[str, Any] = {
        "Catalog": fields.get("catalog", ""),
        "ModelPackageName": fields.get("package", ""),
        "Publisher": fields.get("publisher", ""),
        "Product": fields.get("product", ""),
        "Version": fields.get("version", ""),
        "Title": fields.get("title", ""),
        "License": {"Name": fields.get("licence", ""), "Text": fields.get("text", "")},
        "Price": {name: dollars for name, dollars in prices.items() if dollars},
        "Sealed": "sealed" in fields,
    }
    if "description" in fields:
        asked["Description"] = fields["description"]
    if samples := fields.get("samples", "").split():
        asked["Samples"] = samples
    if "certificate" in fields:
        asked["CertificateUri"] = fields["certificate"]
    made = visit.change(SERVICE, "PublishOffer", **asked)
    offer = made.get("OfferId", "any/any/any")
    return visit.done(offer_url({**asked, "OfferId": offer}), f"{offer} is offered.")


@posted("/market/selling/grant")
def _grant(visit: Visit) -> Response:
    """A request that lies in the catalogue."""
    fields = fields_of(visit.form)
    name, catalog = fields.get("subscription", ""), fields.get("catalog", "")
    visit.change(SERVICE, "GrantSubscription", Catalog=catalog, SubscriptionId=name, **_ends(fields))
    return visit.done(url("market", "selling", catalog=catalog), f"Subscription {name[:12]} was granted.")


@posted("/market/selling/letter")
def _letter(visit: Visit) -> Response:
    """A request that came by another way; the grant is answered, to be sent back by the same."""
    fields = fields_of(visit.form)
    made = visit.change(SERVICE, "GrantSubscription", Request=fields.get("request", ""), **_ends(fields))
    if visit.as_code:
        return visit.done("", "")
    return HTMLResponse(visit.rendering.page("market/grant.html", {"grant": made["Grant"]}))


@posted("/market/selling/revoke")
def _revoke(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name, catalog = fields.get("subscription", ""), fields.get("catalog", "")
    reason = {"Reason": fields["reason"]} if "reason" in fields else {}
    visit.change(SERVICE, "RevokeSubscription", Catalog=catalog, SubscriptionId=name, **reason)
    return visit.done(url("market", "selling", catalog=catalog), f"Subscription {name[:12]} was revoked.")


def _every(visit: Visit, operation: str, member: str, catalog: str) -> list[dict[str, Any]]:
    """All that a list of a catalogue tells; the first of its pages is the one that is shown as code. [] where it may not be asked."""
    if not visit.may(SERVICE, operation):
        return []
    ask: Callable[..., Any] = visit.call
    found, more = list[dict[str, Any]](), dict[str, str]()
    for _ in range(MOST_PAGES):
        answer = ask(SERVICE, operation, Catalog=catalog, **more)
        found += answer[member]
        if "NextToken" not in answer:
            break
        ask, more = visit.quietly, {"NextToken": answer["NextToken"]}
    return found


def _ends(fields: dict[str, str]) -> dict[str, Any]:
    return {"Ends": day_of(fields["ends"], "Ends")} if "ends" in fields else {}


def _dollars(fields: dict[str, str], name: str) -> float:
    """Raises Fault ValidationException, which calls the field by its name."""
    try:
        return float(fields.get(name, 0))
    except ValueError:
        raise Fault("ValidationException", f"'{fields[name][:40]}' at {name} is no number; write 0.40, say.") from None


SCREENS: tuple[Screen, ...] = (_selling, _form, _publish, _grant, _letter, _revoke)
