"""The market in a real browser: found, read, subscribed to, granted, used, cancelled, offered and withdrawn by click."""

import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tests.conftest import Server
from tests.support.browser import Visitor, limited_user, needs_chromium, visitor
from tests.support.console import Client
from tests.support.endpoints import await_endpoint
from tests.support.market import LICENCE, Fair, know, signed_letters, signed_offer
from tests.support.named import IMAGE
from tests.support.own_code import packed, put
from tests.support.processes import until
from tests.support.unique import unique

from tobo.console import ROOT

pytestmark = needs_chromium

HOSTILE = '<img src=x onerror="document.title=1"> https://elsewhere.example/ **bold**'
CERTIFICATE = {
    "format": 1, "target": "rasp4b", "samples": {"count": 40, "labelled": 40, "origin": "the job's validation"},
    "tolerance": 0.01, "largest_difference": 0.02, "flipped": 0, "accuracy": {"before": 0.975, "after": 0.97},
    "bytes": {"before": 45_000_000, "after": 11_000_000}, "cpu_ms": {"before": 16.8, "after": 5.5}, "rejected": [],
    "forms": [{"form": "trained", "samples": 40, "largest_difference": 0.0, "flipped": 0, "accuracy": 0.975}],
}  # fmt: skip


@pytest.fixture(scope="module")
def fair(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Fair:
    """The shared server sells to itself, in the catalogue "fair"."""
    folder = tmp_path_factory.mktemp("fair")
    know(server, "fair", str(folder))
    return Fair(server, server, folder)


@pytest.fixture(scope="module")
def package(server: Server) -> str:
    """The ARN of one that names itself, and can be served by this server."""
    name = unique("goods")
    address = put(server, name.lower(), "model.tar.gz", packed({"name.txt": name}))
    container = {"Image": IMAGE, "ModelDataUrl": address}
    made = server.client("sagemaker").create_model_package(
        ModelPackageName=name,
        InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["image/png"]},
        CustomerMetadataProperties={"accuracy": "0.975"},
    )
    return str(made["ModelPackageArn"])


@pytest.fixture(scope="module")
def samples(server: Server) -> list[str]:
    """A picture, a file that calls itself one, and JSON."""
    data = io.BytesIO()
    Image.new("RGB", (96, 96), (30, 160, 90)).save(data, "PNG")
    bucket = unique("samples")
    files = {"a.png": data.getvalue(), "b.svg": b"<svg onload='alert(1)'/>", "c.json": b"{}"}
    return [put(server, bucket, name, body) for name, body in files.items()]


def offered(fair: Fair, package: str, **more: Any) -> str:
    return fair.publish(package, unique("marbles").lower(), **more)


@pytest.fixture
def whole(fair: Fair, package: str, samples: list[str]) -> str:
    """An offer with everything, whose seller writes what a browser would run."""
    address = put(fair.seller, unique("certificate"), "certificate.json", json.dumps(CERTIFICATE))
    return offered(
        fair, package, Title=f"Marbles {HOSTILE}", Description=f"{HOSTILE}\nSecond line.", Samples=samples,
        CertificateUri=address, License={**LICENCE, "Text": f"{HOSTILE}\n{LICENCE['Text']}"}, Price={"PerInstanceHour": 0.4, "PerInference": 0.0002},
    )  # fmt: skip


@pytest.fixture
def sealed(fair: Fair) -> str:
    return fair.publish(fair.package("hidden"), unique("sealed").lower(), Sealed=True)


def page_of(offer: str, *more: str) -> str:
    return "/".join(["market/offers/fair", offer, *more])


def subscribe(page: Page) -> str:
    """On an offer's page; the id of the subscription whose page comes then."""
    page.get_by_label("I accept the licence").check()
    page.get_by_role("button", name="Subscribe", exact=True).click()
    page.wait_for_url("**/market/subscriptions/*")
    return page.url.rpartition("/")[2]


def test_offers_are_found_by_words_catalogue_and_seal(root: Visitor, fair: Fair, whole: str, sealed: str) -> None:
    page = root.go("market")
    card = page.locator(".offers li", has_text=whole)
    for words in (
        "$0.40 an instance hour + $0.0002 an inference",
        "Apache-2.0",
        "accuracy",
        "0.975",
        "Your own",
    ):
        expect(card).to_contain_text(words)
    expect(page.locator(".offers li", has_text=sealed)).to_contain_text("Sealed")
    page.get_by_label("Words").fill(whole.split("/")[1])
    page.keyboard.press("Enter")
    expect(page.locator(".offers li")).to_have_count(1)
    page.get_by_label("Sealed").select_option("Sealed")
    expect(page.get_by_text("Nothing is like that")).to_be_visible()
    page = root.go("market?sealed=yes&catalog=fair")
    expect(page.locator(".offers li", has_text=sealed)).to_be_visible()
    expect(page.locator(".offers li", has_text=whole)).to_have_count(0)
    page.get_by_role("button", name="As code").click()
    expect(page.locator("#code")).to_contain_text('search_offers(MaxResults=50, Catalog="fair", Sealed=True)')


