"""Spans: named entities that several workers marked in one text, voted for as they stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from tobo.labelling.quality import clusters
from tobo.labelling.quality.clusters import Consolidated, Standing, Stands, split


@dataclass(frozen=True, slots=True)
class Span:
    """One worker's entity: characters `start` to before `end` of the text, counted from 0."""

    worker: str
    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AgreedSpan(Stands):
    """A span that workers marked together, and how they stand to it; `overlap` is 1, as only equal spans count."""

    start: int
    end: int
    standing: Standing


Spans = Consolidated[AgreedSpan]


def consolidate(spans: Sequence[Span], workers: int | None = None) -> Spans:
    """Spans of one text: those with the same start and end, whatever their label, are one; its label is their majority's.

    Kept is what more than half of the `workers` who answered marked; a worker who marks the same characters twice has one
    vote, that of the label first by name. Spans that overlap can both be kept. ValueError where `workers` is less than
    the spans have, or a span is empty.
    """
    for span in spans:
        if not 0 <= span.start < span.end:
            raise ValueError(
                f"The span {span.start} to {span.end} of {span.worker} is empty; an end is behind its start."
            )
    among = clusters.count_workers([span.worker for span in spans], workers)
    groups: dict[tuple[int, int], dict[str, str]] = {}
    for span in sorted(spans, key=lambda one: (one.start, one.end, one.worker, one.label)):
        groups.setdefault((span.start, span.end), {}).setdefault(span.worker, span.label)
    found = []
    for (start, end), marked in groups.items():
        found.append(AgreedSpan(start, end, clusters.standing(marked, among)))
    return split(found)
