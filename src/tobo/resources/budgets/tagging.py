"""Tags of budgets. Source: AWS Budgets API Reference."""

from tobo.kit.fault import Fault
from tobo.operations.budgeting import BUDGET
from tobo.operations.context import Call
from tobo.operations.tagging import tag_operations
from tobo.resources.budgets.budget import not_found
from tobo.store.base import Row


def _known(call: Call, arn: str) -> Row:
    row = call.context.store.find_arn(arn)
    if row is None or row.key.kind != BUDGET or row.key.space.account != call.principal.account:
        raise not_found(f"Budget '{arn[:200]}' does not exist here.")
    return row


tag_operations(
    "budgets",
    _known,
    lambda said: Fault("ServiceQuotaExceededException", said),
    arn="ResourceARN",
    tags="ResourceTags",
    keys="ResourceTagKeys",
)
