"""The buyer's operations of tobo-market: catalogues searched, offers read, subscriptions made, used and ended."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from tobo.catalogs import CatalogError
from tobo.kit.arn import Arn, Namespace
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri
from tobo.operations.context import Call
from tobo.operations.envelopes import BadEnvelope, enclose, own_fingerprint
from tobo.operations.listing import list_rows, page_of
from tobo.operations.machine import advance_fresh
from tobo.operations.market import SUBSCRIPTION, market_key, own_identity
from tobo.operations.offering import catalog_named, read_addresses, temporary_folder
from tobo.operations.registry import operation
from tobo.operations.results import put_file
from tobo.operations.rows import add_row
from tobo.resources.market import states
from tobo.resources.market.grants import accept, open_grant
from tobo.resources.market.offers import OFFERS, Offer, all_offers, fetch, read_offer, read_sample
from tobo.resources.market.usage import total, used_by_day
from tobo.store.base import AlreadyExists, Conflict, Key, Query, Row

SERVICE = "tobo-market"
PAGE = 100

PUBLISHER = "market-publisher"
"""Rows that say whose key a publisher's offers are signed with: the one of the first subscription."""


def anything(call: Call, asked: Mapping[str, Any]) -> str:
    """What the market's policies are about: its operations, not single offers."""
    return "*"


@operation(SERVICE, "ListCatalogs", resource=anything)
def list_catalogs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the server knows, each with what keeps it from being read."""
    listed = []
    for name, address in read_addresses(call.context.settings.state).items():
        told = {"Name": name, "Address": str(address)}
        try:
            next(catalog_named(call.context, call.space, name).names(f"{OFFERS}/"), None)
        except CatalogError as error:
            told["Problem"] = str(error)
        listed.append(told)
    return {"Catalogs": listed}


@operation(SERVICE, "SearchOffers", resource=anything)
def search_offers(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By words of title, description, product, publisher and licence, all of which must be there; what is refused is
    told, with its reason. Raises Fault ResourceNotFound for a catalogue that is not known."""
    words, own = asked.get("Text", "").casefold().split(), _own_fingerprint(call)
    found = []
    for catalog, offer_id, offer in all_offers(call, asked.get("Catalog")):
        if isinstance(offer, Fault):
            if not words or any(word in offer_id for word in words):
                found.append(
                    {"Catalog": catalog, **({"OfferId": offer_id} if offer_id else {}), "Problem": offer.message}
                )
            continue
        license_name = offer.content["License"]["Name"]
        text = " ".join((offer.id, offer.content["Title"], offer.content["Description"], license_name)).casefold()
        if all(word in text for word in words) and asked.get("Sealed", offer.sealed) == offer.sealed:
            metrics = offer.content["Metrics"]
            found.append({**_summary(call, offer, own), **({"Headline": metrics[0]} if metrics else {})})
    items, more = page_of(found, "offers", asked, PAGE)
    return {"Offers": list(items), **more}


