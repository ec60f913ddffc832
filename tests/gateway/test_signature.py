"""SigV4 at the door: what is signed as AWS says goes in, whatever was bent afterwards is refused with AWS's code."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from tests.gateway.conftest import Answered, Sendable, sign

LIST = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "SageMaker.ListTrainingJobs"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
WHO = b"Action=GetCallerIdentity&Version=2011-06-15"


def after(minutes: int) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def json_request(server: Any, **options: Any) -> Sendable:
    return sign(server, "sagemaker", "POST", "/", b"{}", LIST, **options)


def form_request(server: Any, **options: Any) -> Sendable:
    return sign(server, "sts", "POST", "/", WHO, FORM, **options)


def s3_request(server: Any, **options: Any) -> Sendable:
    return sign(server, "s3", "PUT", "/gateway-tests/bent%20key%2B%C3%BC", b"body", **options)


def code_of(answer: Answered) -> str:
    """The error's code, whatever the protocol."""
    if "x-amzn-errortype" in answer.headers:
        return answer.headers["x-amzn-errortype"]
    found = re.search(rb"<Code>(.*?)</Code>", answer.body)
    return found[1].decode() if found else ""


def edit(**headers: str) -> Callable[[Sendable], None]:
    return lambda request: request.headers.update({name.replace("_", "-"): value for name, value in headers.items()})


def drop(name: str) -> Callable[[Sendable], None]:
    return lambda request: request.headers.pop(name) and None


def other_body(request: Sendable) -> None:
    request.body = request.body[:-1] + b"\x00"


def other_date(request: Sendable) -> None:
    request.headers["X-Amz-Date"] = after(3).strftime("%Y%m%dT%H%M%SZ")


def other_path(request: Sendable) -> None:
    request.target += "x"


def other_query(request: Sendable) -> None:
    request.target += "?a=b"


def other_method(request: Sendable) -> None:
    request.method = "GET" if request.method == "PUT" else "PUT"


def other_signature(request: Sendable) -> None:
    text = request.headers["Authorization"]
    request.headers["Authorization"] = text[:-1] + ("0" if text[-1] != "0" else "1")


def other_scope(request: Sendable) -> None:
    request.headers["Authorization"] = request.headers["Authorization"].replace("us-east-1", "us-west-2")


def host_unsigned(request: Sendable) -> None:
    request.headers["Authorization"] = request.headers["Authorization"].replace("host;", "")


REQUESTS = {"json": json_request, "query": form_request, "s3": s3_request}


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("minutes", [-14, 0, 14])
def test_signed_goes_in(server: Any, bucket: str, kind: str, minutes: int) -> None:
    answer = REQUESTS[kind](server, at=after(minutes)).send()
    assert answer.status == 200, answer.body
    assert {"x-amzn-requestid", "x-amz-request-id"} & answer.headers.keys()


MISMATCH = {"json": "InvalidSignatureException", "query": "SignatureDoesNotMatch", "s3": "SignatureDoesNotMatch"}
BENT: list[tuple[str, Callable[[Sendable], None], dict[str, str]]] = [
    ("body", other_body, {**MISMATCH, "s3": "XAmzContentSHA256Mismatch"}),
    ("path", other_path, {**MISMATCH, "json": "InvalidSignatureException"}),
    ("query", other_query, MISMATCH),
    ("method", other_method, MISMATCH),
    ("signature", other_signature, MISMATCH),
    ("region", other_scope, MISMATCH),
    ("date", other_date, MISMATCH),
    ("host", edit(Host="example.com"), MISMATCH),
    ("host unsigned", host_unsigned, {**MISMATCH, "s3": "AccessDenied"}),
    ("added header", edit(x_amz_acl="public-read"), {**MISMATCH, "s3": "AccessDenied"}),
    (
        "no signature",
        drop("Authorization"),
        {"json": "MissingAuthenticationTokenException", "query": "MissingAuthenticationToken", "s3": "AccessDenied"},
    ),
]


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize(("bend", "codes"), [pytest.param(b, c, id=i) for i, b, c in BENT])
def test_bent_is_refused(
    server: Any, bucket: str, kind: str, bend: Callable[[Sendable], None], codes: dict[str, str]
) -> None:
    request = REQUESTS[kind](server)
    bend(request)
    answer = request.send()
    assert (answer.status, code_of(answer)) == (403, codes[kind]), answer.body


