"""The task store's promise: items that people answer, leased to one worker after another, and every answer kept.

A work (a labelling job or a flow definition, by its ARN) has numbered items. An item is `waiting` until it is opened; while it is `open`, workers
claim it, and each answer and each lease that has not ended takes one of the places that are `wanted`. A `conflict` is
open to reviewers alone. It ends `labelled`, `machine` or `failed`, with a result.

Guaranteed (tests/contract/test_tasks.py):

- What `answer`, `skip` and `settle` returned from has reached the disk; a process killed in mid-write leaves the old state.
- A worker has at most one answer an item and role: a repeated one replaces the one before, and is counted once.
- No worker is given an item that he has answered, nor more workers at a time than places are left.
- A lease that ended gives its place back and keeps its draft for its worker; an answer that comes late is kept, too, as
  long as the item is not settled.
- All methods may be called from any thread.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

State = Literal["waiting", "open", "conflict", "labelled", "machine", "failed"]
Role = Literal["label", "review"]

SETTLED: frozenset[str] = frozenset({"labelled", "machine", "failed"})


@dataclass(frozen=True)
class Item:
    """One object to be labelled. `source` is its line of the manifest, `result` what was settled (both JSON)."""

    number: int
    source: str
    state: State
    wanted: int
    answers: int = 0
    skips: int = 0
    result: str = ""


@dataclass(frozen=True)
class Task:
    """An item in a worker's hands until `until` (epoch seconds), with what he has of it so far."""

    number: int
    source: str
    since: float
    until: float
    draft: str = ""


@dataclass(frozen=True)
class Answer:
    """What a worker says of an item (JSON), when, and how many seconds it took him."""

    number: int
    worker: str
    body: str
    at: float
    seconds: float
    role: Role = "label"


class Effort(NamedTuple):
    """What a worker has done in a work; `seconds` is the sum over his answers."""

    worker: str
    answers: int
    skips: int
    seconds: float


class Gone(Exception):
    """The item is settled, or its work is closed: nothing can be said of it any more."""


class Tasks(Protocol):
    """See the module's docstring for what is guaranteed."""

    def add(self, work: str, first: int, sources: Sequence[str], wanted: int, state: State = "waiting") -> None:
        """Items numbered from `first` on; those that are there stay as they are."""
        ...

    def open(self, work: str, numbers: Sequence[int] | None, most: int) -> int:
        """Waiting items become open: those of `numbers`, else the next ones, until `most` are open. Gives how many did."""
        ...

    def claim(self, work: str, worker: str, count: int, now: float, until: float, role: Role = "label") -> list[Task]:
        """What the worker holds already, and new ones up to `count`; none of a work that is closed."""
        ...

    def keep(self, work: str, number: int, worker: str, until: float, draft: str, role: Role = "label") -> None:
        """Writes a draft and lets the lease last until `until`. Raises Gone."""
        ...

    def release(self, work: str, numbers: Sequence[int], worker: str) -> None:
        """Gives leases back; drafts stay."""
        ...

    def answer(self, work: str, answer: Answer) -> Item:
        """Writes an answer and ends its lease; gives the item as it is then. Raises Gone."""
        ...

    def skip(self, work: str, number: int, worker: str, reason: str, at: float) -> Item:
        """The worker's lease ends; to him the item comes last from now on. Sent again it counts once. Raises Gone."""
        ...

    def reopen(self, work: str, number: int, worker: str, now: float, until: float) -> Task:
        """Takes the worker's own answer back: it is his draft again, and the item open, had it been labelled by it.

        Raises Gone, also where he has none.
        """
        ...

    def dispute(self, work: str, number: int) -> None:
        """An open item becomes a conflict."""
        ...

    def settle(self, work: str, results: Iterable[tuple[int, State, str]]) -> None:
        """(number, settled state, result as JSON) of items; leases on them end. What is settled is overwritten."""
        ...

    def withdraw(self, work: str, number: int, now: float) -> int:
        """Places of an item that nobody holds at `now` are taken away; gives how many workers hold one of it still."""
        ...

    def forget(self, work: str, numbers: Sequence[int] | None = None) -> None:
        """These items, or the whole work, are gone with everything that was said of them."""
        ...

    def end(self, work: str) -> None:
        """Nothing of this work is claimed or answered from now on; leases end."""
        ...

    def item(self, work: str, number: int) -> Item | None: ...

    def items(
        self, work: str, after: int = -1, limit: int = 100, state: State | None = None, ready: bool = False
    ) -> list[Item]:
        """In the order of their numbers, those behind `after`; `ready`: only open ones that have all answers."""
        ...

    def answers(self, work: str, after: int = -1, limit: int = 1000, role: Role = "label") -> list[Answer]:
        """All answers of the next `limit` items behind `after` that have some."""
        ...

    def answers_of(self, work: str, number: int) -> list[Answer]:
        """Every answer of one item, reviews too, the oldest first."""
        ...

    def counts(self, work: str) -> Mapping[str, int]:
        """How many items there are in each state."""
        ...

    def efforts(self, work: str, worker: str | None = None) -> list[Effort]:
        """Of everybody who has answered or skipped something, by name; or of one alone."""
        ...

    def close(self) -> None:
        """Closes the store itself."""
        ...
