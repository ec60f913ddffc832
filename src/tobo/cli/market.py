"""tobo market: catalogues made known; offers searched, published and subscribed to; subscriptions granted and metered."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tobo.catalogs import Address
from tobo.cli.client import every_page, fail, speaking
from tobo.cli.output import plain, show, show_json, time_of, without_metadata
from tobo.operations.market import price_of
from tobo.operations.offering import read_addresses, write_addresses
from tobo.settings import Settings

app = typer.Typer(help="Models offered, subscribed to and metered.", no_args_is_help=True)

State = Annotated[Path | None, typer.Option(help="The server's state folder.")]
CatalogOption = Annotated[str, typer.Option("--catalog", help="The catalogue, where several are known.")]
OfferId = Annotated[str, typer.Argument(help="publisher/product/version")]
Subscription = Annotated[str, typer.Argument(help="As `tobo market subscriptions` names it; its beginning is enough.")]

_SERVICE = "tobo-market"
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@app.command()
def add(
    name: str,
    address: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix.")],
    endpoint: Annotated[str, typer.Option(help="The S3 it is in, where that is not this server: https://...")] = "",
    profile: Annotated[
        str, typer.Option(help="Whose keys of ~/.aws open that; without it only reading is tried.")
    ] = "",
    state: State = None,
) -> None:
    """Makes a catalogue known to the server: it may read it, and write offers and requests into it."""
    if not _NAME.fullmatch(name):
        raise typer.BadParameter(f"'{name}' is no name of a catalogue: letters, digits and hyphens, 63 at most.")
    if not address.startswith("s3://"):
        folder = Path(address).expanduser().absolute()
        if not folder.is_dir():
            raise typer.BadParameter(f"{folder} is no folder; make it first, or give s3://bucket/prefix.")
        if endpoint or profile:
            raise typer.BadParameter("--endpoint and --profile are for s3:// addresses.")
        address = str(folder)
    settings = Settings.read(state=state)
    known = read_addresses(settings.state)
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_addresses(settings.state, {**known, name: Address(address, endpoint, profile)})
    print(f"{name} is {Address(address, endpoint, profile)}")


@app.command()
def remove(name: str, state: State = None) -> None:
    """Makes the server forget a catalogue; what lies in it stays."""
    settings = Settings.read(state=state)
    known = read_addresses(settings.state)
    if name not in known:
        fail(f"There is no catalogue '{name}'; `tobo market catalogs` lists those that are known.")
    del known[name]
    write_addresses(settings.state, known)


@app.command()
def catalogs(state: State = None) -> None:
    """Lists the catalogues, and what keeps one from being read."""
    with speaking(state) as server:
        listed = server.client(_SERVICE).list_catalogs()["Catalogs"]
    show(Console(), ("Catalogue", "Address", ""), [[c["Name"], c["Address"], c.get("Problem", "")] for c in listed])


@app.command()
def search(
    words: Annotated[list[str] | None, typer.Argument(help="All of which an offer must have.")] = None,
    catalog: CatalogOption = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
    state: State = None,
) -> None:
    """Lists what is offered: licence, price, and whose key signed it."""
    asked = {"Text": " ".join(words or []), **({"Catalog": catalog} if catalog else {})}
    with speaking(state) as server:
        offers = every_page(server.client(_SERVICE).search_offers, "Offers", **asked)
    if as_json:
        show_json(offers)
        return
    rows = [
        [each["OfferId"], each["Title"], each["LicenseName"], price_of(each["Price"]), _words(each), each["Catalog"]]
        if "Title" in each
        else [each.get("OfferId", ""), f"refused: {each['Problem']}", "", "", "", each["Catalog"]]
        for each in offers
    ]
    show(Console(), ("Offer", "Title", "Licence", "Price", "", "Catalogue"), rows)


@app.command("show")
def describe(offer: OfferId, catalog: CatalogOption = "", state: State = None) -> None:
    """Prints all that its seller says of an offer, the licence's text at the end."""
    with speaking(state) as server:
        client = server.client(_SERVICE)
        found = client.describe_offer(Catalog=_catalog(client, catalog), OfferId=offer)["Offer"]
    lines = [f"{found['Title']} ({found['OfferId']})", *([found["Description"]] if found["Description"] else []), ""]
    lines += [
        f"Price:    {price_of(found['Price'])}",
        f"Signed:   {found['Fingerprint']}, {_TRUST[found['Trust']]}",
        f"Sealed:   {'yes: it can be served, and not looked into' if found['Sealed'] else 'no'}",
        f"Takes:    {', '.join(found['Inference'].get('ContentTypes', [])) or 'not said'}",
        f"Size:     {found['Size'] / 1e6:.1f} MB, published {time_of(found['Published'])}",
        *(f"{metric['Name']}: {metric['Value']:g}" for metric in found["Metrics"]),
        *(f"Sample:   {sample['Name']} ({sample['ContentType']})" for sample in found["Samples"]),
        f"\nLicence: {found['License']['Name']}",
        found["License"]["Text"],
    ]
    print(plain("\n".join(lines)))