REFUSED: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("16 minutes old", {"minutes": -16}, {**MISMATCH, "s3": "RequestTimeTooSkewed"}),
    ("16 minutes ahead", {"minutes": 16}, {**MISMATCH, "s3": "RequestTimeTooSkewed"}),
    (
        "unknown key",
        {"keys": ("AKIAIOSFODNN7EXAMPLE", "secret")},
        {"json": "UnrecognizedClientException", "query": "InvalidClientTokenId", "s3": "InvalidAccessKeyId"},
    ),
    (
        "invented token",
        {"keys": ("ASIAIOSFODNN7EXAMPLE", "secret", "bm8gdG9rZW4=")},
        {"json": "UnrecognizedClientException", "query": "InvalidClientTokenId", "s3": "InvalidToken"},
    ),
]


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize(("options", "codes"), [pytest.param(o, c, id=i) for i, o, c in REFUSED])
def test_signed_and_refused(
    server: Any, bucket: str, kind: str, options: dict[str, Any], codes: dict[str, str]
) -> None:
    if "minutes" in options:  # counted from now, not from when the tests were collected
        options = {"at": after(options["minutes"])}
    answer = REQUESTS[kind](server, **options).send()
    assert (answer.status, code_of(answer)) == (403, codes[kind]), answer.body


def test_wrong_secret(server: Any) -> None:
    answer = json_request(server, keys=(server.keys[0], "wrong")).send()
    assert (answer.status, code_of(answer)) == (403, "InvalidSignatureException")


@pytest.mark.parametrize("region", ["nowhere", "us-east-1x!", "eu-west", "x" * 40 + "-1"])
def test_regions_that_aws_cannot_have(server: Any, region: str) -> None:
    answer = json_request(server, region=region).send()
    assert (answer.status, code_of(answer)) == (403, "InvalidSignatureException")


MALFORMED = [
    ("AWS4-HMAC-SHA256", 400),
    ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c", 400),
    ("AWS4-HMAC-SHA256 Credential=////aws4_request, SignedHeaders=host, Signature=c", 400),
    ("AWS4-ECDSA-P256-SHA256 Credential=x/20200101/s3/aws4_request, SignedHeaders=host, Signature=c", 400),
    ("Basic dXNlcjpwYXNz", 400),
    ("Bearer \xff\xfe", 400),
]


@pytest.mark.parametrize(("authorization", "status"), MALFORMED)
@pytest.mark.parametrize("kind", REQUESTS)
def test_malformed_authorization(server: Any, kind: str, authorization: str, status: int) -> None:
    request = REQUESTS[kind](server)
    request.headers["Authorization"] = authorization
    assert request.send().status == status


@pytest.mark.parametrize("date", ["", "yesterday", "20200101T000000", "20201350T000000Z", "２０２００１０１T000000Z"])
def test_malformed_date(server: Any, date: str) -> None:
    request = json_request(server)
    request.headers["X-Amz-Date"] = date.encode().decode("latin-1")
    assert request.send().status == 400


