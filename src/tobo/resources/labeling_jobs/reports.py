"""Reports: how good each worker of a job is, and how much they agree with one another."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tobo.labelling.quality.agreement import fleiss_kappa, krippendorff_alpha, table
from tobo.labelling.quality.workers import Answer, Report, report
from tobo.operations.context import Context
from tobo.resources.labeling_jobs.consensus import MOST_CELLS, votes_of
from tobo.resources.labeling_jobs.honeypots import gold_in
from tobo.resources.labeling_jobs.likeness import alike
from tobo.resources.labeling_jobs.settling import kind_of
from tobo.store.base import Row

PAGE = {"mask": 20}
"""Items that are in memory at a time; masks are large."""

COMPARED = frozenset({"class", "classes", "boxes", "spans"})
"""Shapes that are compared with the consensus: comparing every outline or mask with it would take minutes. Honeypots always are."""

SLOW, SHARE = 0.5, 20
"""A report that took longer than so many seconds is given again for as many times that."""

_MOST_KEPT = 32


@dataclass(frozen=True)
class Quality:
    """`reports` by worker. `alpha` is Krippendorff's, `kappa` Fleiss'; None where nothing can be said, or it does not apply."""

    reports: Mapping[str, Report]
    alpha: float | None
    kappa: float | None


@dataclass(frozen=True)
class _Kept:
    stamp: Any
    until: float
    quality: Quality


_kept: dict[str, _Kept] = {}
_keeping = threading.Lock()


def quality_of(context: Context, row: Row) -> Quality:
    """Made of every answer of the job: of 300,000 in seconds; therefore kept until there are others."""
    stamp = (context.tasks.efforts(row.arn), dict(context.tasks.counts(row.arn)), row.modified)
    kept = _kept.get(row.arn)
    now = time.monotonic()
    if kept and (kept.stamp == stamp or now < kept.until):
        return kept.quality
    known: dict[str, bool] = {}
    consensus: dict[str, bool] = {}
    reports = report(_answers(context, row, known, consensus), known, consensus)
    alpha, kappa = _agreement(context, row)
    quality, took = Quality(reports, alpha, kappa), time.monotonic() - now
    with _keeping:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[row.arn] = _Kept(stamp, now + took * SHARE if took > SLOW else 0.0, quality)
    return quality


def _answers(context: Context, row: Row, known: dict[str, bool], consensus: dict[str, bool]) -> Iterator[Answer]:
    """Answers whose label is whether they are right: what was said is forgotten at once. Fills in what they are compared with."""
    shape, labels = kind_of(row).shape, row.found["_labels"]
    page, after = PAGE.get(shape, 1000), -1
    while said := context.tasks.answers(row.arn, after, page):
        last = said[-1].number
        there = {
            item.number: item for item in context.tasks.items(row.arn, said[0].number - 1, last - said[0].number + 1)
        }
        truths: dict[int, Any] = {}
        for number in {answer.number for answer in said}:
            item = there[number]
            if (truth := gold_in(row, item)) is not None:
                known[str(number)] = True
            elif shape in COMPARED and item.state == "labelled" and item.result:
                truth = json.loads(item.result)["answer"]
                consensus[str(number)] = True
            truths[number] = truth
        for answer in said:
            truth = truths[answer.number]
            right = truth is not None and alike(shape, json.loads(answer.body), truth, labels)
            yield Answer(str(answer.number), answer.worker, right, answer.seconds)
        after = last


def _agreement(context: Context, row: Row) -> tuple[float | None, float | None]:
    """(alpha, kappa) of jobs that ask for one class."""
    if kind_of(row).shape != "class":
        return None, None
    votes = votes_of(context, row)
    if not votes or len({vote.item for vote in votes}) * len({vote.label for vote in votes}) > MOST_CELLS:
        return None, None
    counts = table(votes)
    each = counts.sum(1)
    same = each[0] >= 2 and bool((each == each[0]).all())
    return krippendorff_alpha(counts), fleiss_kappa(counts) if same else None
