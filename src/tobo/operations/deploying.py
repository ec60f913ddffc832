"""What registering and deploying a model leaves behind in lineage: actions that models contributed to, and where they went.

Source of the words: Developer Guide, "SageMaker AI-Created Tracking Entities" (actions Approval and ModelDeployment,
contexts ModelGroup and Endpoint); a device is a context of the same kind, which AWS has not.
"""

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tobo.kit.arn import Arn, Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context, service_principal
from tobo.operations.recording import Artifact, artifact_at, associate
from tobo.store.base import Row

log = logging.getLogger("tobo.deploying")

_LONGEST = 120
"""Characters of the name of an action or context."""


@dataclass(frozen=True)
class Deployment:
    """`name` is unique to this deployment, `models` are S3 addresses, `packages` ARNs of the model packages that they are
    from; the place is called `place_name` and has the ARN `place_arn`, `kind` is its context's type: "Endpoint", "Device"."""

    name: str
    models: Sequence[str]
    kind: str
    place_name: str
    place_arn: str
    packages: Sequence[str] = ()


def record_deployment(context: Context, space: Namespace, deployment: Deployment) -> None:
    """Models and packages -> ModelDeployment -> the place; safe to repeat."""
    call = Call(context, service_principal(space.account), space)
    with _forgiving(f"the deployment {deployment.name}"):
        kind = deployment.kind
        place = entity(call, "Context", f"{deployment.place_name}-aws-{kind.lower()}", kind, deployment.place_arn)
        name = f"{deployment.name}-aws-model-deployment"
        action = entity(call, "Action", name, "ModelDeployment", deployment.place_arn)
        for uri in dict.fromkeys(filter(None, deployment.models)):
            associate(call, artifact_at(call, Artifact(uri, "Model")), action, "ContributedTo")
        for package in dict.fromkeys(filter(None, deployment.packages)):
            for approval in call.call("sagemaker", "ListActions", SourceUri=package, MaxResults=1)["ActionSummaries"]:
                associate(call, approval["ActionArn"], action, "ContributedTo")
        associate(call, action, place, "AssociatedWith")


_APPROVALS = {"Approved": "Completed", "Rejected": "Failed", "PendingManualApproval": "InProgress"}
"""An action's status by a package's ModelApprovalStatus."""


def record_package(context: Context, package: Row, by: str) -> None:
    """Models -> Approval -> the group of a version, whose approval is as it is now, given or taken `by` an ARN; safe to
    repeat."""
    space, group = package.key.space, package.asked.get("ModelPackageGroupName")
    call = Call(context, service_principal(space.account), space)
    with _forgiving(f"the model package {package.arn}"):
        name = f"{package.key.name}-aws-model-package"
        approval = package.asked.get("ModelApprovalStatus", "Approved")
        action = entity(call, "Action", name, "Approval", package.arn)
        call.call(
            "sagemaker",
            "UpdateAction",
            ActionName=_fitting(name),
            Status=_APPROVALS[approval],
            Properties={"ModelApprovalStatus": approval, "By": by},
        )
        for container in package.asked.get("InferenceSpecification", {}).get("Containers", ()):
            if uri := container.get("ModelDataUrl"):
                associate(call, artifact_at(call, Artifact(uri, "Model")), action, "ContributedTo")
        if group:
            of = str(Arn("sagemaker", space.region, space.account, f"model-package-group/{group.lower()}"))
            associate(
                call, action, entity(call, "Context", f"{group}-aws-model-group", "ModelGroup", of), "AssociatedWith"
            )


@contextmanager
def _forgiving(what: str) -> Iterator[None]:
    """Nothing fails for its record: what is refused is logged."""
    try:
        yield
    except Fault as fault:
        log.warning("%s is not recorded whole: %s", what, fault)
    except Exception:
        log.exception("%s is not recorded whole", what)


def entity(call: Call, noun: str, name: str, kind: str, source: str) -> str:
    """The ARN of the action or context (`noun`) of a name, which is made where there is none."""
    name = _fitting(name)
    asked = {f"{noun}Name": name, f"{noun}Type": kind, "Source": {"SourceUri": source, "SourceType": "ARN"}}
    try:  # looked for first: what is refused would be in the audit log
        found = call.call("sagemaker", f"Describe{noun}", **{f"{noun}Name": name})
    except Fault as fault:
        if fault.code != "ResourceNotFound":
            raise
        found = call.call("sagemaker", f"Create{noun}", **asked)
    arn: str = found[f"{noun}Arn"]
    return arn


def _fitting(name: str) -> str:
    """Lineage's names are letters, digits and single hyphens, and not as long as a fleet's and a device's together may be."""
    plain = re.sub("[^a-zA-Z0-9]+", "-", name).strip("-")
    if len(plain) <= _LONGEST:
        return plain
    return f"{plain[: _LONGEST - 9].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
