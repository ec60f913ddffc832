"""boto3's S3 client against a real server, a bucket of the test's own, and refusals read from botocore's errors."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Refused = Callable[..., dict[str, Any]]
"""refused(status, code, operation, **members): the error's members, once status and code are as expected."""


@pytest.fixture(scope="session")
def s3(server: Any) -> Any:
    return server.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"photos-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def refused() -> Refused:
    def check(status: int, code: str, deed: Callable[..., object], **asked: Any) -> dict[str, Any]:
        with pytest.raises(ClientError) as caught:
            deed(**asked)
        error: dict[str, Any] = caught.value.response["Error"]
        found = (caught.value.response["ResponseMetadata"]["HTTPStatusCode"], error["Code"])
        assert found == (status, code), error
        return error

    return check
