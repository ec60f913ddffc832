"""Quotas: how many instances one endpoint or one job may have; beyond that a request is a mistake, not a wish."""

from collections.abc import Iterable

from tobo.kit.fault import Fault
from tobo.operations.context import Context


def check_instances(context: Context, whose: str, counts: Iterable[int]) -> None:
    """Raises Fault ResourceLimitExceeded where `whose` ("an endpoint") instances are more than the setting allows."""
    wanted, most = sum(counts), context.settings.max_instances
    if wanted > most:
        raise Fault(
            "ResourceLimitExceeded",
            f"The service limit 'Number of instances for {whose}' is {most} instances, and {wanted} were asked for; ask "
            f"for fewer, or raise TOBO_MAX_INSTANCES.",
        )
