"""Offers, whom they are trusted to be from, subscriptions and what they are used: two servers and a catalogue between."""

import base64
import json
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.market import CODE, LICENCE, Fair, know, market, open_fair, refusal
from tests.support.own_code import packed, put
from tests.support.processes import until
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("market")


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fair]:
    yield from open_fair(tmp_path_factory.mktemp("fair"))


@pytest.fixture
def product() -> str:
    return unique("marbles").lower()


def offer_file(fair: Fair, offer: str) -> Path:
    return fair.folder / "offers" / offer / "offer.json"


def described(fair: Fair, offer: str) -> dict[str, Any]:
    found: dict[str, Any] = fair.buys.describe_offer(Catalog="fair", OfferId=offer)["Offer"]
    return found


def test_an_offer_tells_all_that_its_seller_signed(fair: Fair, product: str) -> None:
    sample = put(fair.seller, unique("samples").lower(), "a photo (1).jpg", b"\xff\xd8 not really")
    certificate = put(fair.seller, unique("papers").lower(), "certificate.json", b'{"images": 8, "flipped": 0}')
    price = {"PerInstanceHour": 0.4, "PerInference": 0.0002}
    offer = fair.publish(
        fair.package("open"),
        product,
        Description="Tells ok from ko.",
        Price=price,
        Samples=[sample],
        CertificateUri=certificate,
    )
    assert offer == f"acme/{product}/1.0"
    [summary] = fair.buys.search_offers(Text=f"MARBLES {product}")["Offers"]
    assert (summary["OfferId"], summary["Title"], summary["LicenseName"]) == (offer, "Marbles", "Apache-2.0")
    assert summary["Price"] == {**price, "Currency": "USD"} and summary["Sealed"] is False and summary["Trust"] == "New"
    found = described(fair, offer)
    assert found["License"] == LICENCE and found["Description"] == "Tells ok from ko."
    assert found["Metrics"] == [{"Name": "accuracy", "Value": 0.975}]  # "training job" of the package is no figure
    assert json.loads(found["Certificate"]) == {"images": 8, "flipped": 0}
    assert found["Inference"]["ContentTypes"] == ["application/json"] and found["Size"] > 100
    [told] = found["Samples"]
    assert told == {"Name": "01-a-photo--1-.jpg", "ContentType": "image/jpeg", "Size": 13}
    body = fair.buys.get_sample(Catalog="fair", OfferId=offer, Name=told["Name"])
    assert (body["Body"], body["ContentType"]) == (b"\xff\xd8 not really", "image/jpeg")
    assert fair.buys.search_offers(Text=f"{product} nothing-like-it")["Offers"] == []
    assert fair.buys.search_offers(Text=product, Sealed=True)["Offers"] == []
    assert fair.buys.list_catalogs()["Catalogs"] == [{"Name": "fair", "Address": str(fair.folder)}]


def test_subscribed_it_is_a_package_like_any_other_and_its_use_is_told(fair: Fair, product: str) -> None:
    price = {"PerInstanceHour": 3.6, "PerInference": 0.5}
    offer = fair.publish(fair.package("open"), product, Price=price)
    code, said = refusal(fair.subscribe, offer, AcceptLicense=False)
    assert code == "ValidationException" and "comes under Apache-2.0" in said and "AcceptLicense" in said
    name = fair.subscribe(offer)
    subscription = fair.subscription(name)
    assert subscription["Status"] == "Active" and subscription["AcceptedBy"].endswith(":root")
    code, said = refusal(fair.subscribe, offer)
    assert code == "ConflictException" and name in said
    endpoint = fair.model(name)
    assert fair.deploy(endpoint)["EndpointStatus"] == "InService"
    for _ in range(3):
        assert fair.ask(endpoint)[0] == "open"

    def told() -> dict[str, Any]:
        found: dict[str, Any] = fair.buys.get_usage(SubscriptionId=name)
        return found

    until(lambda: told()["Inferences"] == 3, 40)
    usage = told()
    assert 0 < usage["InstanceHours"] < 0.1 and len(usage["Days"]) in (1, 2)
    assert usage["Amount"] == pytest.approx(3.6 * usage["InstanceHours"] + 0.5 * 3) and usage["Currency"] == "USD"
    code, said = refusal(fair.buys.cancel_subscription, SubscriptionId=name)
    assert code == "ConflictException" and f"endpoint '{endpoint}' serves it" in said
    fair.buyer.client("sagemaker").delete_endpoint(EndpointName=endpoint)
    until(lambda: cancelled(fair, name), 60)
    fair.sells.withdraw_offer(Catalog="fair", OfferId=offer)  # whoever has bought it goes on telling
    ended = fair.subscription(name)
    assert ended["Status"] == "Ended" and ended["Reason"].startswith("Cancelled by arn:aws:iam::")
    with pytest.raises(ClientError, match="no model package"):
        fair.buyer.client("sagemaker").describe_model_package(ModelPackageName=ended["ModelPackageArn"])
    # the seller reads what it was used, signed by who asked for it
    until(
        lambda: (
            [s for s in fair.sells.list_statements(Catalog="fair")["Statements"] if s["SubscriptionId"] == name] != []
        )
    )
    [statement] = [s for s in fair.sells.list_statements(Catalog="fair")["Statements"] if s["SubscriptionId"] == name]
    assert statement["Inferences"] == 3 and statement["Buyer"] == fair.buyer.account
    assert statement["Amount"] == pytest.approx(3.6 * statement["InstanceHours"] + 1.5)
    assert name in [each["SubscriptionId"] for each in fair.sells.list_requests(Catalog="fair")["Requests"]]
    # what is offered again may be subscribed to again
    assert fair.subscription(fair.subscribe(fair.publish(fair.package("open"), product)))["Status"] == "Active"