def test_presigned(server: Any, bucket: str) -> None:
    server.client("s3").put_object(Bucket=bucket, Key="linked", Body=b"linked body")
    target = f"/{bucket}/linked?response-content-type=text%2Fcsv"
    good = sign(server, "s3", "GET", target, expires=60).send()
    assert (good.status, good.body, good.headers["content-type"]) == (200, b"linked body", "text/csv")
    late = sign(server, "s3", "GET", target, expires=60, at=after(-2)).send()
    assert (late.status, code_of(late)) == (403, "AccessDenied")
    assert b"expired" in late.body
    early = sign(server, "s3", "GET", target, expires=60, at=after(20)).send()
    assert (early.status, code_of(early)) == (403, "RequestTimeTooSkewed")
    bent = sign(server, "s3", "GET", target, expires=60)
    bent.target = bent.target.replace("csv", "html")
    assert code_of(bent.send()) == "SignatureDoesNotMatch"
    longer = sign(server, "s3", "GET", target, expires=60)
    longer.target = longer.target.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")
    assert code_of(longer.send()) == "SignatureDoesNotMatch"
    week = sign(server, "s3", "GET", target, expires=604_801).send()
    assert week.status == 400


def test_presigned_of_a_json_service(server: Any) -> None:
    request = sign(server, "sts", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", expires=60)
    assert request.send().status == 200


@pytest.mark.parametrize("version", ["s3", "s3v4"])
@pytest.mark.parametrize("style", ["path", "virtual"])
def test_links_of_boto3(server: Any, bucket: str, version: str, style: str) -> None:
    """SigV2 is what generate_presigned_url writes unless it is told otherwise."""
    region = "eu-central-1"
    endpoint = server.endpoint.replace("127.0.0.1", "localhost")
    config = Config(signature_version=version, s3={"addressing_style": style})
    s3 = server.client("s3", region, config=config, endpoint_url=endpoint)
    name = f"links-{version}-{style}"
    server.client("s3", region).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    put = s3.generate_presigned_url("put_object", {"Bucket": name, "Key": "a/ü b+c", "ContentType": "text/plain"})
    get = s3.generate_presigned_url(
        "get_object", {"Bucket": name, "Key": "a/ü b+c", "ResponseCacheControl": "no-store"}
    )
    ask(server, urllib.request.Request(put, b"by link", {"Content-Type": "text/plain"}, method="PUT"))
    answer = ask(server, urllib.request.Request(get))
    assert (answer.read(), answer.headers["cache-control"]) == (b"by link", "no-store")
    assert answer.headers["content-type"] == "text/plain"
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, urllib.request.Request(get.replace("no-store", "max-age=1")))
    assert refused.value.code == 403


def test_late_link_of_sigv2(server: Any, bucket: str) -> None:
    s3 = server.client("s3", config=Config(signature_version="s3"))
    link = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "linked"}, ExpiresIn=-5)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(link, timeout=30)
    assert refused.value.code == 403
    assert b"<Code>AccessDenied</Code>" in refused.value.read()


def ask(server: Any, request: urllib.request.Request) -> Any:
    """Sends to a virtual host without asking any name server."""
    host = request.host
    request.add_unredirected_header("Host", host)
    request.host = server.endpoint.removeprefix("http://")
    return urllib.request.urlopen(request, timeout=30)


def test_session_tokens(server: Any) -> None:
    sts = server.client("sts")
    found = sts.get_session_token(DurationSeconds=900)["Credentials"]
    keys = (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    assert json_request(server, keys=keys).send().status == 200
    without = json_request(server, keys=keys[:2]).send()
    assert (without.status, code_of(without)) == (403, "UnrecognizedClientException")
    bent = keys[2][:-8] + ("A" if keys[2][-8] != "A" else "B") + keys[2][-7:]
    refused = json_request(server, keys=(*keys[:2], bent)).send()
    assert (refused.status, code_of(refused)) == (403, "UnrecognizedClientException")
    swapped = sts.get_session_token(DurationSeconds=900)["Credentials"]["SessionToken"]
    assert json_request(server, keys=(*keys[:2], swapped)).send().status == 403


def test_regions_are_namespaces(server: Any) -> None:
    here, there = server.client("s3", "ap-south-1"), server.client("s3", "ca-central-1")
    here.create_bucket(Bucket="only-here", CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    assert "only-here" in [bucket["Name"] for bucket in here.list_buckets()["Buckets"]]
    assert "only-here" not in [bucket["Name"] for bucket in there.list_buckets()["Buckets"]]
