"""What the operations on jobs of every kind have in common: one row is described, stopped or forgotten."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.machine import advance_fresh
from tobo.operations.rows import known_row
from tobo.store.base import Conflict, Row


@dataclass(frozen=True)
class Jobs:
    """One kind of job. `noun` is AWS's ("TrainingJob": its members are TrainingJobName, ...Arn, ...Status), `kind` the
    row's, `words` what a sentence calls it; `missing` makes the refusal of an unknown ARN."""

    noun: str
    kind: str
    words: str
    terminal: frozenset[str]
    missing: Callable[[str], Fault]

    def row(self, call: Call, asked: Mapping[str, Any]) -> Row:
        """The job that a request names; raises what `missing` makes."""
        return known_row(call, self.kind, asked[f"{self.noun}Name"], self.missing)

    def head(self, row: Row) -> dict[str, Any]:
        """The members that summaries and descriptions share."""
        return {
            f"{self.noun}Name": row.key.name,
            f"{self.noun}Arn": row.arn,
            f"{self.noun}Status": row.status,
            "CreationTime": row.created,
            "LastModifiedTime": row.modified,
        }

    def describe(self, call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What was asked, what was found since, and the head."""
        row = self.row(call, asked)
        return {**row.asked, **row.found, **self.head(row)}

    def stop(self, call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The event "stop", unless it is stopping already; raises Fault ValidationException where it is over."""

        def running() -> Row | None:
            row = self.row(call, asked)
            if row.state in self.terminal:
                raise validation(f"The request was rejected because the {self.words} is in status {row.status}.")
            return None if row.status in ("Stopping", "STOPPING") else row

        advance_fresh(call.context, running, "stop")
        return {}

    def delete(self, call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Forgets a job that is over; raises Fault ResourceInUse where it is not."""
        row = self.row(call, asked)
        if row.state not in self.terminal or row.todo:
            raise Fault(
                "ResourceInUse",
                f"The {self.words} '{row.key.name}' is {row.status}; stop it and wait until it is over.",
            )
        try:
            call.context.store.delete(row)
        except Conflict:
            raise Fault("ResourceInUse", f"The {self.words} '{row.key.name}' is being changed; try again.") from None
        return {}