def cancelled(fair: Fair, name: str) -> bool:
    try:
        fair.buys.cancel_subscription(SubscriptionId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConflictException":
            raise
        return False
    return True


def test_a_batch_is_counted_by_its_requests(fair: Fair, product: str) -> None:
    name = fair.subscribe(fair.publish(fair.package("open"), product, Price={"PerInference": 1.0}))
    model, bucket = fair.model(name), unique("lines").lower()
    put(fair.buyer, bucket, "in/lines.jsonl", b"1\n2\n3\n4\n")
    sagemaker = fair.buyer.client("sagemaker")
    sagemaker.create_transform_job(
        TransformJobName=model,
        ModelName=model,
        BatchStrategy="SingleRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in/"}},
            "ContentType": "application/json",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    until(lambda: sagemaker.describe_transform_job(TransformJobName=model)["TransformJobStatus"] != "InProgress", 90)
    assert sagemaker.describe_transform_job(TransformJobName=model)["TransformJobStatus"] == "Completed"
    usage = fair.buys.get_usage(SubscriptionId=name)
    assert usage["Inferences"] == 4 and usage["Amount"] == 4.0 and usage["InstanceHours"] > 0


def cheaper(text: str) -> str:
    """An envelope with another price in it."""
    envelope = json.loads(text)
    content = json.loads(base64.b64decode(envelope["payload"]))
    content["Price"]["PerInference"] = 0.0
    return json.dumps({**envelope, "payload": base64.b64encode(json.dumps(content).encode()).decode()})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (cheaper, "signature does not hold"),
        (lambda text: text.replace("tobo.offer", "tobo.grant"), "holds 'application/vnd.tobo.grant+json'"),
        (lambda text: text.replace('"sig": "', '"sig": "AAAA'), "signature does not hold"),
        (lambda text: "{}", "no signed envelope"),
        (lambda text: text[:100], "no signed envelope"),
    ],
    ids=["payload", "kind", "signature", "empty", "cut"],
)
def test_a_changed_offer_is_refused_and_said_to_be(fair: Fair, product: str, changed: Any, said: str) -> None:
    offer = fair.publish(fair.package("open"), product)
    file = offer_file(fair, offer)
    file.write_text(changed(file.read_text()))
    code, told = refusal(fair.subscribe, offer)
    assert (
        code == "ValidationException"
        and said in told
        and f"The offer '{offer}' in the catalogue 'fair' is refused" in told
    )
    [listed] = fair.buys.search_offers(Text=product)["Offers"]
    assert listed["Problem"] == told and "Title" not in listed


def test_an_offer_in_anothers_place_is_refused(fair: Fair, product: str) -> None:
    offer = fair.publish(fair.package("open"), product)
    elsewhere = offer_file(fair, f"acme/{product}/2.0")
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(offer_file(fair, offer).read_bytes())
    code, told = refusal(fair.subscribe, f"acme/{product}/2.0")
    assert code == "ValidationException" and f"it says that it is '{offer}'" in told


