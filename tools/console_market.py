"""The market of the console's world: a catalogue with our own offers and those of others, subscriptions, use, a request that waits."""

import io
import tarfile
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tobo.algorithms.image_classification.recipes import IMAGE
from tobo.catalogs import Address
from tobo.cli.story.connection import Connection
from tobo.cli.story.photos import marbles
from tobo.cli.story.training import INSTANCE, Place
from tobo.operations.envelopes import enclose
from tobo.operations.offering import write_addresses

LICENCE = {
    "Name": "CC-BY-4.0",
    "Text": "You may share and adapt this model for any purpose, if you say whose it is and what you have changed.\n\n"
    "It comes as it is: try it on your own line before you trust it.",
}
ABOUT = "Tells whole marbles from chipped, cracked and dirty ones.\n\nTrained on 240 photos of glass marbles, 96 x 96, lit from above. "
OTHERS = (
    ("glassworks", "bottles", "Bottles: cracks and bubbles", "MIT", {"PerInference": 0.0004}, False, 0.962),
    ("orchard", "apples", "Apples by colour and bruise", "Apache-2.0", {}, False, 0.941),
    ("foundry", "castings", "Porous castings", "Proprietary", {"PerInstanceHour": 1.2}, True, 0.988),
)
"""(publisher, product, title, licence, price, sealed, accuracy) of what strangers offer."""


def market(connection: Connection, place: Place, state: Path) -> None:
    """Two offers of our own, one sealed; both subscribed to, one deployed and used; those of others, one of them spoilt."""
    folder = state / "fair"
    folder.mkdir()
    write_addresses(state, {"fair": Address(str(folder))})
    client = connection.client("tobo-market")
    version = _version(connection)
    asked = {"Catalog": "fair", "ModelPackageName": version, "Publisher": "workshop", "License": LICENCE}
    client.publish_offer(
        **asked,
        Product="marbles",
        Version="1.0",
        Title="Whole marbles and others",
        Description=ABOUT,
        Price={"PerInstanceHour": 0.4, "PerInference": 0.0002},
        Samples=_photos(connection, place),
        CertificateUri=_certificate(connection, place),
    )
    client.publish_offer(
        **asked,
        Product="marbles-sealed",
        Version="1.0",
        Title="Whole marbles, sealed",
        Description=ABOUT,
        Price={"PerInference": 0.001},
        Sealed=True,
    )
    for number, other in enumerate(OTHERS):
        _stranger(folder, *other, days=3 + number)
    spoilt = folder / "offers" / "orchard" / "apples" / "1.0" / "offer.json"
    spoilt.write_bytes(spoilt.read_bytes().replace(b'"payload": "', b'"payload": "AAAA'))
    for product in ("marbles-sealed", "marbles"):
        made = client.subscribe(Catalog="fair", OfferId=f"workshop/{product}/1.0", AcceptLicense=True)
    _use(connection, place, client, made["SubscriptionId"])


def _version(connection: Connection) -> str:
    """The approved one of the registry."""
    sagemaker = connection.client("sagemaker")
    found = sagemaker.list_model_packages(ModelPackageGroupName="marbles", ModelApprovalStatus="Approved")
    return str(found["ModelPackageSummaryList"][0]["ModelPackageArn"])


def _photos(connection: Connection, place: Place) -> list[str]:
    found = connection.client("s3").list_objects_v2(Bucket=place.bucket, Prefix="marbles/validation/")["Contents"]
    return [f"s3://{place.bucket}/{one['Key']}" for one in found[::9][:5]]


def _certificate(connection: Connection, place: Place) -> str:
    """That of the compiled model, out of its archive."""
    s3 = connection.client("s3")
    described = connection.client("sagemaker").describe_compilation_job(CompilationJobName="marbles-1-rasp4b")
    bucket, _, key = described["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())) as files:
        member = next(one for one in files.getmembers() if one.name.endswith("certificate.json"))
        content = files.extractfile(member)
        assert content is not None
        s3.put_object(Bucket=place.bucket, Key="market/certificate.json", Body=content.read())
    return f"s3://{place.bucket}/market/certificate.json"


def _stranger(
    folder: Path, publisher: str, product: str, title: str, licence: str, price: dict[str, float], sealed: bool,
    accuracy: float, days: int,
) -> None:  # fmt: skip
    """An offer that somebody else has signed; its model is not there, which shows when it is subscribed to."""
    content: dict[str, Any] = {
        "Publisher": publisher, "Product": product, "Version": "1.0", "Title": title, "Description": "",
        "License": {"Name": licence, "Text": "See its name."}, "Price": {"Currency": "USD", **price}, "Sealed": sealed,
        "Metrics": [{"Name": "accuracy", "Value": accuracy}], "Certificate": None, "Published": time.time() - days * 86_400,
        "Inference": {"Image": IMAGE, "Environment": {}, "ContentTypes": ["image/jpeg"], "ResponseTypes": [], "InstanceTypes": []},
        "Files": {"Model": {"Name": "model.tar.gz", "Size": 45_000_000, "Sha256": "0" * 64}, "Samples": []},
    }  # fmt: skip
    place = folder / "offers" / publisher / product / "1.0"
    place.mkdir(parents=True)
    (place / "offer.json").write_bytes(enclose("offer", content, Ed25519PrivateKey.generate()))


def _use(connection: Connection, place: Place, client: Any, subscription: str) -> None:
    """What was bought is deployed and asked, until its use is told."""
    sagemaker, runtime = connection.client("sagemaker"), connection.client("sagemaker-runtime")
    package = client.describe_subscription(SubscriptionId=subscription)["Subscription"]["ModelPackageArn"]
    name = "bought-marbles"
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=place.role, PrimaryContainer={"ModelPackageName": package})
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": INSTANCE, "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    for picture in marbles(40).unseen:
        runtime.invoke_endpoint(EndpointName=name, ContentType="image/jpeg", Body=picture.read())
    while client.get_usage(SubscriptionId=subscription)["Inferences"] < 1:
        time.sleep(1)
