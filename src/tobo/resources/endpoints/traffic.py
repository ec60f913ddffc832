"""What became of the invocations of a variant, counted in memory until it is written."""

from dataclasses import dataclass


@dataclass
class Traffic:
    """Counts since they were written last. Latencies in microseconds, as CloudWatch's ModelLatency is."""

    answered: int = 0
    refused: int = 0
    client_errors: int = 0
    server_errors: int = 0
    total: float = 0.0
    least: float = float("inf")
    most: float = 0.0

    def add(self, status: int, microseconds: float) -> None:
        """One answer of a replica, whatever its status."""
        self.answered += 1
        self.total += microseconds
        self.least = min(self.least, microseconds)
        self.most = max(self.most, microseconds)
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
