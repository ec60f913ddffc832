"""What the reaper would do about an endpoint that nobody has tagged: asked, not done."""

import secrets
from typing import Any

import boto3
import botocore.session

from tobo.cli.story.connection import Connection
from tobo.wire.models import OWN


def dry_run(connection: Connection, endpoint: str) -> list[str]:
    """The sentences of its plan about this endpoint, by a rule that is off and goes at once."""
    inner = botocore.session.get_session()
    inner.get_component("data_loader").search_paths.append(str(OWN))
    session = boto3.session.Session(
        aws_access_key_id=connection.access_key_id,
        aws_secret_access_key=connection.secret_access_key,
        region_name=connection.region,
        botocore_session=inner,
    )
    reaper: Any = session.client("tobo-reaper", endpoint_url=connection.endpoint)  # type: ignore[call-overload]
    rule = {
        "RuleName": f"demo-{secrets.token_hex(4)}",
        "Kinds": ["endpoint"],
        "Conditions": {"UntaggedKeys": ["owner"]},
        "Action": "PAUSE",
        "Enabled": False,
    }
    reaper.put_rule(Rule=rule)
    try:
        planned = reaper.plan_reaping(RuleNames=[rule["RuleName"]])["Reapings"]
    finally:
        reaper.delete_rule(RuleName=rule["RuleName"])
    return [
        f"would notice it, since {each['Reason']}, and pause it an hour later"
        for each in planned
        if each["ResourceArn"].endswith(f"endpoint/{endpoint.lower()}")
    ]