def test_what_is_not_as_signed_is_shown_with_its_reason(root: Visitor, fair: Fair, whole: str) -> None:
    file = fair.folder / "offers" / whole / "offer.json"
    file.write_text(file.read_text().replace('"payload": "', '"payload": "AAAA'))
    page = root.go("market")
    refused = page.get_by_role("region", name="Refused offers").locator("tr", has_text=whole)
    expect(refused).to_contain_text("signature does not hold")
    assert refused.locator("a, button").count() == 0
    page = root.go(page_of(whole))
    expect(page.locator(".refusal")).to_contain_text("signature does not hold")
    root.troubles.clear()  # the refusal is a 400, which the browser reports
    file.unlink()


def test_a_catalogue_that_cannot_be_read_says_so(root: Visitor, fair: Fair, whole: str, tmp_path: Path) -> None:
    know(fair.seller, "gone", str(tmp_path / "gone"))
    page = root.go("market")
    expect(page.locator(".notice.warn", has_text="The catalogue gone cannot be read")).to_be_visible()
    expect(page.locator(".offers li", has_text=whole)).to_be_visible()
    expect(root.go("market/selling?catalog=gone").locator(".notice.warn")).to_contain_text("cannot be read")
    known = json.loads((fair.seller.state / "catalogs.json").read_text())
    del known["gone"]
    (fair.seller.state / "catalogs.json").write_text(json.dumps(known))


def test_without_a_catalogue_the_page_says_how_one_is_made_known(browser: Browser, fresh_server: Any) -> None:
    with visitor(browser, fresh_server()) as its:
        its.sign_in()
        for path in ("market", "market/selling", "market/selling/publish"):
            expect(its.go(path).locator(".empty")).to_contain_text("tobo market add NAME ADDRESS")
        assert its.accessibility() == [] and its.troubles == []


def test_an_offer_is_text_whatever_its_seller_writes(root: Visitor, whole: str) -> None:
    page = root.go(page_of(whole))
    expect(page.locator("h1")).to_have_text(f"Marbles {HOSTILE}")
    expect(page.locator("p.written")).to_have_text(f"{HOSTILE}\nSecond line.")
    expect(page.locator("#licence pre")).to_contain_text("Do what you like.")
    assert page.title() == f"Marbles {HOSTILE} · tobo" or HOSTILE in page.title()
    assert page.locator("main img[src='x'], main a[href*='elsewhere']").count() == 0
    expect(page.locator(".stats", has_text="0.975").first).to_be_visible()
    expect(page.get_by_role("heading", name="Parity certificate")).to_be_visible()
    expect(page.get_by_role("region", name="Forms of the model")).to_contain_text("trained")
    expect(page.get_by_text("Takes", exact=False).first).to_be_visible()
    expect(page.locator(".facts", has_text="image/png")).to_be_visible()


def test_samples_are_shown_only_as_the_pictures_that_they_are(root: Visitor, fair: Fair, whole: str) -> None:
    page = root.go(page_of(whole))
    shown = page.locator(".samples img")
    expect(shown).to_have_count(1)
    assert shown.evaluate("async picture => (await picture.decode(), picture.naturalWidth)") == 96
    client = Client(fair.seller)
    client.enter(fair.seller)
    kinds = {}
    for name in ("01-a.png", "02-b.svg", "03-c.json"):
        status, headers, _ = client.ask("GET", page_of(whole, f"sample?name={name}"))
        assert status == 200 and headers["content-security-policy"].startswith("sandbox")
        assert headers["x-content-type-options"] == "nosniff"
        kinds[name] = (headers["content-type"], headers.get("content-disposition", "")[:10])
    saved = ("application/octet-stream", "attachment")
    assert kinds == {"01-a.png": ("image/png", ""), "02-b.svg": saved, "03-c.json": saved}
    assert client.ask("GET", page_of(whole, "sample?name=none"))[0] == 400


