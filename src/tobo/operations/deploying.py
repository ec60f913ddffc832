"""What a deployment leaves behind in lineage: an action that models contributed to, and where they went.

Source of the words: Developer Guide, "SageMaker AI-Created Tracking Entities" (action ModelDeployment, context Endpoint);
a device is a context of the same kind, which AWS has not.
"""

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context, service_principal
from tobo.operations.recording import Artifact, artifact_at, associate

log = logging.getLogger("tobo.deploying")

_LONGEST = 120
"""Characters of the name of an action or context."""


@dataclass(frozen=True)
class Deployment:
    """`name` is unique to this deployment, `models` are S3 addresses; `place` is named `place_name` and has the ARN
    `place_arn`; `kind` is its context's type, "Endpoint" or "Device"."""

    name: str
    models: Sequence[str]
    kind: str
    place_name: str
    place_arn: str


def record_deployment(context: Context, space: Namespace, deployment: Deployment) -> None:
    """Models -> ModelDeployment -> the place; safe to repeat. What is refused is logged: nothing fails for its record."""
    call = Call(context, service_principal(space.account), space)
    try:
        kind = deployment.kind
        place = entity(call, "Context", f"{deployment.place_name}-aws-{kind.lower()}", kind, deployment.place_arn)
        name = f"{deployment.name}-aws-model-deployment"
        action = entity(call, "Action", name, "ModelDeployment", deployment.place_arn)
        for uri in dict.fromkeys(filter(None, deployment.models)):
            associate(call, artifact_at(call, Artifact(uri, "Model")), action, "ContributedTo")
        associate(call, action, place, "AssociatedWith")
    except Fault as fault:
        log.warning("the deployment %s is not recorded whole: %s", deployment.name, fault)
    except Exception:
        log.exception("the deployment %s is not recorded whole", deployment.name)


def entity(call: Call, noun: str, name: str, kind: str, source: str) -> str:
    """The ARN of the action or context (`noun`) of a name, which is made where there is none."""
    name = _fitting(name)
    asked = {f"{noun}Name": name, f"{noun}Type": kind, "Source": {"SourceUri": source, "SourceType": "ARN"}}
    try:
        made = call.call("sagemaker", f"Create{noun}", **asked)
    except Fault as fault:
        if "already exists" not in fault.message:
            raise
        made = call.call("sagemaker", f"Describe{noun}", **{f"{noun}Name": name})
    arn: str = made[f"{noun}Arn"]
    return arn


def _fitting(name: str) -> str:
    """Lineage's names are letters, digits and single hyphens, and not as long as a fleet's and a device's together may be."""
    plain = re.sub("[^a-zA-Z0-9]+", "-", name).strip("-")
    if len(plain) <= _LONGEST:
        return plain
    return f"{plain[: _LONGEST - 9].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