def test_a_model_or_sample_that_is_not_the_signed_one_is_not_taken(fair: Fair, product: str) -> None:
    sample = put(fair.seller, unique("samples").lower(), "a.png", b"png")
    offer = fair.publish(fair.package("open"), product, Samples=[sample])
    folder = offer_file(fair, offer).parent
    (folder / "samples" / "01-a.png").write_bytes(b"gif")
    code, told = refusal(fair.buys.get_sample, Catalog="fair", OfferId=offer, Name="01-a.png")
    assert code == "ValidationException" and "not the one that its seller signed" in told
    assert refusal(fair.buys.get_sample, Catalog="fair", OfferId=offer, Name="02-b.png")[0] == "ResourceNotFound"
    model, before = folder / "model.tar.gz", (folder / "model.tar.gz").read_bytes()
    model.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    assert "is not the one that its seller signed; nothing of it was taken" in refusal(fair.subscribe, offer)[1]
    model.write_bytes(before + b"more")
    assert "longer than" in refusal(fair.subscribe, offer)[1]
    model.unlink()
    assert "cannot be had" in refusal(fair.subscribe, offer)[1]
    assert all(each["OfferId"] != offer for each in fair.buys.list_subscriptions()["Subscriptions"])
    assert list((fair.buyer.state / "market" / "temporary").iterdir()) == []


def test_whose_key_signed_is_remembered(fair: Fair, product: str, tmp_path: Path) -> None:
    """A publisher's name is worth the key that it was first subscribed with."""
    publisher = unique("smith").lower()
    first = fair.publish(fair.package("open"), product, Publisher=publisher)
    fingerprint = described(fair, first)["Fingerprint"]
    wrong = "SHA256:" + "A" * 43
    code, told = refusal(fair.subscribe, first, Fingerprint=wrong)
    assert code == "ValidationException" and fingerprint in told and wrong in told
    fair.subscribe(first, Fingerprint=fingerprint)
    assert described(fair, first)["Trust"] == "Known"
    # somebody else uses the name: the buyer himself, whose key is another
    package = fair.buyer.client("sagemaker").describe_model_package(
        ModelPackageName=fair.buys.list_subscriptions()["Subscriptions"][0]["ModelPackageArn"]
    )
    asked = {"ModelPackageName": package["ModelPackageArn"], "Product": f"{product}-2", "Version": "1", "Title": "Also"}
    fair.buys.publish_offer(Catalog="fair", Publisher=publisher, License=LICENCE, **asked)
    forged = f"{publisher}/{product}-2/1"
    assert described(fair, forged)["Trust"] == "Changed"
    code, told = refusal(fair.subscribe, forged)
    assert code == "ValidationException" and fingerprint in told and "Somebody else may use the name" in told
    # nothing was taken, and the name still means the first key
    assert described(fair, first)["Trust"] == "Known" and described(fair, forged)["Trust"] == "Changed"
    other = described(fair, forged)["Fingerprint"]
    fair.subscribe(forged, Fingerprint=other)  # whoever has asked and names the new key
    assert described(fair, forged)["Trust"] == "Known" and described(fair, first)["Trust"] == "Changed"


def test_versions_are_never_changed_and_only_their_seller_withdraws_them(fair: Fair, product: str) -> None:
    package = fair.package("open")
    offer = fair.publish(package, product)
    code, said = refusal(fair.publish, package, product)
    assert code == "ConflictException" and "a version is never changed" in said
    fair.publish(package, product, Version="1.1")
    code, said = refusal(fair.buys.withdraw_offer, Catalog="fair", OfferId=offer)
    assert code == "ValidationException" and "is not signed by this account" in said
    fair.sells.withdraw_offer(Catalog="fair", OfferId=offer)
    assert not offer_file(fair, offer).parent.exists()
    assert refusal(fair.sells.withdraw_offer, Catalog="fair", OfferId=offer)[0] == "ResourceNotFound"
    assert [each["OfferId"] for each in fair.buys.search_offers(Text=product)["Offers"]] == [f"acme/{product}/1.1"]