def test_a_certificate_of_another_kind_is_shown_as_it_is(root: Visitor, fair: Fair, package: str) -> None:
    odd = {**CERTIFICATE, "accuracy": {"before": "high", "after": "<b>higher"}}
    address = put(fair.seller, unique("odd"), "certificate.json", json.dumps(odd))
    page = root.go(page_of(offered(fair, package, CertificateUri=address)))
    expect(page.locator("details pre", has_text="<b>higher")).to_be_visible()
    assert page.get_by_role("heading", name="Parity certificate").count() == 0


def test_the_licence_is_accepted_and_a_fingerprint_compared(root: Visitor, whole: str) -> None:
    page = root.go(page_of(whole))
    page.get_by_role("button", name="Subscribe", exact=True).click()
    assert page.locator("[name=accept]:invalid").count() == 1
    page.get_by_label("I accept the licence").check()
    field, other = page.get_by_label("Fingerprint that you expect"), f"SHA256:{'A' * 43}"
    field.fill(other)
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(page.locator(".refusal")).to_contain_text(f"not with {other}")
    expect(field).to_have_value(other)
    field.fill(page.locator("code.written").first.inner_text())
    page.locator("#subscribe").get_by_role("button", name="As code").click()
    expect(page.locator("#code")).to_contain_text("AcceptLicense=True")
    page.get_by_role("button", name="Close").click()
    subscribe(page)
    expect(page.locator(".head .badge")).to_have_text("Active")
    page = root.go(page_of(whole))
    expect(page.get_by_role("link", name="Your subscription")).to_be_visible()
    expect(page.locator(".head .badge")).to_have_text("Your own")
    root.troubles.clear()  # the refused fingerprint


def test_a_publishers_key_is_new_known_or_another(root: Visitor, fair: Fair) -> None:
    publisher, key = unique("known").lower(), Ed25519PrivateKey.generate()
    model = b"any bytes"
    files = {"Name": "model.tar.gz", "Size": len(model), "Sha256": hashlib.sha256(model).hexdigest()}
    first = signed_offer(fair.folder, key, Publisher=publisher, Files={"Model": files, "Samples": []})
    (fair.folder / "offers" / first / "model.tar.gz").write_bytes(model)
    card = root.go(f"market?words={publisher}").locator(".offers li")
    expect(card.locator(".badge")).to_have_text("New key")
    fair.subscribe(first)
    second, forged = signed_offer(fair.folder, key, Publisher=publisher), signed_offer(fair.folder, Publisher=publisher)
    root.go(f"market?words={publisher}")
    expect(card.filter(has_text=second).locator(".badge")).to_have_text("Known key")
    expect(card.filter(has_text=forged).locator(".badge.bad")).to_have_text("ANOTHER key")
    page = root.go(page_of(forged))
    expect(page.locator(".notice.bad")).to_contain_text("ask the publisher by another way")
    assert page.locator("#subscribe, a[href='#subscribe']").count() == 0


def test_what_one_subscribed_to_is_deployed_used_and_cancelled(root: Visitor, fair: Fair, whole: str) -> None:
    page = root.go(page_of(whole))
    subscription = subscribe(page)
    expect(page.get_by_text("Not used in this time")).to_be_visible()
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/endpoints/create?model=*")
    name = unique("bought")
    page.fill("[name=name]", name)
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url(f"**/endpoints/{name}")
    assert await_endpoint(fair.buyer, name)["EndpointStatus"] == "InService"
    page = root.go(f"market/subscriptions/{subscription}")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator("#notices")).to_contain_text(f"endpoint '{name}' serves it; delete or stop it first.")
    expect(page.get_by_role("region", name="Use").locator("tfoot")).to_contain_text("Together", timeout=30_000)
    assert root.accessibility() == []
    sagemaker = fair.buyer.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=name)
    until(lambda: name not in [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]])
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator(".head .badge")).to_have_text("Ended")
    expect(page.locator(".notice.bad")).to_contain_text("Cancelled by")
    assert page.get_by_role("button", name="Deploy").count() == 0
    row = root.go("market/subscriptions?status=Ended").locator(f"#row-{subscription}")
    expect(row).to_contain_text(whole)
    root.troubles.clear()  # the refused cancellation


