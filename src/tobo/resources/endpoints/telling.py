"""A sentence in an endpoint's log group, for who looks why something did not come of its requests."""

import logging

from tobo.kit.arn import Namespace
from tobo.operations.context import Context

log = logging.getLogger("tobo.endpoints")

GROUP = "/aws/sagemaker/Endpoints"


def tell(context: Context, space: Namespace, endpoint: str, stream: str, sentence: str) -> None:
    """Never raises: a full disk must not reach those who ask the endpoint."""
    group, now = f"{GROUP}/{endpoint}", int(context.clock.now() * 1000)
    try:
        context.logs.stream_file(space, group, stream)  # makes it
        context.logs.append(space, group, stream, [(now, sentence)])
    except OSError:
        log.exception("the log of endpoint %s cannot be written", endpoint)