def test_packages_that_cannot_be_offered(fair: Fair, product: str) -> None:
    sagemaker, group = fair.seller.client("sagemaker"), unique("Group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    address = put(fair.seller, group.lower(), "model.tar.gz", packed({"code/inference.py": CODE}))
    container = {"Image": "tobo-echo", "ModelDataUrl": address}
    version = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["text/csv"]},
    )["ModelPackageArn"]
    code, said = refusal(fair.publish, version, product)
    assert code == "ValidationException" and "PendingManualApproval; approve it" in said
    sagemaker.update_model_package(ModelPackageArn=version, ModelApprovalStatus="Approved")
    code, said = refusal(fair.publish, version, product, Samples=["s3://nowhere/a.png"])
    assert code == "ValidationException" and "Samples 1 cannot be read: s3://nowhere/a.png" in said
    code, said = refusal(fair.publish, version, product, CertificateUri=address)
    assert code == "ValidationException" and "is no JSON" in said
    code, said = refusal(fair.publish, version, product, Catalog="elsewhere")
    assert code == "ResourceNotFound" and "known: fair" in said and "tobo market add" in said
    needy = put(fair.seller, group.lower(), "needy.tar.gz", packed({"code/requirements.txt": "numpy"}))
    made = sagemaker.create_model_package(
        ModelPackageName=unique("needy"),
        InferenceSpecification={
            "Containers": [{"Image": "tobo-echo", "ModelDataUrl": needy}],
            "SupportedContentTypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    code, said = refusal(fair.publish, made, product, Sealed=True)
    assert code == "ValidationException" and "served without a network" in said
    assert not offer_file(fair, f"acme/{product}/1.0").parent.exists()
    assert fair.publish(version, product) == f"acme/{product}/1.0"


def test_a_catalogue_that_takes_nothing_leaves_nothing_half(fair: Fair, product: str, tmp_path: Path) -> None:
    know(fair.seller, "gone", str(tmp_path / "gone"))
    code, said = refusal(fair.publish, fair.package("open"), product, Catalog="gone")
    assert code == "ValidationException" and "folder" in said and "is not there" in said
    [gone] = [each for each in fair.sells.list_catalogs()["Catalogs"] if each["Name"] == "gone"]
    assert "is not there" in gone["Problem"]
    assert any(
        each["Catalog"] == "gone" and "is not there" in each["Problem"] for each in fair.sells.search_offers()["Offers"]
    )


def test_grants_that_are_refused(fair: Fair, product: str, tmp_path: Path) -> None:
    """Through the air: request and grant as texts, as for a catalogue that the buyer cannot write."""
    first, second = (fair.publish(fair.package("s"), f"{product}-{n}", Sealed=True) for n in (1, 2))
    one, other = fair.subscribe(first), fair.subscribe(second)
    request = fair.subscription(one)["Request"]
    grant = fair.sells.grant_subscription(Request=request)["Grant"]
    code, said = refusal(fair.buys.grant_subscription, Request=request)  # it is not the buyer's offer
    assert code == "ValidationException" and "not for an offer that this account has sealed" in said
    code, said = refusal(fair.sells.import_grant, Grant=grant)
    assert code == "ResourceNotFound"
    code, said = refusal(fair.buys.import_grant, Grant=grant.replace('"payload": "', '"payload": "e30', 1))
    assert code == "ValidationException" and "The grant is refused: " in said
    code, said = refusal(fair.sells.grant_subscription, Request=request, Catalog="fair", SubscriptionId=other)
    assert code == "ValidationException" and f"it is for subscription '{one}'" in said
    # in the other's place it does not count
    (fair.folder / "grants").mkdir(exist_ok=True)
    (fair.folder / "grants" / f"{other}.json").write_text(grant)
    until(lambda: "to another offer or version" in fair.subscription(other).get("Reason", ""))
    assert fair.subscription(other)["Status"] == "Requested"
    answer = fair.buys.import_grant(Grant=grant)
    assert answer["SubscriptionId"] == one and answer["Status"] == "Active"
    assert fair.buys.import_grant(Grant=grant)["Status"] == "Active"  # again says nothing new
    until(
        lambda: (
            [each for each in fair.sells.list_requests(Catalog="fair")["Requests"] if each["SubscriptionId"] == one]
            != []
        )
    )
    fair.buys.cancel_subscription(SubscriptionId=other)
    assert fair.subscription(other)["Status"] == "Ended"


def test_a_grant_for_another_servers_key_does_not_open(fair: Fair, product: str) -> None:
    name = fair.subscribe(fair.publish(fair.package("s"), product, Sealed=True))
    identity = fair.buyer.state / "market" / fair.buyer.account / "identity.age"
    grant = fair.sells.grant_subscription(Request=fair.subscription(name)["Request"])["Grant"]
    before = identity.read_text()
    assert identity.stat().st_mode & 0o777 == 0o600
    identity.unlink()
    try:
        code, said = refusal(fair.buys.import_grant, Grant=grant)
        assert code == "ValidationException" and "made for another server's account" in said
    finally:
        identity.write_text(before)
    assert fair.buys.import_grant(Grant=grant)["Status"] == "Active"


def test_lists_page(fair: Fair, product: str) -> None:
    package = fair.package("open")
    offers = [fair.publish(package, product, Version=f"{n}") for n in range(3)]
    for list_them, member, name, asked in (
        (fair.buys.search_offers, "Offers", "OfferId", {"Text": product}),
        (fair.buys.list_subscriptions, "Subscriptions", "OfferId", {"Status": "Active"}),
        (fair.sells.list_requests, "Requests", "OfferId", {"Catalog": "fair"}),
    ):
        if member == "Subscriptions":
            for offer in offers:
                fair.subscribe(offer)
        elif member == "Requests":
            for offer in offers:
                sealed = fair.publish(package, f"{product}-sealed", Version=offer.rsplit("/", 1)[1], Sealed=True)
                fair.subscribe(sealed)
            until(lambda: len(fair.sells.list_requests(Catalog="fair")["Requests"]) >= 3)
        whole = [each[name] for each in list_them(**asked)[member]]
        found, token = [], None
        while token is not None or not found:
            answer = list_them(**asked, MaxResults=1, **({"NextToken": token} if token else {}))
            assert len(answer[member]) == 1
            found += [answer[member][0][name]]
            token = answer.get("NextToken")
        assert found == whole and len(found) >= 3
    code, _ = refusal(fair.buys.search_offers, Text=product, NextToken="nonsense")
    assert code == "ValidationException"


def test_what_is_not_there(fair: Fair) -> None:
    nobody = "0" * 32
    calls: list[tuple[Any, dict[str, Any]]] = [
        (fair.buys.describe_offer, {"Catalog": "fair", "OfferId": "no/such/offer"}),
        (fair.buys.describe_subscription, {"SubscriptionId": nobody}),
        (fair.buys.cancel_subscription, {"SubscriptionId": nobody}),
        (fair.buys.get_usage, {"SubscriptionId": nobody}),
        (fair.sells.grant_subscription, {"Catalog": "fair", "SubscriptionId": nobody}),
        (fair.sells.list_requests, {"Catalog": "nowhere"}),
    ]
    for call, asked in calls:
        assert refusal(call, **asked)[0] == "ResourceNotFound"
    code, said = refusal(fair.sells.grant_subscription)
    assert code == "ValidationException" and "Give Request" in said


def test_who_may_only_look(fair: Fair, product: str) -> None:
    iam = fair.buyer.client("iam")
    iam.create_user(UserName=product)
    allowed = {"Effect": "Allow", "Action": ["tobo-market:Search*", "tobo-market:Describe*"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_user_policy(UserName=product, PolicyName="look", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName=product)["AccessKey"]
    offer = fair.publish(fair.package("open"), product)
    looks = market(fair.buyer, keys=(made["AccessKeyId"], made["SecretAccessKey"]))
    assert [each["OfferId"] for each in looks.search_offers(Text=product)["Offers"]] == [offer]
    code, said = refusal(looks.subscribe, Catalog="fair", OfferId=offer, AcceptLicense=True)
    assert code == "AccessDeniedException" and "tobo-market:Subscribe" in said


def test_a_subscription_outlives_a_kill_before_its_request_was_told(fair: Fair, product: str) -> None:
    offer = fair.publish(fair.package("s"), product, Sealed=True)
    name = fair.subscribe(offer)
    fair.buyer.kill()
    fair.buyer.start()
    until(lambda: (fair.folder / "requests" / f"{name}.json").exists())
    fair.sells.grant_subscription(Catalog="fair", SubscriptionId=name)
    until(lambda: fair.subscription(name)["Status"] == "Active")


def test_the_bucket_has_what_was_signed(fair: Fair, product: str) -> None:
    name = fair.subscribe(fair.publish(fair.package("open"), product))
    package = fair.buyer.client("sagemaker").describe_model_package(
        ModelPackageName=fair.subscription(name)["ModelPackageArn"]
    )
    address = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    bucket, _, key = address.removeprefix("s3://").partition("/")
    data = fair.buyer.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=BytesIO(data)) as archive:
        assert sorted(archive.getnames()) == ["code/inference.py", "secret.txt"]
    assert package["ModelPackageDescription"] == f"Marbles (acme/{product}/1.0)"