@app.command()
def publish(
    package: Annotated[str, typer.Argument(help="A model package's name or ARN; a version must be approved.")],
    offer: Annotated[str, typer.Option("--as", help="publisher/product/version")],
    title: Annotated[str, typer.Option()],
    licence: Annotated[Path, typer.Option(help="A file with its text.")],
    licence_name: Annotated[str, typer.Option(help="Such as Apache-2.0.")],
    description: Annotated[str, typer.Option()] = "",
    hour: Annotated[float, typer.Option(help="US dollars an instance and hour.")] = 0.0,
    inference: Annotated[float, typer.Option(help="US dollars an inference.")] = 0.0,
    sample: Annotated[list[str] | None, typer.Option(help="An input to show, s3://...; may be given again.")] = None,
    certificate: Annotated[str, typer.Option(help="A compilation's certificate, s3://...")] = "",
    sealed: Annotated[bool, typer.Option("--sealed", help="Buyers can serve it and not look into it.")] = False,
    catalog: CatalogOption = "",
    state: State = None,
) -> None:
    """Offers a model package: signed, with licence, price, figures and samples."""
    publisher, product, version = _parts(offer)
    try:
        text = licence.read_text()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{licence} cannot be read: {error}.")
    with speaking(state) as server:
        client = server.client(_SERVICE)
        made = client.publish_offer(
            Catalog=_catalog(client, catalog),
            ModelPackageName=package,
            Publisher=publisher,
            Product=product,
            Version=version,
            Title=title,
            Description=description,
            License={"Name": licence_name, "Text": text},
            Price={"PerInstanceHour": hour, "PerInference": inference},
            Samples=sample or [],
            Sealed=sealed,
            **({"CertificateUri": certificate} if certificate else {}),
        )
    print(f"{made['OfferId']} is offered, signed with {made['Fingerprint']}")


@app.command()
def withdraw(offer: OfferId, catalog: CatalogOption = "", state: State = None) -> None:
    """Takes an offer of yours back; who has subscribed keeps it."""
    with speaking(state) as server:
        client = server.client(_SERVICE)
        client.withdraw_offer(Catalog=_catalog(client, catalog), OfferId=offer)


@app.command()
def subscribe(
    offer: OfferId,
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="You have read it and keep to it.")] = False,
    fingerprint: Annotated[str, typer.Option(help="The seller's key, as you know it by another way.")] = "",
    catalog: CatalogOption = "",
    state: State = None,
) -> None:
    """Subscribes: the model is a model package then, to be deployed like any other."""
    with speaking(state) as server:
        client = server.client(_SERVICE)
        named = _catalog(client, catalog)
        if not accept_licence:
            found = client.describe_offer(Catalog=named, OfferId=offer)["Offer"]
            print(plain(f"{found['License']['Text']}\n\n{price_of(found['Price'])}"))
            if not typer.confirm(f"Do you accept {plain(found['License']['Name'])}?"):
                fail("Nothing was subscribed to.")
        asked = {"Catalog": named, "OfferId": offer, "AcceptLicense": True}
        made = client.subscribe(**asked, **({"Fingerprint": fingerprint} if fingerprint else {}))
        found = client.describe_subscription(SubscriptionId=made["SubscriptionId"])["Subscription"]
    print(f"Subscription {made['SubscriptionId']} is {found['Status']}; signed with {made['Fingerprint']}")
    print(found["ModelPackageArn"])
    if found["Status"] == "Requested":
        print("It is sealed: replicas start once the seller has granted it.")


@app.command()
def subscriptions(state: State = None) -> None:
    """Lists what you subscribed to."""
    with speaking(state) as server:
        found = every_page(server.client(_SERVICE).list_subscriptions, "Subscriptions")
    rows = [
        [
            each["SubscriptionId"][:12],
            each["OfferId"],
            each["Status"],
            time_of(each["Subscribed"]),
            each.get("Reason", ""),
        ]
        for each in found
    ]
    show(Console(), ("Subscription", "Offer", "Status", "Since", ""), rows)


@app.command()
def cancel(subscription: Subscription, state: State = None) -> None:
    """Ends a subscription; its package and model go."""
    with speaking(state) as server:
        client = server.client(_SERVICE)
        client.cancel_subscription(SubscriptionId=_whole(client, subscription))


@app.command()
def request(subscription: Subscription, state: State = None) -> None:
    """Prints the request of a sealed subscription, for a seller who does not see the catalogue."""
    with speaking(state) as server:
        client = server.client(_SERVICE)
        found = client.describe_subscription(SubscriptionId=_whole(client, subscription))["Subscription"]
    if "Request" not in found:
        fail("It is not sealed and needs no grant.")
    print(found["Request"])


@app.command("import")
def import_grant(file: Path, state: State = None) -> None:
    """Takes a grant that came by another way than the catalogue."""
    with speaking(state) as server:
        made = server.client(_SERVICE).import_grant(Grant=_text_of(file))
    print(f"Subscription {made['SubscriptionId']} is {made['Status']}")


