"""Which answers a browser may take for what they say to be."""

import pytest
from tests.conftest import Server
from tests.support.endpoints import await_endpoint, variant
from tests.support.handlers import archive, model_request
from tests.support.unique import unique

from tobo.gateway.inert import is_harmless


@pytest.mark.parametrize(
    ("kind", "harmless"),
    [
        ("image/png", True),
        ("image/svg+xml", False),
        ("IMAGE/SVG", False),
        ("text/plain", True),
        ("text/plain; charset=utf-8", True),
        ("text/plain;charset=utf-8", True),
        ("text/plain, text/html", False),
        ("text/plain; charset=utf-8, text/html", False),
        ("text/html", False),
        ("text/html; charset=utf-8", False),
        ("application/xhtml+xml", False),
        ("application/xml", False),
        ("text/xml", False),
        ("application/json", True),
        ("application/rss+xml", False),
        ("multipart/x-mixed-replace", False),
        ("text/javascript", False),
        ("video/mp4", True),
        ("application/pdf", True),
        ("binary/octet-stream", True),
        ("unknown/unknown", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_types_that_no_browser_runs(kind: str, harmless: bool) -> None:
    assert is_harmless(kind) is harmless


@pytest.mark.parametrize(("kind", "policy"), [("text/html", "sandbox"), ("image/png", None), ("text/csv", None)])
def test_objects_are_served_so(server: Server, kind: str, policy: str | None) -> None:
    s3, bucket = server.client("s3"), unique("bucket")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="x", Body=b"<script>", ContentType=kind)
    headers = s3.get_object(Bucket=bucket, Key="x")["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == kind
    assert headers["x-content-type-options"] == "nosniff"
    assert headers.get("content-security-policy") == policy
    s3.delete_object(Bucket=bucket, Key="x")
    s3.delete_bucket(Bucket=bucket)


def test_answers_of_models_are_served_so(server: Server) -> None:
    """A model of one's own may say that its answer is a page."""
    name, s3, sagemaker = unique("page"), server.client("s3"), server.client("sagemaker")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="model.tar.gz", Body=archive())
    sagemaker.create_model(**model_request(name, "words-model", f"s3://{name}/model.tar.gz"))
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    try:
        assert await_endpoint(server, name)["EndpointStatus"] == "InService"
        answer = server.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, ContentType="text/html", Body=b"<script>"
        )
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert (answer["ContentType"], headers["content-security-policy"]) == ("text/html", "sandbox")
        assert headers["x-content-type-options"] == "nosniff"
    finally:
        sagemaker.delete_endpoint(EndpointName=name)
