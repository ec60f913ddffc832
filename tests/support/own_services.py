"""boto3 clients of tobo's own services, whose models botocore does not bring."""

from typing import Any

from botocore.config import Config
from tests.conftest import Server

from tobo.cli.sessions import session


def own_client(server: Server, service: str, keys: tuple[str, str] | None = None, region: str = "us-east-1") -> Any:
    """As the root, or with these keys. No retries: a 500 shall be seen."""
    key, secret = keys or server.keys
    return session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=region).client(
        service, endpoint_url=server.endpoint, config=Config(retries={"total_max_attempts": 1})
    )
