"""What could not be scored, kept durably: one line of JSON an object, the last line of an object counts."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

NAMED = 3
"""Objects that a failure reason names; the log has all."""


@dataclass(frozen=True)
class Failure:
    """An object with refused records. `written`: its output is there all the same, with a line for each of them."""

    key: str
    records: int
    first: str
    written: bool


class Failures:
    """The failures of one job, in a file that outlives the server."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.by_key: dict[str, Failure] = {}
        for line in file.read_bytes().split(b"\n") if file.exists() else []:
            try:
                failure = Failure(**orjson.loads(line))
            except ValueError:
                continue  # the end of the file, or a line that a killed server had begun
            self.by_key[failure.key] = failure

    def add(self, failure: Failure) -> None:
        """Returns when it is on the disk."""
        self.by_key[failure.key] = failure
        with self._file.open("ab") as file:
            file.write(b"\n" + orjson.dumps(asdict(failure)) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def reason(self, objects: int) -> str:
        """One sentence for FailureReason."""
        failed = sorted(self.by_key.values(), key=lambda failure: failure.key)
        named = "; ".join(f"'{failure.key}': {failure.first}" for failure in failed[:NAMED])
        more = f"; and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        records = sum(failure.records for failure in failed)
        return (
            f"AlgorithmError: {records} {'record' if records == 1 else 'records'} in {len(failed)} of {objects} objects "
            f"could not be scored, the outputs of the others are there: {named}{more}"
        )