def test_the_package_of_a_subscription_has_a_page_of_its_own(root: Visitor, fair: Fair, whole: str) -> None:
    page = root.go(f"market/subscriptions/{fair.subscribe(whole)}")
    page.locator(".facts a", has_text="marbles").last.click()
    page.wait_for_url("**/packages/*")
    name = page.locator("h1").inner_text()
    expect(page.locator(".facts", has_text=IMAGE)).to_be_visible()
    assert root.accessibility() == []
    page.get_by_role("button", name="Make it a model").click()
    page.wait_for_url(f"**/models/{name}")
    root.go("model-packages").get_by_role("link", name="Packages without versions").click()
    page.get_by_label("Name contains").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_sealed_one_waits_is_granted_and_revoked(root: Visitor, fair: Fair, sealed: str) -> None:
    page = root.go(page_of(sealed))
    subscription = subscribe(page)
    expect(page.locator(".notice.warn")).to_contain_text("Waiting for the seller's grant.", timeout=30_000)
    expect(page.locator(".code-box", has_text="payloadType")).to_be_visible()
    assert page.get_by_role("button", name="Deploy").count() == 0
    seller = root.go("market/selling?catalog=fair")
    row = seller.locator(f"#row-{subscription}")
    expect(row.locator(".badge")).to_have_text("Waits")
    row.get_by_label("Until").fill((datetime.now(UTC) - timedelta(days=2)).date().isoformat())
    row.get_by_role("button", name="Grant").click()
    expect(row.locator(".refusal")).to_contain_text("which is over")
    row.get_by_label("Until").fill((datetime.now(UTC) + timedelta(days=30)).date().isoformat())
    row.get_by_role("button", name="Grant").click()
    expect(row.locator(".badge")).to_have_text("Granted")
    assert root.accessibility() == []
    until(lambda: fair.subscription(subscription)["Status"] == "Active")
    expect(root.go(f"market/subscriptions/{subscription}").locator(".head .badge")).to_have_text("Active")
    row = root.go("market/selling?catalog=fair").locator(f"#row-{subscription}")
    row.get_by_label("Reason").fill("Not paid.")
    row.get_by_role("button", name="Revoke").click()
    seller.get_by_role("button", name="Go ahead").click()
    expect(row.locator(".badge")).to_have_text("Revoked")
    expect(row).to_contain_text("Not paid.")
    root.troubles.clear()  # the refused end


def test_request_and_grant_go_by_another_way(root: Visitor, fair: Fair, sealed: str) -> None:
    subscription = fair.subscribe(sealed)
    request = fair.subscription(subscription)["Request"]
    page = root.go("market/selling?catalog=fair")
    page.get_by_text("A request that came by another way").click()
    page.get_by_label("Request", exact=True).fill("nonsense")
    page.get_by_role("button", name="Make the grant").click()
    expect(page.locator(".refusal")).to_contain_text("The request is refused")
    expect(page.get_by_label("Request", exact=True)).to_have_value("nonsense")
    page.get_by_label("Request", exact=True).fill(request)
    page.get_by_role("button", name="Make the grant").click()
    grant = page.locator("#grant code").inner_text()
    page = root.go(f"market/subscriptions/{subscription}")
    page.get_by_label("Grant", exact=True).fill("{}")
    page.get_by_role("button", name="Import grant").click()
    expect(page.locator(".refusal")).to_contain_text("The grant is refused")
    page.get_by_label("Grant", exact=True).fill(grant)
    page.get_by_role("button", name="Import grant").click()
    expect(page.locator("#notices")).to_contain_text("is Active")
    expect(page.locator(".head .badge")).to_have_text("Active")
    root.troubles.clear()  # both refusals


def test_a_model_package_is_offered_from_its_page_and_withdrawn(
    root: Visitor, fair: Fair, package: str, samples: list[str]
) -> None:
    product = unique("offered").lower()
    page = root.go(f"packages/{package.rpartition('/')[2]}")
    page.get_by_role("link", name="Offer on the market").click()
    expect(page.get_by_label("Model package")).to_have_value(package)
    page.get_by_label("Publisher").fill("acme")
    page.get_by_label("Product").fill(product)
    page.get_by_label("Title").fill("Whole marbles")
    page.get_by_label("Licence", exact=True).fill("MIT")
    page.get_by_label("Text of the licence").fill("Permission is hereby granted.")
    page.get_by_label("Dollars an inference").fill("0.001")
    page.get_by_label("Samples").fill("s3://no-such-bucket/a.png")
    page.get_by_role("button", name="Offer it").click()
    expect(page.locator(".refusal")).to_contain_text("s3://no-such-bucket/a.png")
    expect(page.get_by_label("Text of the licence")).to_have_value("Permission is hereby granted.")
    page.get_by_label("Samples").fill("\n".join(samples))
    page.locator("form.card").get_by_role("button", name="As code").click()
    expect(page.locator("#code")).to_contain_text("publish_offer")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Offer it").click()
    page.wait_for_url(f"**/market/offers/fair/acme/{product}/1.0")
    expect(page.locator("h1")).to_have_text("Whole marbles")
    expect(page.locator(".facts", has_text="$0.001 an inference")).to_be_visible()
    row = root.go("market/selling?catalog=fair").locator("tr", has_text=product)
    row.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Go ahead").click()
    expect(page.locator("#notices")).to_contain_text("no longer offered")
    expect(page.get_by_role("region", name="Your offers").locator("tr", has_text=product)).to_have_count(0)
    root.troubles.clear()  # the refused sample


