"""Sealed models: opened in a replica that its subscription allows, and nowhere else."""

import os
import shutil
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support import graphs
from tests.support.endpoints import classify
from tests.support.jobs import IMAGE, ROLE
from tests.support.market import Fair, know, open_fair, refusal
from tests.support.own_code import packed
from tests.support.processes import until
from tests.support.unique import unique

pytestmark = [
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
    pytest.mark.xdist_group("market-sealed"),
]
SECRET = "the weights that nobody sees 4711"


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fair]:
    folder = tmp_path_factory.mktemp("fair")
    yield from open_fair(folder, AWS_SHARED_CREDENTIALS_FILE=str(folder / "seller" / "credentials"))


@pytest.fixture
def bought(fair: Fair) -> str:
    """A subscription that waits for its grant."""
    offer = fair.publish(fair.package(SECRET), unique("sealed").lower(), Sealed=True)
    name = fair.subscribe(offer)
    until(lambda: (fair.folder / "requests" / f"{name}.json").exists())
    return name


def granted(fair: Fair, name: str, **more: Any) -> None:
    fair.sells.grant_subscription(Catalog="fair", SubscriptionId=name, **more)
    until(lambda: fair.subscription(name)["Status"] == "Active")


def test_what_was_granted_is_served_and_seen_nowhere(fair: Fair, bought: str) -> None:
    waiting = fair.subscription(bought)
    assert waiting["Status"] == "Requested" and "Ends" not in waiting
    failed = fair.deploy(fair.model(bought))
    assert failed["EndpointStatus"] == "Failed"
    assert "sealed, and no subscription of this account and region opens it" in failed["FailureReason"]
    granted(fair, bought)
    endpoint = fair.model(bought)
    assert fair.deploy(endpoint)["EndpointStatus"] == "InService"
    secret, network = fair.ask(endpoint)
    assert secret == SECRET and network == "Connection refused"  # of its own loopback, where nobody is
    assert places_of(fair.buyer.state) == []
    assert processes_that_tell(SECRET) == [] and processes_that_tell("AGE-SECRET-KEY") == []


def test_a_built_in_image_serves_one_and_scores_as_unsealed(fair: Fair) -> None:
    goods, name = fair.packaged(packed(graphs.archive(graphs.classifier())), IMAGE), unique("scored").lower()
    answers = []
    for sealed in (False, True):
        bought = fair.subscribe(fair.publish(goods, f"{name}-{sealed}".lower(), Sealed=sealed))
        if sealed:
            until(lambda bought=bought: (fair.folder / "requests" / f"{bought}.json").exists())  # type: ignore[misc]
            granted(fair, bought)
        endpoint = fair.model(bought)
        assert fair.deploy(endpoint)["EndpointStatus"] == "InService"
        answers.append(classify(fair.buyer, endpoint, graphs.png(graphs.picture(3)), "image/png"))
    assert answers[0] == answers[1] and sum(answers[0]) == pytest.approx(1.0)


def test_a_bucket_is_a_catalogue_too(fair: Fair) -> None:
    """Of the buyer's server, who reads it as it is; the seller comes to it over S3, with keys of a profile."""
    name, bucket = unique("shop"), unique("shop").lower()
    fair.buyer.client("s3").create_bucket(Bucket=bucket)
    know(fair.buyer, name, f"s3://{bucket}/offers")
    know(fair.seller, name, f"s3://{bucket}/offers", endpoint=fair.buyer.endpoint, profile="buyer")
    profile = fair.seller.state.parent / "credentials"
    key, secret = fair.buyer.keys
    profile.write_text(f"[buyer]\naws_access_key_id={key}\naws_secret_access_key={secret}\n")
    goods = fair.package(SECRET)
    offer = fair.publish(goods, name.lower(), Catalog=name, Sealed=True)
    bought = fair.subscribe(offer, Catalog=name)
    until(lambda: [each["SubscriptionId"] for each in fair.sells.list_requests(Catalog=name)["Requests"]] == [bought])
    fair.sells.grant_subscription(Catalog=name, SubscriptionId=bought)
    until(lambda: fair.subscription(bought)["Status"] == "Active")
    endpoint = fair.model(bought)
    assert fair.deploy(endpoint)["EndpointStatus"] == "InService" and fair.ask(endpoint)[0] == SECRET
    # and a seller's own bucket: what is sealed there comes from where the store puts things down, too
    own = unique("own")
    fair.seller.client("s3").create_bucket(Bucket=own.lower())
    know(fair.seller, own, f"s3://{own.lower()}")
    made = fair.publish(goods, own.lower(), Catalog=own, Sealed=True)
    assert fair.sells.search_offers(Catalog=own)["Offers"][0]["OfferId"] == made
    kept = fair.seller.client("s3").list_objects_v2(Bucket=own.lower())["Contents"]
    assert sorted(each["Key"].rsplit("/", 1)[-1] for each in kept) == ["model.tar.gz.age", "offer.json"]
    assert list((fair.seller.state / "market" / "temporary").iterdir()) == []


def places_of(folder: Path) -> list[str]:
    """Files that hold the secret, packed or not."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if (
                SECRET.encode() in data
                or (b"AGE-SECRET-KEY" in data and path.name != "identity.age")
                or tarfile.is_tarfile(path)
            ):
                found.append(str(path))
    return found


def processes_that_tell(text: str) -> list[str]:
    """Environments and command lines with the text in them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                if text.encode() in (folder / name).read_bytes():
                    found.append(f"{folder}/{name}")
            except OSError:
                continue
    return [place for place in found if f"/{os.getpid()}/" not in place]


