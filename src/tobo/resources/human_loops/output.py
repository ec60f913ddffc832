"""output.json of a human loop. Form: Developer Guide, "Amazon A2I Output Data", custom task types."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tobo.kit.arn import Namespace, parse_arn
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.store.base import Row
from tobo.tasks.base import Answer


def output_of(context: Context, row: Row, answers: Sequence[Answer]) -> bytes:
    """The answers in the order in which they were given, beside what was asked."""
    told = {
        "flowDefinitionArn": row.asked["FlowDefinitionArn"],
        "humanAnswers": [_answer(context, answer) for answer in answers],
        "humanLoopName": row.key.name,
        "inputContent": json.loads(row.asked["HumanLoopInput"]["InputContent"]),
    }
    return json.dumps(told, ensure_ascii=False).encode()


def _answer(context: Context, answer: Answer) -> dict[str, Any]:
    return {
        "acceptanceTime": _when(answer.at - answer.seconds),
        "answerContent": json.loads(answer.body),
        "submissionTime": _when(answer.at),
        "timeSpentInSeconds": round(answer.seconds, 3),
        "workerId": hashlib.sha256(answer.worker.encode()).hexdigest()[:16],
        "workerMetadata": {"identityData": _identity(context, answer.worker)},
    }


def _identity(context: Context, worker: str) -> dict[str, str]:
    """Who it was: AWS's words for people of a user pool; whoever answers with a key of IAM has its ARN."""
    arn = parse_arn(worker)
    if arn.service != "cognito-idp":
        return {"identityProviderType": "IAM", "issuer": "iam", "sub": worker}
    _, pool, _, name = arn.resource.split("/", 3)
    space, asked = Namespace(arn.account, arn.region), {"UserPoolId": pool, "Username": name}
    try:
        user = context.as_house(space, "cognito-idp", "AdminGetUser", **asked)
    except Fault:
        sub = name  # the person was deleted meanwhile
    else:
        sub = next(one["Value"] for one in user["UserAttributes"] if one["Name"] == "sub")
    issuer = f"https://cognito-idp.{arn.region}.amazonaws.com/{pool}"
    return {"identityProviderType": "Cognito", "issuer": issuer, "sub": sub}


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
