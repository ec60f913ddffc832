"""What the reaper would do about an endpoint that nobody has tagged: asked, not done."""

import secrets

from tobo.cli.story.connection import Connection


def dry_run(connection: Connection, endpoint: str) -> list[str]:
    """The sentences of its plan about this endpoint, by a rule that is off and goes at once."""
    reaper = connection.client("tobo-reaper")
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
