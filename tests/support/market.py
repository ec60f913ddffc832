"""Servers that share a catalogue in a folder: one sells, the other buys, or one does both; and what strangers put there."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.conftest import Server
from tests.support.endpoints import await_endpoint, variant
from tests.support.jobs import ROLE
from tests.support.own_code import PYTHON, packed, put
from tests.support.own_services import own_client
from tests.support.unique import unique

from tobo.operations.envelopes import enclose, open_envelope

CODE = """
import pathlib, socket


def model_fn(model_dir):
    return pathlib.Path(model_dir, "secret.txt").read_text()


def predict_fn(data, model):
    try:
        socket.create_connection(("127.0.0.1", 9), 2)
    except OSError as error:
        return [model, error.strerror]
"""
LICENCE = {"Name": "Apache-2.0", "Text": "Do what you like.\nNo warranty."}


def market(server: Server, keys: tuple[str, str] | None = None) -> Any:
    """A client of tobo-market."""
    return own_client(server, "tobo-market", keys)


def know(server: Server, name: str, place: str, **more: str) -> None:
    """What `tobo market add` writes."""
    file = server.state / "catalogs.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**known, name: {"place": place, **more}}))


def signed_offer(folder: Path, key: Ed25519PrivateKey | None = None, **changed: Any) -> str:
    """One that `key` has signed, else a stranger's, written into a catalogue's folder as it is; the id."""
    content = {
        "Publisher": "stranger", "Product": unique("odd").lower(), "Version": "1.0", "Title": "Marbles", "Description": "",
        "License": LICENCE, "Price": {"Currency": "USD", "PerInstanceHour": 0.5}, "Sealed": False, "Certificate": None,
        "Published": time.time(), "Metrics": [{"Name": "accuracy", "Value": 0.9}, {"Name": "loss", "Value": 0.1}],
        "Inference": {"Image": "tobo-echo", "Environment": {}, "ContentTypes": [], "ResponseTypes": [], "InstanceTypes": []},
        "Files": {"Model": {"Name": "model.tar.gz", "Size": 1, "Sha256": "0" * 64}, "Samples": []},
        **changed,
    }  # fmt: skip
    place = folder / "offers" / content["Publisher"] / content["Product"] / content["Version"]
    place.mkdir(parents=True)
    (place / "offer.json").write_bytes(enclose("offer", content, key or Ed25519PrivateKey.generate()))
    return f"{content['Publisher']}/{content['Product']}/{content['Version']}"


def digest_of(folder: Path, offer: str) -> str:
    """By which requests, grants and statements name an offer of a catalogue's folder."""
    return open_envelope("offer", (folder / "offers" / offer / "offer.json").read_bytes()).digest


def signed_letters(folder: Path, offer: str, name: str = "", **changed: Any) -> str:
    """A buyer's request and statement about an offer, signed with one key; the subscription that they are about."""
    key, name = Ed25519PrivateKey.generate(), name or uuid.uuid4().hex
    content = {
        "Subscription": name, "Offer": offer, "OfferDigest": digest_of(folder, offer), "Buyer": "111122223333", "Requested": 1.0, "Stated": 1.0,
        "Days": [], "InstanceHours": 1.0, "Inferences": 1, "Amount": 0.5, "Currency": "USD", **changed,
    }  # fmt: skip
    for kind in ("request", "statement"):
        (folder / f"{kind}s").mkdir(exist_ok=True)
        (folder / f"{kind}s" / f"{name}.json").write_bytes(enclose(kind, content, key))
    return name


@dataclass(frozen=True)
class Fair:
    """`folder` is the catalogue "fair" of both."""

    seller: Server
    buyer: Server
    folder: Path

    @property
    def sells(self) -> Any:
        return market(self.seller)

    @property
    def buys(self) -> Any:
        return market(self.buyer)

    def package(self, secret: str, image: str = PYTHON, code: str = CODE, **environment: str) -> str:
        """A model package of the seller's, of its own code; its ARN."""
        return self.packaged(packed({"secret.txt": secret, "code/inference.py": code}), image, **environment)

    def packaged(self, archive: bytes, image: str, **environment: str) -> str:
        """The same of an archive."""
        name = unique("goods")
        address = put(self.seller, name.lower(), "model.tar.gz", archive)
        container = {"Image": image, "ModelDataUrl": address, **({"Environment": environment} if environment else {})}
        made = self.seller.client("sagemaker").create_model_package(
            ModelPackageName=name,
            InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["application/json"]},
            CustomerMetadataProperties={"accuracy": "0.975", "training job": "marbles-7"},
        )
        return str(made["ModelPackageArn"])

    def publish(self, package: str, product: str, **more: Any) -> str:
        asked = {"Publisher": "acme", "Product": product, "Version": "1.0", "Title": "Marbles", "License": LICENCE}
        made = self.sells.publish_offer(**{"Catalog": "fair", "ModelPackageName": package, **asked, **more})
        return str(made["OfferId"])

    def subscribe(self, offer: str, **more: Any) -> str:
        made = self.buys.subscribe(**{"Catalog": "fair", "OfferId": offer, "AcceptLicense": True, **more})
        return str(made["SubscriptionId"])

    def subscription(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.buys.describe_subscription(SubscriptionId=name)["Subscription"]
        return found

    def model(self, subscription: str, **container: Any) -> str:
        name = unique("bought")
        whole = {"ModelPackageName": self.subscription(subscription)["ModelPackageArn"], **container}
        self.buyer.client("sagemaker").create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=whole)
        return name

    def deploy(self, model: str, **changed: Any) -> dict[str, Any]:
        sagemaker = self.buyer.client("sagemaker")
        sagemaker.create_endpoint_config(EndpointConfigName=model, ProductionVariants=[variant(model, **changed)])
        sagemaker.create_endpoint(EndpointName=model, EndpointConfigName=model)
        return await_endpoint(self.buyer, model)

    def ask(self, endpoint: str) -> Any:
        answer = self.buyer.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, ContentType="application/json", Body=b"1"
        )
        return json.loads(answer["Body"].read())


def open_fair(folder: Path, **environment: str) -> Iterator[Fair]:
    """Both servers run while it is open."""
    catalog = folder / "catalog"
    catalog.mkdir()
    seller, buyer = (Server(folder / name / "state", environment) for name in ("seller", "buyer"))
    try:
        for server in (seller, buyer):
            server.state.mkdir(parents=True)
            server.start()
            know(server, "fair", str(catalog))
        yield Fair(seller, buyer, catalog)
    finally:
        seller.end()
        buyer.end()


def refusal(call: Callable[..., Any], *given: Any, **asked: Any) -> tuple[str, str]:
    """Code and sentence of what is refused."""
    with pytest.raises(ClientError) as refused:
        call(*given, **asked)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]
