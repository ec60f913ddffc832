"""The meter: once a minute all that runs has its use so far written down."""

from tobo.operations.context import Context
from tobo.operations.metering import look
from tobo.operations.timers import every


@every(60.0, "meter", "Metering")
def read_meters(context: Context) -> None:
    if context.ledger is not None:
        look(context)
