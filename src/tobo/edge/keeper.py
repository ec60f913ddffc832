"""Who keeps what the line tells: counts by the minute, faults when they begin and end, frames that are worth a label.

Its step runs beside the line, never in it; pictures are compressed and files written here.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import numpy as np

from tobo.edge.drift import LIMIT, ScoreDrift
from tobo.edge.loop import Model
from tobo.edge.outbox import Event, Outbox
from tobo.edge.ports import Frame
from tobo.edge.records import Record, Records
from tobo.inference.pictures import encode_jpeg

log = logging.getLogger(__name__)

QUALITY = 92
"""JPEG's, of frames that may be trained on."""
_REMEMBERED = 12
"""Parts that the page shows."""


class Keeper:
    """Turns records into events and frames of the outbox. One thread calls `step`; others may read what is public."""

    def __init__(
        self,
        records: Records,
        outbox: Outbox | None,
        now: Callable[[], float],
        every: float = 60.0,
        watch: Callable[[Record], None] = lambda record: None,
    ) -> None:
        """`now` gives epoch seconds; counts are told `every` so many of them. `watch` sees each record."""
        self._records, self._outbox, self._now, self._every, self._watch = records, outbox, now, every, watch
        self.recent: deque[tuple[Record, bytes]] = deque(maxlen=_REMEMBERED)
        """The last frames that were kept, as JPEG."""
        self.drift: ScoreDrift | None = None
        self._labels: dict[str, tuple[str, ...]] = {}
        self._drifted = False
        self._model = ""
        self._fault: str | None = None
        self._arm_fault: str | None = None
        self._counts = _Counts(now())

    def begin(self, model: Model, drift: ScoreDrift | None) -> None:
        """A version begins to sort."""
        self._labels = {**dict(list(self._labels.items())[-1:]), model.digest: model.classifier.labels}
        self.drift, self._drifted, self._model = drift, False, model.digest

    def tell(self, kind: str, **members: Any) -> None:
        """An event that is not a part's."""
        self._write([{"at": self._now(), "kind": kind, **members}])

    def step(self) -> int:
        """Takes what the line has told; how many records it were."""
        records = self._records.take()
        events: list[Event] = []
        for record in records:
            self._watch(record)
            if self._counts.decisions and record.model != self._counts.model:
                events += self._minute()
            self._counts.note(record)
            events += self._transitions(record)
            if record.scores is not None and self.drift is not None and record.model == self._model:
                self.drift.note(record.scores)
            if record.frame is not None:
                self._keep(record, record.frame)
        if self._now() - self._counts.since >= self._every or self._now() < self._counts.since:
            events += self._minute()
        if events:
            self._write(events)
        return len(records)

    def finish(self) -> None:
        """What is left, before the agent ends."""
        self.step()
        self._write(self._minute())

    def _minute(self) -> list[Event]:
        events: list[Event] = []
        if self._counts.decisions:
            lost = {"records": self._records.dropped, "frames": self._records.dropped_frames}
            events.append(self._counts.event(self._now()) | {"lost_in_memory": lost})
        self._counts = _Counts(self._now())
        index = self.drift.index() if self.drift is not None else None
        if index is not None and (index > LIMIT) != self._drifted:
            self._drifted = index > LIMIT
            events.append({"at": self._now(), "kind": "drift", "index": index, "limit": LIMIT, "over": self._drifted})
            log.log(logging.WARNING if self._drifted else logging.INFO, "The scores' stability index is %.2f.", index)
        return events

    def _transitions(self, record: Record) -> list[Event]:
        """A fault is an event when it begins and when it is over, not at every part."""
        events: list[Event] = []
        if record.fault != self._fault:
            self._fault = record.fault
            events.append({"at": self._now(), "kind": "fault", "number": record.number, "fault": record.fault})
        if record.arm_fault != self._arm_fault:
            self._arm_fault = record.arm_fault
            events.append({"at": self._now(), "kind": "arm", "number": record.number, "fault": record.arm_fault})
        return events

    def _keep(self, record: Record, frame: Frame) -> None:
        jpeg = encode_jpeg(frame.pixels, QUALITY)
        self.recent.append((record, jpeg))
        labels = self._labels.get(record.model, ())
        about = {
            "at": self._now(),
            "number": record.number,
            "frame": frame.number,
            "verdict": record.decision.verdict,
            "reason": record.decision.reason,
            "label": record.decision.label,
            "margin": round(record.decision.margin, 6),
            "scores": {label: round(score, 6) for label, score in zip(labels, record.scores or (), strict=False)},
            "kept": record.kept,
            "model": record.model,
        }
        if self._outbox is not None:
            for id in self._outbox.append([{"kind": "frame", **about}]):
                self._outbox.keep(id, jpeg, {"id": id, **about})

    def _write(self, events: list[Event]) -> None:
        if self._outbox is not None:
            self._outbox.append(events)


class _Counts:
    """What happened since a time."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.decisions = 0
        self._of: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._latencies: list[float] = []
        self.model = ""

    def note(self, record: Record) -> None:
        self.decisions += 1
        self._of["rejects"] += record.decision.verdict == "ko"
        self._of["late"] += record.decision.reason == "late"
        self._of["faults"] += record.fault is not None
        self._of["arm_faults"] += record.arm_fault is not None
        if record.decision.label is not None:
            self._labels[record.decision.label] += 1
        if record.scores is not None:
            self._latencies.append(record.latency * 1000)
        self.model = record.model

    def event(self, now: float) -> dict[str, Any]:
        found: dict[str, Any] = {
            "at": now,
            "kind": "counts",
            "from": self.since,
            "decisions": self.decisions,
            **self._of,
        }
        found |= {"labels": dict(self._labels), "model": self.model}
        if self._latencies:
            p50, p99 = np.percentile(self._latencies, (50, 99))
            found["latency_ms"] = {"p50": round(float(p50), 3), "p99": round(float(p99), 3)}
        return found
