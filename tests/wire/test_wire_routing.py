"""Which operation a request means: S3's ambiguous ones, the other services, virtual hosts, and what has no answer."""

from pathlib import Path

import pytest

from tobo.kit.fault import Fault
from tobo.wire.body import Body
from tobo.wire.models import description
from tobo.wire.request import Request
from tobo.wire.routing import SIGNED, TARGETS, VERSIONS, Unrouted, route, to_path_style

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def request(line: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Request:
    method, _, url = line.partition(" ")
    path, _, query = url.partition("?")
    return Request(method, path, query, headers or {}, Body(len(body), body))


@pytest.mark.parametrize(
    ("line", "headers", "operation", "labels"),
    [
        ("GET /", {}, "ListBuckets", {}),
        ("GET /?x-id=ListBuckets", {}, "ListBuckets", {}),
        ("HEAD /b", {}, "HeadBucket", {"Bucket": "b"}),
        ("GET /b", {}, "ListObjects", {"Bucket": "b"}),
        ("GET /b/", {}, "ListObjects", {"Bucket": "b"}),
        ("GET /b?prefix=a&delimiter=/", {}, "ListObjects", {"Bucket": "b"}),
        ("GET /b?list-type=2&prefix=a", {}, "ListObjectsV2", {"Bucket": "b"}),
        ("GET /b?list-type=1", {}, "ListObjects", {"Bucket": "b"}),
        ("GET /b?versions", {}, "ListObjectVersions", {"Bucket": "b"}),
        ("GET /b?uploads=", {}, "ListMultipartUploads", {"Bucket": "b"}),
        ("GET /b?location", {}, "GetBucketLocation", {"Bucket": "b"}),
        ("GET /b?tagging", {}, "GetBucketTagging", {"Bucket": "b"}),
        ("GET /b?lifecycle", {}, "GetBucketLifecycleConfiguration", {"Bucket": "b"}),
        ("GET /b?inventory", {}, "ListBucketInventoryConfigurations", {"Bucket": "b"}),
        ("GET /b?inventory&id=1", {}, "GetBucketInventoryConfiguration", {"Bucket": "b"}),
        ("PUT /b", {}, "CreateBucket", {"Bucket": "b"}),
        ("DELETE /b", {}, "DeleteBucket", {"Bucket": "b"}),
        ("DELETE /b?tagging", {}, "DeleteBucketTagging", {"Bucket": "b"}),
        ("POST /b?delete", {}, "DeleteObjects", {"Bucket": "b"}),
        ("PUT /b/a/b.png", {}, "PutObject", {"Bucket": "b", "Key": "a/b.png"}),
        ("PUT /b/k", {"x-amz-copy-source": "b/o"}, "CopyObject", {"Bucket": "b", "Key": "k"}),
        ("PUT /b/k?partNumber=1&uploadId=u", {}, "UploadPart", {"Bucket": "b", "Key": "k"}),
        (
            "PUT /b/k?partNumber=1&uploadId=u",
            {"x-amz-copy-source": "b/o"},
            "UploadPartCopy",
            {"Bucket": "b", "Key": "k"},
        ),
        ("PUT /b/k?tagging", {}, "PutObjectTagging", {"Bucket": "b", "Key": "k"}),
        ("PUT /b/k?acl", {}, "PutObjectAcl", {"Bucket": "b", "Key": "k"}),
        ("GET /b/k", {}, "GetObject", {"Bucket": "b", "Key": "k"}),
        ("GET /b/k?versionId=1&partNumber=2", {}, "GetObject", {"Bucket": "b", "Key": "k"}),
        ("GET /b/k?uploadId=u", {}, "ListParts", {"Bucket": "b", "Key": "k"}),
        ("GET /b/k?tagging", {}, "GetObjectTagging", {"Bucket": "b", "Key": "k"}),
        (
            "GET /b/k?attributes",
            {"x-amz-object-attributes": "ETag"},
            "GetObjectAttributes",
            {"Bucket": "b", "Key": "k"},
        ),
        ("GET /b/k?attributes", {}, "GetObjectAttributes", {"Bucket": "b", "Key": "k"}),
        ("HEAD /b/k", {}, "HeadObject", {"Bucket": "b", "Key": "k"}),
        ("POST /b/k?uploads", {}, "CreateMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("POST /b/k?uploadId=u", {}, "CompleteMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("POST /b/k?select&select-type=2", {}, "SelectObjectContent", {"Bucket": "b", "Key": "k"}),
        ("DELETE /b/k", {}, "DeleteObject", {"Bucket": "b", "Key": "k"}),
        ("DELETE /b/k?uploadId=u", {}, "AbortMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("GET /b/a%20b/%C3%A4%2F+", {}, "GetObject", {"Bucket": "b", "Key": "a b/ä/+"}),
        ("GET /b//k", {}, "GetObject", {"Bucket": "b", "Key": "/k"}),
        ("GET /b/folder/", {}, "GetObject", {"Bucket": "b", "Key": "folder/"}),
        ("PUT /b/k", FORM, "PutObject", {"Bucket": "b", "Key": "k"}),
        ("GET /endpoints/e/invocations", {}, "GetObject", {"Bucket": "endpoints", "Key": "e/invocations"}),
    ],
)
def test_s3(line: str, headers: dict[str, str], operation: str, labels: dict[str, str]) -> None:
    target = route(request(line, headers), "s3")
    assert (target.service, target.operation, target.protocol, target.labels) == ("s3", operation, "rest-xml", labels)


@pytest.mark.parametrize(
    ("line", "headers", "body", "scope", "expected"),
    [
        ("POST /", {"x-amz-target": "SageMaker.ListModels"}, b"", "sagemaker", "sagemaker ListModels json-1.1"),
        ("POST /", {"x-amz-target": "SageMaker.ListModels"}, b"", None, "sagemaker ListModels json-1.1"),
        (
            "POST /",
            {"x-amz-target": "GraniteServiceVersion20100801.ListMetrics", "content-type": "application/x-amz-json-1.0"},
            b"",
            "monitoring",
            "cloudwatch ListMetrics json-1.0",
        ),
        (
            "POST /service/GraniteServiceVersion20100801/operation/ListMetrics",
            {"smithy-protocol": "rpc-v2-cbor"},
            b"",
            "monitoring",
            "cloudwatch ListMetrics smithy-rpc-v2-cbor",
        ),
        ("POST /", FORM, b"Action=ListMetrics&Version=2010-08-01", "monitoring", "cloudwatch ListMetrics query"),
        ("POST /", FORM, b"Action=GetRole&Version=2010-05-08", "iam", "iam GetRole query"),
        (
            "POST /",
            FORM,
            b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15",
            None,
            "sts AssumeRoleWithWebIdentity query",
        ),
        ("GET /?Action=GetCallerIdentity&Version=2011-06-15", {}, b"", "sts", "sts GetCallerIdentity query"),
        ("POST /endpoints/e/invocations", {}, b"{}", "sagemaker", "sagemaker-runtime InvokeEndpoint rest-json"),
        (
            "POST /endpoints/e/invocations-response-stream",
            {},
            b"{}",
            "sagemaker",
            "sagemaker-runtime InvokeEndpointWithResponseStream rest-json",
        ),
        ("PUT /BatchPutMetrics", {}, b"{}", "sagemaker", "sagemaker-metrics BatchPutMetrics rest-json"),
        ("POST /GetDeployments", {}, b"{}", "sagemaker", "sagemaker-edge GetDeployments rest-json"),
        ("POST /human-loops/stop", {}, b"{}", "sagemaker", "sagemaker-a2i-runtime StopHumanLoop rest-json"),
        ("GET /human-loops/stop", {}, b"", "sagemaker", "sagemaker-a2i-runtime DescribeHumanLoop rest-json"),
        ("GET /b/k", {}, b"", None, "s3 GetObject rest-xml"),
        ("POST /b?delete", FORM, b"colour=blue", None, "s3 DeleteObjects rest-xml"),
    ],
)
def test_services(line: str, headers: dict[str, str], body: bytes, scope: str | None, expected: str) -> None:
    target = route(request(line, headers, body), scope)
    assert f"{target.service} {target.operation} {target.protocol}" == expected


@pytest.mark.parametrize(
    ("line", "headers", "body", "scope", "code", "protocol"),
    [
        ("POST /", {"x-amz-target": "SageMaker.Nothing"}, b"", "sagemaker", "UnknownOperationException", "json-1.1"),
        ("POST /", {"x-amz-target": "NoSuch.ListModels"}, b"", "sagemaker", "UnknownOperationException", "json-1.1"),
        ("POST /", {"x-amz-target": "SageMaker.ListModels"}, b"", "logs", "UnknownOperationException", "json-1.1"),
        (
            "POST /",
            {"x-amz-target": "DynamoDB_20120810.ListTables"},
            b"",
            "dynamodb",
            "UnknownOperationException",
            "json-1.1",
        ),
        ("POST /", FORM, b"Action=Nothing&Version=2011-06-15", "sts", "UnknownOperationException", "query"),
        ("POST /", FORM, b"Action=RunInstances&Version=2016-11-15", "ec2", "UnknownOperationException", "query"),
        ("POST /", FORM, b"Action=RunInstances&Version=2016-11-15", None, "UnknownOperationException", "query"),
        ("POST /", FORM, b"Action=%ff", "sts", "MalformedQueryString", "query"),
        ("POST /", FORM, "Action=ä".encode(), "sts", "MalformedQueryString", "query"),
        ("POST /", FORM, b"Action=ListModels", "sagemaker", "UnknownOperationException", "query"),
        ("GET /nothing", {}, b"", "sagemaker", "UnknownOperationException", "rest-json"),
        ("PATCH /b/k", {}, b"", "s3", "UnknownOperationException", "rest-xml"),
        ("GET /b/%ff", {}, b"", "s3", "InvalidURI", "rest-xml"),
        (
            "POST /service/Nothing/operation/ListMetrics",
            {"smithy-protocol": "rpc-v2-cbor"},
            b"",
            "monitoring",
            "UnknownOperationException",
            "smithy-rpc-v2-cbor",
        ),
    ],
)
def test_no_operation(
    line: str, headers: dict[str, str], body: bytes, scope: str | None, code: str, protocol: str
) -> None:
    with pytest.raises(Unrouted) as caught:
        route(request(line, headers, body), scope)
    assert (caught.value.code, caught.value.protocol, caught.value.status) == (code, protocol, 400)


def test_a_form_that_is_too_large_is_refused() -> None:
    spooled = Request("POST", "/", "", FORM, Body(17 << 20, path=Path("never-opened")))
    with pytest.raises(Unrouted) as caught:
        route(spooled, "sts")
    assert (caught.value.code, caught.value.status) == ("RequestEntityTooLarge", 413)


def test_a_query_that_is_no_text_is_refused() -> None:
    with pytest.raises(Fault) as caught:
        route(request("GET /b?prefix=%ff"), "s3")
    assert caught.value.code == "InvalidURI"


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("bucket.s3.eu-west-1.amazonaws.com", "/bucket/k"),
        ("bucket.s3.localhost:8626", "/bucket/k"),
        ("my.dotted.s3.bucket.s3.localhost", "/my.dotted.s3.bucket/k"),
        ("bucket.s3-us-west-2.amazonaws.com", "/bucket/k"),
        ("Bucket.localhost:8626", "/bucket/k"),
        ("s3.localhost:8626", "/k"),
        ("s3.eu-west-1.amazonaws.com", "/k"),
        ("s3-eu-west-1.amazonaws.com", "/k"),
        ("localhost:8626", "/k"),
        ("localhost", "/k"),
        ("127.0.0.1:8626", "/k"),
        ("[::1]:8626", "/k"),
        ("tobo.example.com", "/k"),
        ("", "/k"),
    ],
)
def test_virtual_hosts(host: str, path: str) -> None:
    assert to_path_style(request("GET /k?tagging"), host) == request(f"GET {path}?tagging")


def test_names_of_services_are_those_of_their_models() -> None:
    """The three tables of names are written down so that no model must be loaded; here they are compared with them."""
    for scope, services in SIGNED.items():
        for service in services:
            metadata = description(service)["metadata"]
            assert scope in (metadata.get("signingName"), metadata["endpointPrefix"]) or scope == "s3express"
    for prefix, service in TARGETS.items():
        assert description(service)["metadata"]["targetPrefix"].endswith(prefix)
    for version, service in VERSIONS.items():
        assert description(service)["metadata"]["apiVersion"] == version
