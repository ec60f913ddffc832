"""Tags of alarms. Source: Amazon CloudWatch API Reference."""

from collections.abc import Mapping

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.tagging import check_count, tag_operations
from tobo.resources.alarms.alarm import KIND, SERVICE
from tobo.store.base import Row


def check_tags(name: str, tags: Mapping[str, str]) -> None:
    """Raises Fault InvalidParameterValue for more than 50."""
    check_count(name, tags, _too_many)


def _known(call: Call, arn: str) -> Row:
    row = call.context.store.find_arn(arn)
    if row is None or row.key.space != call.space or row.key.kind != KIND:
        raise Fault("ResourceNotFoundException", f"The alarm '{arn}' does not exist here.", 404)
    return row


def _too_many(said: str) -> Fault:
    return Fault("InvalidParameterValue", said)


tag_operations(SERVICE, _known, _too_many, arn="ResourceARN")
