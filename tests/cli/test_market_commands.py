"""tobo market as people use it: a catalogue made known, an offer published, bought, granted, told of."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.support.market import Fair, open_fair
from tests.support.processes import until

pytestmark = pytest.mark.xdist_group("market-commands")


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fair]:
    yield from open_fair(tmp_path_factory.mktemp("fair"))


def tobo(server: Server, *arguments: str, stdin: str = "", code: int = 0) -> str:
    command = [sys.executable, "-m", "tobo", "market", *arguments, "--state", str(server.state)]
    ran = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=60, check=False)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout + " ".join(ran.stderr.replace("│", "").split()) * bool(
        code
    )  # a wrong command line is told in a box


def rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_from_a_folder_to_a_statement(fair: Fair, tmp_path: Path) -> None:
    licence = tmp_path / "LICENCE"
    licence.write_text("Sort marbles with it.\x1b[2J\n")
    said = tobo(
        fair.seller,
        *("publish", fair.package("secret"), "--as", "acme/marbles/2.0", "--title", "Marbles, ok or ko", "--sealed"),
        *("--licence", str(licence), "--licence-name", "Marble-1", "--hour", "0.4", "--inference", "0.01"),
    )
    assert said.startswith("acme/marbles/2.0 is offered, signed with SHA256:")
    price = "$0.40 an instance hour + $0.01 an inference"
    assert rows(tobo(fair.buyer, "search", "marbles", "ko")) == [
        ["acme/marbles/2.0", "Marbles, ok or ko", "Marble-1", price, "sealed", "fair"]
    ]
    assert json.loads(tobo(fair.buyer, "search", "--json"))[0]["Price"]["PerInference"] == 0.01
    page = tobo(fair.buyer, "show", "acme/marbles/2.0")
    assert price in page and "ask the publisher for it by another way" in page and "accuracy: 0.975" in page
    assert page.endswith("Sort marbles with it.[2J\n\n")  # what steers a terminal is not printed
    assert "Nothing was subscribed to." in tobo(fair.buyer, "subscribe", "acme/marbles/2.0", stdin="n\n", code=1)
    bought = tobo(fair.buyer, "subscribe", "acme/marbles/2.0", stdin="y\n")
    assert "is Requested" in bought and ":model-package/acme-marbles-2-0-" in bought
    [[short, offer, status, *_]] = rows(tobo(fair.buyer, "subscriptions"))
    assert (offer, status) == ("acme/marbles/2.0", "Requested") and tobo(fair.buyer, "request", short).startswith("{")
    until(lambda: rows(tobo(fair.seller, "requests")) != [])
    [[whole, _, buyer, _, waits]] = rows(tobo(fair.seller, "requests"))
    assert whole.startswith(short) and buyer.startswith(fair.buyer.account) and waits == "waits"
    assert "is no date" in tobo(fair.seller, "grant", whole, "--ends", "soon", code=2)
    tobo(fair.seller, "grant", whole, "--ends", "2099-12-31")
    until(lambda: rows(tobo(fair.buyer, "subscriptions"))[0][2] == "Active")
    endpoint = fair.model(whole)
    fair.deploy(endpoint)
    fair.ask(endpoint)
    until(lambda: rows(tobo(fair.buyer, "usage", short))[-1][2] == "1")
    day, together = rows(tobo(fair.buyer, "usage", short))
    assert together[0] == "together" and day[1:] == together[1:] and float(day[3].removeprefix("$")) >= 0.01
    assert "serves it" in tobo(fair.buyer, "cancel", short, code=1)
    tobo(fair.seller, "revoke", whole, "--reason", "Sold out.")
    until(lambda: rows(tobo(fair.buyer, "subscriptions"))[0][4].endswith("Sold out."))
    until(lambda: tobo(fair.seller, "statements").startswith(f"acme/marbles/2.0, subscription {short}"))
    tobo(fair.seller, "withdraw", "acme/marbles/2.0")
    assert tobo(fair.buyer, "search") == ""


def test_a_grant_by_another_way(fair: Fair, tmp_path: Path) -> None:
    offer = fair.publish(fair.package("s"), "by-mail", Sealed=True)
    name = fair.subscribe(offer)
    request, grant = tmp_path / "request.json", tmp_path / "grant.json"
    request.write_text(tobo(fair.buyer, "request", name))
    grant.write_text(tobo(fair.seller, "grant", "--request", str(request)))
    assert tobo(fair.buyer, "import", str(grant)) == f"Subscription {name} is Active\n"
    assert "cannot be read" in tobo(fair.buyer, "import", str(tmp_path / "none"), code=1)


def test_catalogues_are_made_known_and_forgotten(fair: Fair, tmp_path: Path) -> None:
    assert rows(tobo(fair.buyer, "catalogs")) == [["fair", str(fair.folder), ""]]
    assert "is no folder" in tobo(fair.buyer, "add", "stick", str(tmp_path / "none"), code=2)
    assert "is no name" in tobo(fair.buyer, "add", "a stick", str(tmp_path), code=2)
    assert tobo(fair.buyer, "add", "stick", str(tmp_path)) == f"stick is {tmp_path}\n"
    far = ("add", "far", "s3://shop/models", "--endpoint", "http://127.0.0.1:9", "--profile", "shop")
    assert tobo(fair.buyer, *far) == "far is s3://shop/models at http://127.0.0.1:9\n"
    [_, _, problem] = rows(tobo(fair.buyer, "catalogs"))[1]
    assert "shop" in problem
    assert "Say --catalog, one of fair, far, stick." in tobo(fair.buyer, "show", "a/b/c", code=1)
    for name in ("far", "stick"):
        tobo(fair.buyer, "remove", name)
    assert "There is no catalogue 'far'" in tobo(fair.buyer, "remove", "far", code=1)
    assert [row[0] for row in rows(tobo(fair.buyer, "catalogs"))] == ["fair"]
