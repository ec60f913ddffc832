"""Delivering an event to the targets of the rules that want it."""

import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.rows import rows_of
from tobo.resources.event_rules.patterns import matches, read_pattern
from tobo.resources.event_rules.rule import KIND

log = logging.getLogger("tobo.events")

_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def event_of(
    context: Context,
    space: Namespace,
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: Sequence[str],
    once: str = "",
    at: float | None = None,
) -> dict[str, Any]:
    """An event in EventBridge's form; the same `once` gives the same id."""
    moment = datetime.fromtimestamp(context.clock.now() if at is None else at, UTC)
    return {
        "version": "0",
        "id": str(uuid.uuid5(_NAMESPACE, once) if once else uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": space.account,
        "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "region": space.region,
        "resources": list(resources),
        "detail": dict(detail),
    }


def deliver(context: Context, space: Namespace, event: Mapping[str, Any]) -> None:
    """To topics once, however often it is done; a pipeline's execution has the event's id as its token. What fails is logged."""
    for rule in rows_of(context.store, space, KIND):
        if rule.status != "ENABLED" or not matches(read_pattern(rule.asked["EventPattern"]), event):
            continue
        for target in rule.asked["Targets"]:
            try:
                _tell(context, space, target, event)
            except Fault as fault:
                log.warning("target %s of rule %s was not reached: %s", target["Arn"], rule.key.name, fault.message)


def _tell(context: Context, space: Namespace, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    text = target.get("Input") or orjson.dumps(event).decode()
    arn = target["Arn"]
    once = f"{event['id']}-{target['Id']}"
    if ":sns:" in arn:
        context.as_house(space, "sns", "Publish", TopicArn=arn, Message=text, MessageDeduplicationId=once[:128])
        return
    parameters = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
    context.as_house(
        space,
        "sagemaker",
        "StartPipelineExecution",
        PipelineName=arn.rpartition("/")[2],
        PipelineParameters=list(parameters),
        ClientRequestToken=str(uuid.uuid5(_NAMESPACE, once)),
    )