def test_a_replica_that_dies_and_a_server_that_is_killed_open_it_again(fair: Fair, bought: str) -> None:
    granted(fair, bought)
    endpoint = fair.model(bought)
    fair.deploy(endpoint)
    fair.buyer.kill()
    fair.buyer.start()
    until(lambda: fair.ask(endpoint)[0] == SECRET)
    sagemaker = fair.buyer.client("sagemaker")
    weights = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=weights)
    until(lambda: sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService", 60)
    described = sagemaker.describe_endpoint(EndpointName=endpoint)
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert fair.ask(endpoint)[0] == SECRET


@pytest.mark.parametrize("way", ["environment", "image", "address"])
def test_a_container_of_ones_own_making_does_not_open_it(fair: Fair, bought: str, way: str) -> None:
    granted(fair, bought)
    sagemaker = fair.buyer.client("sagemaker")
    package = sagemaker.describe_model_package(ModelPackageName=fair.subscription(bought)["ModelPackageArn"])
    container = package["InferenceSpecification"]["Containers"][0]
    taken = {name: container[name] for name in ("Image", "ModelDataUrl")}
    if way == "environment":
        model = fair.model(bought, Environment={"SAGEMAKER_PROGRAM": "spy.py"})
    else:
        model = unique("own")
        image = {"image": "tobo-echo", "address": taken["Image"]}[way]
        whole = {**taken, "Image": image, "Environment": {"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/code"}}
        sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer=whole)
    described = fair.deploy(model)
    assert described["EndpointStatus"] == "Failed"
    assert "with its seller's image and Environment alone" in described["FailureReason"]


def test_other_ways_to_look_into_it_are_refused(fair: Fair, bought: str) -> None:
    granted(fair, bought)
    sagemaker = fair.buyer.client("sagemaker")
    package = sagemaker.describe_model_package(ModelPackageName=fair.subscription(bought)["ModelPackageArn"])
    address = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    bucket, _, key = address.removeprefix("s3://").partition("/")
    data = fair.buyer.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert data.startswith(b"age-encryption.org/v1") and SECRET.encode() not in data
    fair.buyer.client("s3").put_object(Bucket=bucket, Key="copy/model.tar.gz", Body=data)
    name = unique("compiled")
    sagemaker.create_compilation_job(
        CompilationJobName=name,
        RoleArn=ROLE,
        InputConfig={
            "S3Uri": f"s3://{bucket}/copy/model.tar.gz",
            "DataInputConfig": '{"pictures": [1, 32, 32, 3]}',
            "Framework": "ONNX",
        },
        OutputConfig={"S3OutputLocation": f"s3://{bucket}/out", "TargetDevice": "rasp4b"},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    until(lambda: sagemaker.describe_compilation_job(CompilationJobName=name)["CompilationJobStatus"] == "FAILED", 60)
    reason = sagemaker.describe_compilation_job(CompilationJobName=name)["FailureReason"]
    assert "sealed by its seller: it can be served, and nothing else" in reason
    # nobody sells on what was sold sealed
    code, said = refusal(fair.buys.publish_offer, **sold_on(package["ModelPackageArn"]))
    assert code == "ValidationException" and "cannot be offered again" in said


def sold_on(package: str) -> dict[str, Any]:
    return {
        "Catalog": "fair",
        "ModelPackageName": package,
        "Publisher": "fence",
        "Product": "loot",
        "Version": "1",
        "Title": "Loot",
        "License": {"Name": "none", "Text": "none"},
    }


def test_its_time_is_up(fair: Fair, bought: str) -> None:
    code, said = refusal(
        fair.sells.grant_subscription,
        Catalog="fair",
        SubscriptionId=bought,
        Ends=datetime.now(UTC) - timedelta(hours=1),
    )
    assert code == "ValidationException" and "which is over" in said
    granted(fair, bought, Ends=datetime.now(UTC) + timedelta(seconds=8))
    endpoint = fair.model(bought)
    assert fair.deploy(endpoint)["EndpointStatus"] == "InService"
    until(lambda: fair.subscription(bought)["Ends"] < datetime.now(UTC), 30)
    failed = fair.deploy(fair.model(bought))
    assert failed["EndpointStatus"] == "Failed" and "no subscription" in failed["FailureReason"]


def test_the_seller_ends_it(fair: Fair, bought: str) -> None:
    granted(fair, bought)
    fair.sells.revoke_subscription(Catalog="fair", SubscriptionId=bought, Reason="Not paid.")
    until(lambda: fair.subscription(bought)["Status"] == "Ended", 90)
    assert fair.subscription(bought)["Reason"] == "The seller has ended it: Not paid."
    failed = fair.deploy(fair.model(bought))
    assert failed["EndpointStatus"] == "Failed" and "no subscription" in failed["FailureReason"]
    listed = {each["SubscriptionId"]: each for each in fair.sells.list_requests(Catalog="fair")["Requests"]}
    assert listed[bought]["Revoked"] and not listed[bought]["Granted"] and listed[bought]["Reason"] == "Not paid."


def test_a_package_that_cannot_be_served_sealed_is_not_offered_so(fair: Fair) -> None:
    package = fair.package(SECRET, SAGEMAKER_SUBMIT_DIRECTORY="s3://elsewhere/code.tar.gz")
    code, said = refusal(fair.publish, package, "far", Sealed=True)
    assert code == "ValidationException" and "put it into code/ of the model's archive" in said
