"""What strangers put into a catalogue: signed well and made wrong, it is refused by its name and breaks nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.conftest import Server
from tests.support.market import digest_of, know, market, refusal
from tests.support.market import signed_offer as offer
from tests.support.unique import unique

from tobo.operations.envelopes import enclose
from tobo.operations.market import market_key


@pytest.fixture(scope="module")
def folder(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue that the server knows by the folder's name."""
    place = tmp_path_factory.mktemp(unique("strangers"))
    know(server, place.name, str(place))
    return place


def test_a_search_tells_the_first_figure_and_whose_it_is(server: Server, folder: Path) -> None:
    theirs, own = offer(folder), offer(folder, market_key(server.state, server.account))
    bare = offer(folder, Metrics=[])
    found = {each["OfferId"]: each for each in market(server).search_offers(Catalog=folder.name)["Offers"]}
    assert found[theirs]["Headline"] == {"Name": "accuracy", "Value": 0.9}
    assert "Headline" not in found[bare]
    assert (found[theirs]["Own"], found[own]["Own"]) == (False, True)
    assert market(server).describe_offer(Catalog=folder.name, OfferId=own)["Offer"]["Own"] is True


FILES = {"Model": {"Name": "model.tar.gz", "Size": 1, "Sha256": "0" * 64}}
SAMPLE = {"Name": "01-a.jpg", "Size": 5, "Sha256": "0" * 64, "ContentType": "image/jpeg"}


@pytest.mark.parametrize(
    "changed",
    [
        {"Price": {"Currency": "USD", "PerInstanceHour": "0.5"}}, {"Price": {"Currency": "EUR", "PerInference": 1.0}}, {"Price": None},
        {"Price": {"Currency": "USD", "PerInference": -1.0}}, {"Published": 1e300}, {"Published": "today"}, {"Title": "x" * 121},
        {"Title": ["Marbles"]}, {"Description": None}, {"License": {"Name": "MIT", "Text": "x" * 200_001}}, {"Certificate": {"a": 1}},
        {"Metrics": [{"Name": "accuracy", "Value": "high"}]}, {"Metrics": [None]},
        {"Inference": {"Image": "tobo-echo", "ContentTypes": "image/jpeg"}}, {"Inference": {"Image": "tobo-echo", "Environment": []}},
        {"Inference": None}, {"Files": {**FILES, "Samples": [{**SAMPLE, "Size": "5"}]}},
        {"Files": {**FILES, "Samples": [{**SAMPLE, "ContentType": 5}]}}, {"Files": {**FILES, "Samples": [SAMPLE] * 21}},
    ],
    ids=str,
)  # fmt: skip
def test_an_offer_that_is_none_is_refused_alone(server: Server, folder: Path, changed: dict[str, Any]) -> None:
    odd, good = offer(folder, **changed), offer(folder)
    client = market(server)
    found = {each["OfferId"]: each for each in client.search_offers(Catalog=folder.name)["Offers"]}
    assert "it lacks what an offer has" in found[odd]["Problem"] and found[good]["Title"] == "Marbles"
    for call in (client.describe_offer, lambda **asked: client.subscribe(AcceptLicense=True, **asked)):
        code, said = refusal(call, Catalog=folder.name, OfferId=odd)
        assert code == "ValidationException" and odd in said


def letters(folder: Path, kind: str, name: str, content: dict[str, Any]) -> None:
    (folder / f"{kind}s").mkdir(exist_ok=True)
    (folder / f"{kind}s" / f"{name}.json").write_bytes(enclose(kind, content, Ed25519PrivateKey.generate()))


@pytest.mark.parametrize(
    ("kind", "listed"), [("request", "Requests"), ("statement", "Statements")], ids=["request", "statement"]
)
def test_a_letter_that_lacks_something_does_not_hide_the_others(
    server: Server, folder: Path, kind: str, listed: str
) -> None:
    mine = offer(folder, market_key(server.state, server.account))
    digest = digest_of(folder, mine)
    kept = (
        server.state / "market" / server.account / "offers" / f"{digest}.json"
    )  # as of an offer that the server has made
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({"OfferId": mine, "Key": ""}))
    whole = {"Offer": mine, "OfferDigest": digest, "Buyer": "111122223333", "Requested": 1.0, "Stated": 1.0}
    key, name = Ed25519PrivateKey.generate(), "a" * 32
    figures = {"Days": [], "InstanceHours": 1.0, "Inferences": 1, "Amount": 0.5, "Currency": "USD"}
    for each in ("request", kind):  # a statement counts with the request of the same key
        (folder / f"{each}s").mkdir(exist_ok=True)
        content = {"Subscription": name, **whole, **figures}
        (folder / f"{each}s" / f"{name}.json").write_bytes(enclose(each, content, key))
    wrong: dict[str, Callable[[dict[str, Any]], Any]] = {
        "Buyer": lambda content: content.pop("Buyer"),
        "Requested": lambda content: content.update(Requested="soon", Stated="soon"),
        "Offer": lambda content: content.update(Offer=["many"]),
        "Days": lambda content: content.update(Days=[{"Day": 5}], Amount="much"),
    }
    for number, (what, spoil) in enumerate(wrong.items()):
        content = {"Subscription": f"{number:032x}", **whole, **figures}
        spoil(content)
        if kind == "request" and what == "Days":
            continue  # which requests have none of
        letters(folder, kind, f"{number:032x}", content)
    client = market(server)
    found = {"request": client.list_requests, "statement": client.list_statements}[kind](Catalog=folder.name)[listed]
    assert [each["SubscriptionId"] for each in found if each["OfferId"] == mine] == [name]


def test_a_request_without_its_offers_digest_is_refused(server: Server, folder: Path) -> None:
    mine = offer(folder, market_key(server.state, server.account))
    letters(folder, "request", "b" * 32, {"Subscription": "b" * 32, "Offer": mine, "Buyer": "x", "Requested": 1.0})
    code, said = refusal(market(server).grant_subscription, Catalog=folder.name, SubscriptionId="b" * 32)
    assert code == "ValidationException" and "not for an offer that this account has sealed" in said
