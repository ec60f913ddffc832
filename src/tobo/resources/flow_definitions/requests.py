"""What CreateFlowDefinition refuses before anything starts, beyond what the AWS model says."""

import re
from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import parse_arn
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Call

LIFETIME = 864_000
"""Seconds that a loop is offered to workers: ten days, the longest that AWS has for a private team."""

TIME_LIMIT = 3600
"""Seconds that a worker has for a task; TaskTimeLimitInSeconds' documented default."""

_CROWDS = re.compile(r":workteam/(public|vendor)-crowd/")


def checked(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The request with its defaults filled in; raises Fault ValidationException in one sentence that names the member."""
    for member in ("HumanLoopRequestSource", "HumanLoopActivationConfig"):
        if member in asked:
            raise validation(
                f"{member} is for Amazon Rekognition and Textract, which are not here; leave it out, and start loops with"
                " StartHumanLoop or the tags tobo:review-flow and tobo:review-below of an endpoint or a device fleet."
            )
    if "HumanLoopConfig" not in asked:
        raise validation("HumanLoopConfig is missing; it names the work team, the human task UI and the task.")
    config = {
        "TaskAvailabilityLifetimeInSeconds": LIFETIME,
        "TaskTimeLimitInSeconds": TIME_LIMIT,
        **asked["HumanLoopConfig"],
    }
    parse_s3_uri(asked["OutputConfig"]["S3OutputPath"], "OutputConfig.S3OutputPath")
    if _CROWDS.search(config["WorkteamArn"]):
        raise validation(
            "HumanLoopConfig.WorkteamArn is a public or vendor team; those work on AWS only. Name a private team."
        )
    _check_there(call, "WorkteamArn", config["WorkteamArn"], "DescribeWorkteam", "WorkteamName", "CreateWorkteam")
    _check_there(
        call, "HumanTaskUiArn", config["HumanTaskUiArn"], "DescribeHumanTaskUi", "HumanTaskUiName", "CreateHumanTaskUi"
    )
    return {**asked, "HumanLoopConfig": config}


def _check_there(call: Call, member: str, text: str, describe: str, name: str, create: str) -> None:
    arn = parse_arn(text)
    place = f"'{text}' at HumanLoopConfig.{member}"
    if (arn.account, arn.region) != call.space:
        raise validation(
            f"{place} is not of this account and region ({call.space.account}, {call.space.region}); name one that is."
        )
    try:
        call.context.as_house(call.space, "sagemaker", describe, **{name: arn.name})
    except Fault as fault:
        raise validation(f"{place} does not exist; make it with {create} first.") from fault
