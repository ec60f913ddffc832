"""Counts of the line since the agent started, and how long its decisions took."""

from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np

from tobo.edge.records import Record

_REMEMBERED = 2000


@dataclass
class Tally:
    """Written by the line, read by others: every field is replaced or grows, none is ever set back."""

    decisions: int = 0
    rejects: int = 0
    faults: int = 0
    late: int = 0
    arm_faults: int = 0
    kept: int = 0
    """Frames for labelling."""
    judged: int = 0
    """Parts that the model alone has decided on: it gave scores, and nobody overrode them."""
    judged_rejects: int = 0
    judged_late: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """Seconds from the frame to the command, of the last parts that had a frame."""

    def note(self, record: Record) -> None:
        self.decisions += 1
        self.rejects += record.decision.verdict == "ko"
        self.faults += record.fault is not None
        self.late += record.decision.reason == "late"
        self.arm_faults += record.arm_fault is not None
        self.kept += record.kept is not None
        if record.decision.label is not None:
            self.labels[record.decision.label] += 1
        if record.scores is not None and record.decision.reason != "override":
            self.judged += 1
            self.judged_rejects += record.decision.verdict == "ko"
            self.judged_late += record.decision.reason == "late"
        if record.scores is not None:
            self.latencies.append(record.latency)

    def percentiles(self, *which: float) -> list[float] | None:
        """Milliseconds from frame to command at these percentiles (0..100); None before the first part."""
        found = list(self.latencies)
        return [float(value) * 1000 for value in np.percentile(found, which)] if found else None