@app.command()
def requests(catalog: CatalogOption = "", state: State = None) -> None:
    """Lists who has subscribed to your offers, or asks to."""
    with speaking(state) as server:
        client = server.client(_SERVICE)
        found = every_page(client.list_requests, "Requests", Catalog=_catalog(client, catalog))
    rows = [
        [
            each["SubscriptionId"],
            each["OfferId"],
            f"{each['Buyer']} {each['Fingerprint']}",
            time_of(each["Requested"]),
            "revoked" if each["Revoked"] else "granted" if each["Granted"] else "waits",
        ]
        for each in found
    ]
    show(Console(), ("Subscription", "Offer", "Buyer", "Asked", ""), rows)


@app.command()
def grant(
    subscription: Annotated[str, typer.Argument(help="As `tobo market requests` names it.")] = "",
    file: Annotated[Path | None, typer.Option("--request", help="A request that came by another way.")] = None,
    ends: Annotated[str, typer.Option(help="A date, 2027-12-31: it opens until then, UTC.")] = "",
    catalog: CatalogOption = "",
    state: State = None,
) -> None:
    """Gives a buyer what opens a sealed offer; prints the grant where the request came as a file."""
    asked: dict[str, Any] = {}
    if ends:
        try:
            asked["Ends"] = datetime.fromisoformat(ends).replace(tzinfo=UTC)
        except ValueError:
            raise typer.BadParameter(f"'{ends}' is no date; give one like 2027-12-31.") from None
    with speaking(state) as server:
        client = server.client(_SERVICE)
        if file is not None:
            print(client.grant_subscription(Request=_text_of(file), **asked)["Grant"])
            return
        client.grant_subscription(Catalog=_catalog(client, catalog), SubscriptionId=subscription, **asked)


@app.command()
def revoke(
    subscription: Annotated[str, typer.Argument(help="As `tobo market requests` names it.")],
    reason: Annotated[str, typer.Option(help="What the buyer reads.")] = "",
    catalog: CatalogOption = "",
    state: State = None,
) -> None:
    """Ends a subscription to a sealed offer of yours."""
    with speaking(state) as server:
        client = server.client(_SERVICE)
        client.revoke_subscription(
            Catalog=_catalog(client, catalog), SubscriptionId=subscription, **({"Reason": reason} if reason else {})
        )


@app.command()
def usage(subscription: Subscription, state: State = None) -> None:
    """What a subscription was used and what that costs, by day."""
    with speaking(state) as server:
        client = server.client(_SERVICE)
        found = without_metadata(client.get_usage(SubscriptionId=_whole(client, subscription)))
    _show_use(found["Days"], found)


@app.command()
def statements(catalog: CatalogOption = "", state: State = None) -> None:
    """What buyers tell of their use of your offers."""
    with speaking(state) as server:
        client = server.client(_SERVICE)
        found = every_page(client.list_statements, "Statements", Catalog=_catalog(client, catalog))
    for each in found:
        print(
            f"{each['OfferId']}, subscription {each['SubscriptionId'][:12]} of {each['Buyer']}, {time_of(each['Stated'])}"
        )
        _show_use(each["Days"], each)


_TRUST = {
    "Known": "the key that this publisher's offers had before",
    "New": "a key that is new here: ask the publisher for it by another way",
    "Changed": "ANOTHER key than this publisher's offers had before",
}


def _words(offer: dict[str, Any]) -> str:
    sealed = ["sealed"] if offer["Sealed"] else []
    return ", ".join([*sealed, *(["another key than before"] if offer["Trust"] == "Changed" else [])])


def _show_use(days: list[dict[str, Any]], whole: dict[str, Any]) -> None:
    rows = [
        [day["Day"], f"{day['InstanceHours']:.3f}", str(day["Inferences"]), f"${day['Amount']:.4f}"]
        for day in [*days, {**whole, "Day": "together"}]
    ]
    show(Console(), ("Day", "Instance hours", "Inferences", "Amount"), rows)


def _catalog(client: Any, name: str) -> str:
    """The one that is named, or the only one that is known."""
    if name:
        return name
    listed = [str(each["Name"]) for each in client.list_catalogs()["Catalogs"]]
    if not listed:
        fail("No catalogue is known: `tobo market add NAME ADDRESS`.")
    if len(listed) > 1:
        fail(f"Say --catalog, one of {', '.join(listed)}.")
    return listed[0]


def _whole(client: Any, beginning: str) -> str:
    found = [
        each["SubscriptionId"]
        for each in every_page(client.list_subscriptions, "Subscriptions")
        if each["SubscriptionId"].startswith(beginning)
    ]
    if len(found) != 1:
        fail(f"'{beginning}' is the beginning of {len(found)} subscriptions; `tobo market subscriptions` lists them.")
    return str(found[0])


def _parts(offer: str) -> list[str]:
    parts = offer.split("/")
    if len(parts) != 3:
        raise typer.BadParameter(f"'{offer}' is not publisher/product/version.")
    return parts


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}.")
