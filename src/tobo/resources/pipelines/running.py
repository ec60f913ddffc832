"""Steps: begun, followed and stopped through the operations of what they are about.

A step is written down before it begins, and what it makes has a name (a version of a group: a token) of its own, so
that a server killed in between neither loses nor doubles it.
"""

import hashlib
import secrets
from contextlib import suppress
from typing import Any

from tobo.kit.fault import Fault
from tobo.resources.pipelines.conditions import holds
from tobo.resources.pipelines.definition import Step
from tobo.resources.pipelines.fitting import fitted
from tobo.resources.pipelines.run import Record, Run
from tobo.resources.pipelines.step_types import ENDS, RESOURCES, Resource

IN_TRIAL = ("Training", "Processing", "Transform")
"""Types of steps whose jobs are recorded in the execution's trial."""


def planned(run: Run, step: Step) -> Record:
    """A step that shall begin."""
    attempt = run.row.found.get("_attempts", {}).get(step.name, 0) + 1
    record: Record = {
        "StepName": step.name,
        "StepStatus": "Starting",
        "StartTime": run.context.clock.now(),
        "AttemptCount": attempt,
        "Metadata": {},
    }
    named = (("StepDisplayName", step.display_name), ("StepDescription", step.description))
    return record | {member: text for member, text in named if text}


def begin(run: Run, record: Record) -> None:
    """Does what a planned step does; safe to repeat. What is refused is the step's failure."""
    step = run.definition.by_name[record["StepName"]]
    try:
        arguments = run.resolved(step.arguments)
        if step.type == "Condition":
            outcome = all(holds(condition) for condition in arguments["Conditions"])
            record["Metadata"] = {"Condition": {"Outcome": str(outcome)}}
            _end(run, record, "Succeeded")
        elif step.type == "Fail":
            record["Metadata"] = {"Fail": {"ErrorMessage": str(arguments.get("ErrorMessage", ""))}}
            _end(run, record, "Failed", str(arguments.get("ErrorMessage", "")))
        elif step.type == "Callback":
            told = {"CallbackToken": secrets.token_hex(5), **({"SqsQueueUrl": step.queue} if step.queue else {})}
            record |= {"StepStatus": "Executing", "Metadata": {"Callback": told}}
        else:
            _make(run, record, step, fitted(step.type, arguments))
    except Fault as fault:
        _end(run, record, "Failed", f"ClientError: {fault.message}")


def follow(run: Run, record: Record) -> None:
    """What has come of a step that runs."""
    resource = RESOURCES[run.definition.by_name[record["StepName"]].type]
    try:
        described = _described(run, resource, record["_name"])
    except Fault as fault:
        _end(run, record, "Failed", f"ClientError: {fault.message}")
        return
    status = ENDS.get(described[resource.status]) if resource.status else "Succeeded"
    if resource.noun == "Endpoint" and status == "Succeeded" and described["EndpointConfigName"] != record["_config"]:
        status = "Failed"  # it went back to what it had
    if resource.noun == "LabelingJob" and status == "Stopped" and described.get("LabelingJobOutput"):
        status = "Succeeded"  # who stops one early has the labels that were given until then
    if status:
        said = described.get("ExitMessage") or described.get("FailureReason")
        reason = said or f"The {resource.noun} '{record['_name']}' is {described.get(resource.status)}."
        _end(run, record, status, "" if status == "Succeeded" else reason)
    elif record["StepStatus"] == "Starting":
        record["StepStatus"] = "Executing"


def stop(run: Run, record: Record) -> None:
    """Asks what a step has made to stop; what cannot be stopped goes on without the pipeline."""
    step = run.definition.by_name[record["StepName"]]
    resource = RESOURCES.get(step.type)
    if resource is None or not resource.stops:
        _end(run, record, "Stopped")
        return
    if "_name" not in record and not _was_made(run, record, step, resource):
        _end(run, record, "Stopped")  # it has not begun, and shall not
        return
    if record["StepStatus"] != "Stopping":
        with suppress(Fault):  # it is over: the next look says how
            run.sagemaker(f"Stop{resource.noun}", **{resource.name: record["_name"]})
        record["StepStatus"] = "Stopping"
    follow(run, record)


def _make(run: Run, record: Record, step: Step, arguments: dict[str, Any]) -> None:
    resource = RESOURCES[step.type]
    match step.type:
        case "LabelingJob":
            record["_name"] = arguments[resource.name]
        case "RegisterModel":
            record["_name"] = _register(run, step, record["AttemptCount"], arguments)
        case "Endpoint":
            record["_name"], record["_config"] = arguments["EndpointName"], arguments["EndpointConfigName"]
            _deploy(run, arguments)
        case _:
            if step.type in IN_TRIAL and (config := run.row.asked.get("_experiment")):
                arguments.setdefault("ExperimentConfig", config)
            tags = [{"Key": "sagemaker:pipeline-execution-arn", "Value": run.row.arn}]
            tags.append({"Key": "sagemaker:pipeline-step-name", "Value": step.name})
            arguments["Tags"] = [*arguments.get("Tags", []), *tags]
            name = _name(run, record, step, resource)
            try:
                run.sagemaker(f"Create{resource.noun}", **{**arguments, resource.name: name})
                record["_name"] = name
            except Fault:
                if not _was_made(run, record, step, resource):
                    raise
    described = _described(run, resource, record["_name"])
    record["Metadata"] = {resource.metadata: {"Arn": described[resource.arn]}}
    follow(run, record)


def _was_made(run: Run, record: Record, step: Step, resource: Resource) -> bool:
    """Whether an earlier try, of which nobody knows any more, has made it; writes down its name then."""
    try:
        name = _name(run, record, step, resource)
        _described(run, resource, name)
    except Fault:
        return False
    record["_name"] = name
    return True


def _name(run: Run, record: Record, step: Step, resource: Resource) -> str:
    return run.name_for(step, record["AttemptCount"], str(run.resolved(step.arguments.get(resource.name, ""))))


def _register(run: Run, step: Step, attempt: int, arguments: dict[str, Any]) -> str:
    """The ARN of the version; its group is made where there is none, as on AWS."""
    group = arguments.get("ModelPackageGroupName")
    if group:
        try:
            run.sagemaker("DescribeModelPackageGroup", ModelPackageGroupName=group)
        except Fault:
            run.sagemaker("CreateModelPackageGroup", ModelPackageGroupName=group.rsplit("/", 1)[-1])
    token = hashlib.sha256(f"{run.row.arn} {step.name} {attempt}".encode()).hexdigest()[:32]
    return str(run.sagemaker("CreateModelPackage", **{**arguments, "ClientToken": token})["ModelPackageArn"])


def _deploy(run: Run, arguments: dict[str, Any]) -> None:
    """Creates the endpoint, or updates it where it is there; one that has the configuration already is left alone."""
    name, config = arguments["EndpointName"], arguments["EndpointConfigName"]
    try:
        endpoint = run.sagemaker("DescribeEndpoint", EndpointName=name)
    except Fault:
        run.sagemaker("CreateEndpoint", **arguments)
        return
    pending = endpoint.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    if config not in (endpoint["EndpointConfigName"], pending):
        given = {member: value for member, value in arguments.items() if member != "Tags"}
        run.sagemaker("UpdateEndpoint", **given)


def _described(run: Run, resource: Resource, name: str) -> Any:
    return run.sagemaker(f"Describe{resource.noun}", **{resource.name: name})


def _end(run: Run, record: Record, status: str, reason: str = "") -> None:
    record |= {"StepStatus": status, "EndTime": run.context.clock.now()}
    if reason:
        record["FailureReason"] = reason[:1024]