def test_statements_of_buyers_are_read(root: Visitor, fair: Fair, whole: str) -> None:
    """A buyer's server writes them once an hour; one is written here as it would."""
    name = signed_letters(
        fair.folder,
        whole,
        Amount=12.5,
        Days=[{"Day": "2026-01-31", "InstanceHours": 2.0, "Inferences": 30, "Amount": 12.5}],
    )
    page = root.go("market/selling?catalog=fair")
    page.locator("summary", has_text=whole).click()
    table = page.get_by_role("region", name=f"Use of {name[:12]}")
    expect(table).to_contain_text("2026-01-31")
    expect(table.locator("tfoot")).to_contain_text("$12.50")


LOOKS = {"Effect": "Allow", "Resource": "*", "Action": [
    "tobo-market:List*", "tobo-market:Describe*", "tobo-market:Search*", "tobo-market:Get*", "sagemaker:List*", "sagemaker:Describe*"]}  # fmt: skip


def test_who_may_only_look_has_no_buttons(browser: Browser, fair: Fair, whole: str, sealed: str, package: str) -> None:
    subscription = fair.subscribe(sealed)
    until(lambda: (fair.folder / "requests" / f"{subscription}.json").exists())
    key, secret = limited_user(fair.seller, unique("looker"), LOOKS)
    with visitor(browser, fair.seller) as its:
        its.sign_in(key, secret)
        for path in (
            page_of(whole),
            f"market/subscriptions/{subscription}",
            "market/selling",
            f"packages/{package.rpartition('/')[2]}",
        ):
            page = its.go(path)
            assert page.locator("main form[hx-post]").count() == 0, path
        assert its.troubles == []
    key, secret = limited_user(fair.seller, unique("other"), {**LOOKS, "Action": ["sagemaker:List*"]})
    with visitor(browser, fair.seller) as its:
        its.sign_in(key, secret)
        expect(its.go("market").locator(".refusal")).to_contain_text("tobo-market:SearchOffers")


def test_what_changes_something_shows_the_sessions_token(fair: Fair, whole: str) -> None:
    client = Client(fair.seller)
    client.enter(fair.seller)
    status, _, body = client.post(page_of(whole, "subscribe"), {"accept": "on"})
    assert status == 403 and "InvalidCsrfToken" in body
    status, _, body = client.post(page_of(whole, "subscribe"), {}, X_CSRF_Token=client.csrf())
    assert status == 400 and "comes under Apache-2.0" in body


@pytest.fixture(scope="module")
def shop(fair: Fair, package: str, samples: list[str]) -> tuple[str, str]:
    """(offer, subscription) of a sealed model with samples, for looking at."""
    more = {"Samples": samples, "Description": "Words. " * 90, "Price": {"PerInstanceHour": 0.4}}
    offer = fair.publish(fair.package("shown"), unique("shown").lower(), Sealed=True, **more)
    name = fair.subscribe(offer)
    until(lambda: (fair.folder / "requests" / f"{name}.json").exists())
    return offer, name


PAGES = ("market", "market/offers/fair/{offer}", "market/subscriptions", "market/subscriptions/{name}", "market/selling?catalog=fair",
         "market/selling/publish", "packages")  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible_small_and_fit_a_phone(themed: Visitor, shop: tuple[str, str], path: str) -> None:
    sizes: list[int] = []
    themed.page.on("requestfinished", lambda request: sizes.append(sum(list(request.sizes().values()))))
    page = themed.go(path.format(offer=shop[0], name=shop[1]))
    page.wait_for_load_state("load")
    assert page.locator("h1").count() == 1
    assert themed.accessibility() == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert len(sizes) <= 15 and sum(sizes) <= 300_000
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert themed.accessibility() == []


def test_the_palette_finds_the_market_and_its_packages(root: Visitor, package: str) -> None:
    page = root.go("market")
    for typed, found in (
        ("market sub", "Market subscriptions"),
        (package.rpartition("/")[2], package.rpartition("/")[2]),
    ):
        page.keyboard.press("Control+k")
        page.locator(".palette input").fill(typed)
        expect(page.get_by_role("option", name=found).first).to_be_visible()
        page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.locator(".palette input").fill("sell on the market")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ROOT}/market/selling")
