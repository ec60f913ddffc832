"""boto3 sessions that know tobo's own services beside AWS's, without AWS_DATA_PATH."""

from typing import Any


def session(**keys: Any) -> Any:
    """boto3's Session of these arguments; untyped: its stubs want a service's name as a literal."""
    import boto3
    import botocore.session

    from tobo.wire.models import OWN

    inner = botocore.session.get_session()
    inner.get_component("data_loader").search_paths.append(str(OWN))
    return boto3.session.Session(**keys, botocore_session=inner)