@operation(SERVICE, "DescribeOffer", resource=anything)
def describe_offer(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that its seller signed. Raises Fault ResourceNotFound, ValidationException for what is not as signed."""
    offer = read_offer(call, asked["Catalog"], asked["OfferId"])
    content = offer.content
    members = {name: content[name] for name in ("Description", "License", "Metrics", "Inference")}
    samples = [
        {name: each.get(name) for name in ("Name", "ContentType", "Size")} for each in content["Files"]["Samples"]
    ]
    certificate = {"Certificate": content["Certificate"]} if content["Certificate"] else {}
    told = {"Size": offer.model["Size"], "Digest": offer.digest, "Samples": samples}
    return {"Offer": {**_summary(call, offer, _own_fingerprint(call)), **members, **certificate, **told}}


@operation(SERVICE, "GetSample", resource=anything)
def get_sample(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """An input that the seller shows. Raises Fault as DescribeOffer."""
    data, content_type = read_sample(call, read_offer(call, asked["Catalog"], asked["OfferId"]), asked["Name"])
    return {"Body": data, "ContentType": content_type}


@operation(SERVICE, "Subscribe", resource=anything)
def subscribe(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Takes the model into a bucket of the account and makes a model package of it; a sealed one is asked for, too.

    The first subscription to a publisher's offers fixes whose key signs them; another key is taken where Fingerprint names
    it. Raises Fault ResourceNotFound, ConflictException where there is a subscription already, ValidationException where
    the licence is not accepted or the offer is not as signed.
    """
    offer = read_offer(call, asked["Catalog"], asked["OfferId"])
    if not asked["AcceptLicense"]:
        raise validation(
            f"'{offer.id}' comes under {offer.content['License']['Name']}; read it with DescribeOffer and give AcceptLicense."
        )
    _check_key(call, offer, asked.get("Fingerprint"))
    for state in (states.REQUESTED, states.ACTIVE):
        query = Query(call.space, SUBSCRIPTION, status=state, where={"OfferId": offer.id}, limit=1)
        for row in call.context.store.page(query).rows:
            raise Fault("ConflictException", f"Subscription {row.key.name} to '{offer.id}' is {state} already.")
    subscription = uuid.uuid4().hex
    place = _take(call, offer)
    request = _request(call, offer, subscription)
    found = {
        "ModelPackageArn": _package(call, offer, place),
        "Fingerprint": offer.fingerprint,
        "Sealed": offer.sealed,
        "Price": offer.content["Price"],
        "LicenseName": offer.content["License"]["Name"],
        "AcceptedBy": call.principal.arn,
        "_digest": offer.digest,
        "_artifact": offer.model["Sha256"],
        "_place": str(place),
        "_terms": {"Image": offer.content["Inference"]["Image"], "Environment": _environment(offer)},
        "_request": request.decode(),
    }
    state = states.REQUESTED if offer.sealed else states.ACTIVE
    add_row(
        call,
        SUBSCRIPTION,
        subscription,
        {"Catalog": offer.catalog, "OfferId": offer.id},
        lambda arn: Fault("ConflictException", f"{arn} exists."),
        state=state,
        found=found,
        todo=("ask",) if offer.sealed else ("watch",),
        arn=str(Arn(SERVICE, call.space.region, call.space.account, f"subscription/{subscription}")),
    )
    _remember_key(call, offer)
    return {"SubscriptionId": subscription, "Status": state, "Fingerprint": offer.fingerprint}


@operation(SERVICE, "DescribeSubscription", resource=anything)
def describe_subscription(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With the request that its seller grants, where it is sealed. Raises Fault ResourceNotFound."""
    row = known(call, asked["SubscriptionId"])
    return {"Subscription": {**_told(row), **({"Request": row.found["_request"]} if row.found["Sealed"] else {})}}


@operation(SERVICE, "ListSubscriptions", resource=anything)
def list_subscriptions(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The newest first."""
    filters = {**asked, "StatusEquals": asked.get("Status")}
    return list_rows(call, SUBSCRIPTION, filters, "Subscriptions", _told, None, PAGE)


@operation(SERVICE, "CancelSubscription", resource=anything)
def cancel_subscription(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Ends it and removes package and model. Raises Fault ConflictException while something serves it."""
    row = known(call, asked["SubscriptionId"])
    package, ledger = row.found["ModelPackageArn"], call.context.ledger
    spans = ledger.spans(call.space.account, row.created, call.now, call.now, package) if ledger else []
    for span in spans:
        if span.running:
            raise Fault(
                "ConflictException", f"{span.owner.kind} '{span.owner.name}' serves it; delete or stop it first."
            )
    try:
        call.call("sagemaker", "DeleteModelPackage", ModelPackageName=package)
    except Fault as fault:
        if fault.code != "ValidationException":  # somebody has deleted it already
            raise
    remove_model(call, row)
    end(call, row.key.name, f"Cancelled by {call.principal.arn}.")
    return {}


@operation(SERVICE, "ImportGrant", resource=anything)
def import_grant(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A grant that came by another way than the catalogue. Raises Fault ResourceNotFound, ValidationException."""
    try:
        grant = open_grant(asked["Grant"])
        row = known(call, grant.subscription)
        event, found = accept(call.context, row, grant)
    except BadEnvelope as bad:
        raise validation(f"The grant is refused: {bad}") from None
    if event:
        advance_fresh(call.context, lambda: _moving(call, row.key.name, event), event, found)
    return {"SubscriptionId": row.key.name, "Status": known(call, row.key.name).status}


@operation(SERVICE, "GetUsage", resource=anything)
def get_usage(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What it was used and what that costs, by day (UTC). Raises Fault ResourceNotFound."""
    row = known(call, asked["SubscriptionId"])
    start, end = (asked[name].timestamp() if asked.get(name) else None for name in ("Start", "End"))
    days = used_by_day(call.context, row, start, end)
    return {"Days": days, **total(days)}


def known(call: Call, subscription: str) -> Row:
    """Raises Fault ResourceNotFound."""
    row = call.context.store.get(Key(call.space, SUBSCRIPTION, subscription))
    if row is None:
        raise Fault("ResourceNotFound", f"There is no subscription '{subscription}' here.")
    return row


def end(call: Call, subscription: str, reason: str) -> None:
    """One that has ended already is no error."""

    def going() -> Row | None:
        row = known(call, subscription)
        return None if row.state == states.ENDED else row

    advance_fresh(call.context, going, "ended", {"Reason": reason, "Ends": call.now})


def remove_model(call: Call, row: Row) -> None:
    """The archive in the bucket, unless another subscription has the same."""
    same = Query(call.space, SUBSCRIPTION, where={"_place": row.found["_place"]}, limit=100)
    if all(other.key == row.key or other.state == states.ENDED for other in call.context.store.page(same).rows):
        bucket, _, key = row.found["_place"].removeprefix("s3://").partition("/")
        call.context.objects.delete(call.space, bucket, [key])


def _moving(call: Call, subscription: str, event: str) -> Row | None:
    row = known(call, subscription)
    return row if (row.state, event) in states.TABLE else None


def _own_fingerprint(call: Call) -> str:
    return own_fingerprint(market_key(call.context.settings.state, call.space.account))


def _summary(call: Call, offer: Offer, own: str) -> dict[str, Any]:
    content = offer.content
    return {
        "OfferId": offer.id,
        "Catalog": offer.catalog,
        "Publisher": content["Publisher"],
        "Product": content["Product"],
        "Version": content["Version"],
        "Title": content["Title"],
        "LicenseName": content["License"]["Name"],
        "Price": content["Price"],
        "Sealed": offer.sealed,
        "Published": content["Published"],
        "Fingerprint": offer.fingerprint,
        "Trust": _trusted(call, offer),
        "Own": offer.fingerprint == own,
    }


def _told(row: Row) -> dict[str, Any]:
    members = ("ModelPackageArn", "Fingerprint", "Sealed", "Price", "LicenseName", "AcceptedBy", "Ends", "Reason")
    found = {name: row.found[name] for name in members if row.found.get(name) is not None}
    return {"SubscriptionId": row.key.name, **row.asked, "Status": row.status, "Subscribed": row.created, **found}


def _publisher(call: Call, offer: Offer) -> Key:
    return Key(Namespace(call.space.account, ""), PUBLISHER, offer.content["Publisher"])


def _trusted(call: Call, offer: Offer) -> str:
    row = call.context.store.get(_publisher(call, offer))
    if row is None:
        return "New"
    return "Known" if row.found["Fingerprint"] == offer.fingerprint else "Changed"


def _check_key(call: Call, offer: Offer, wanted: str | None) -> None:
    """Raises Fault where the offer is signed by another key than was asked for, or, where none was, than the publisher's
    offers were."""
    if wanted == offer.fingerprint:
        return
    if wanted:
        raise validation(f"'{offer.id}' is signed with {offer.fingerprint}, not with {wanted}.")
    row = call.context.store.get(_publisher(call, offer))
    if row is not None and row.found["Fingerprint"] != offer.fingerprint:
        raise validation(
            f"'{offer.id}' is signed with {offer.fingerprint}, but publisher '{row.key.name}' signed with "
            f"{row.found['Fingerprint']} when you last subscribed. Somebody else may use the name: ask the publisher by "
            "another way, and give Fingerprint if the new key is theirs."
        )


def _remember_key(call: Call, offer: Offer) -> None:
    """Whose key a publisher's offers are signed with, from now on."""
    key, found = _publisher(call, offer), {"Fingerprint": offer.fingerprint}
    while True:
        row = call.context.store.get(key)
        try:
            if row is None:
                call.context.store.insert(Row(key, "", {}, found, "", "Known", call.now, call.now))
            elif row.found != found:
                call.context.store.update(row, found=found, modified=call.now)
        except (AlreadyExists, Conflict):
            continue
        return


def _take(call: Call, offer: Offer) -> S3Uri:
    """The model in a bucket of the account, as the seller signed it."""
    file = temporary_folder(call.context) / uuid.uuid4().hex
    place = S3Uri(f"tobo-market-{call.space.account}-{call.space.region}", f"{offer.id}/{offer.model['Name']}")
    try:
        fetch(call, offer, file)
        try:
            call.context.objects.bucket(call.space, place.bucket)
        except Fault:
            call.context.objects.create_bucket(call.space, place.bucket, {})
        put_file(call.context.objects, call.space, file, place, "application/x-gzip")
    finally:
        file.unlink(missing_ok=True)
    return place


def _environment(offer: Offer) -> dict[str, str]:
    return {str(name): str(value) for name, value in offer.content["Inference"].get("Environment", {}).items()}


def _package(call: Call, offer: Offer, place: S3Uri) -> str:
    """The ARN of the model package that is made of it; that of an earlier subscription serves again."""
    inference = offer.content["Inference"]
    words = re.sub("[^a-z0-9]+", "-", offer.id)[:54].rstrip("-")
    name, environment = f"{words}-{offer.digest[:8]}", _environment(offer)
    container = {"Image": inference["Image"], "ModelDataUrl": str(place)}
    specification = {
        "Containers": [{**container, **({"Environment": environment} if environment else {})}],
        "SupportedContentTypes": inference.get("ContentTypes", []),
        "SupportedResponseMIMETypes": inference.get("ResponseTypes", []),
    }
    try:
        made = call.call(
            "sagemaker",
            "CreateModelPackage",
            ModelPackageName=name,
            ModelPackageDescription=f"{offer.content['Title']} ({offer.id})"[:1024],
            InferenceSpecification=specification,
            Tags=[{"Key": "tobo:offer", "Value": offer.id}],
        )
        return str(made["ModelPackageArn"])
    except Fault as fault:
        try:
            there = call.call("sagemaker", "DescribeModelPackage", ModelPackageName=name)
        except Fault:
            raise fault from None
        return str(there["ModelPackageArn"])


def _request(call: Call, offer: Offer, subscription: str) -> bytes:
    """What the seller grants, signed: whose subscription it is and for which key a grant is to be made."""
    state, account = call.context.settings.state, call.space.account
    recipient = {"Recipient": str(own_identity(state, account).to_public())} if offer.sealed else {}
    content = {
        "Subscription": subscription,
        "Offer": offer.id,
        "OfferDigest": offer.digest,
        "Buyer": account,
        "Requested": call.now,
        **recipient,
    }
    return enclose("request", content, market_key(state, account))
