"""Tags of topics. Source: Amazon SNS API Reference."""

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.tagging import tag_operations
from tobo.resources.topics.topic import TOPIC
from tobo.store.base import Row


def _known(call: Call, arn: str) -> Row:
    row = call.context.store.find_arn(arn)
    if row is None or row.key.space != call.space or row.key.kind != TOPIC:
        raise Fault("ResourceNotFound", f"Topic '{arn}' does not exist here.", 404)
    return row


tag_operations("sns", _known, lambda said: Fault("TagLimitExceeded", said))
