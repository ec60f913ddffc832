"""What became of the invocations of a variant, counted in memory until it is written."""

import math
from dataclasses import dataclass, field

_RESOLUTION = math.log(1.01)
"""Latencies within 1 % of each other are counted together."""


@dataclass
class Traffic:
    """Counts since they were written last. Latencies in microseconds, as CloudWatch's ModelLatency is."""

    answered: int = 0
    served: int = 0
    """Of those answered, the ones that were no error."""
    refused: int = 0
    client_errors: int = 0
    server_errors: int = 0
    latencies: dict[int, tuple[int, float]] = field(default_factory=dict)
    """How many and their sum, of those that are about as long: percentiles can be told of them, and sums are exact."""

    @property
    def least(self) -> float:
        """The shortest latency, to 1 %; infinite without one."""
        return min((total / count for count, total in self.latencies.values()), default=math.inf)

    def add(self, status: int, microseconds: float) -> None:
        """One answer of a replica, whatever its status."""
        self.answered += 1
        self.served += status < 400
        bucket = int(math.log(max(microseconds, 1.0)) / _RESOLUTION)
        count, total = self.latencies.get(bucket, (0, 0.0))
        self.latencies[bucket] = count + 1, total + microseconds
        self._fail(status)

    def refuse(self, status: int) -> None:
        """One request that no replica was given."""
        self.refused += 1
        self._fail(status)

    def _fail(self, status: int) -> None:
        if status >= 500:
            self.server_errors += 1
        elif status >= 400:
            self.client_errors += 1
