"""The last word on classes: at a job's end all answers together tell how good each worker is, by Dawid and Skene's model.

While people label, each item is settled by the majority of its own answers; here it is decided again, and its confidence
is the probability that the class is true.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from tobo.labelling.quality.dawid_skene import Estimate, dawid_skene
from tobo.labelling.quality.votes import Vote, majority
from tobo.operations.context import Context
from tobo.resources.labeling_jobs.consolidation import Agreed
from tobo.resources.labeling_jobs.honeypots import gold_in
from tobo.resources.labeling_jobs.output import PAGE, items
from tobo.resources.labeling_jobs.settling import kind_of, result_of
from tobo.store.base import Row
from tobo.tasks.base import State

MOST_CELLS = 5_000_000
"""Items x classes, and workers x classes x classes: numbers of 8 bytes, of which the model holds about five at a time."""

SEEN, SHARE = 3, 1 / 3
"""Items of a class that a worker must have seen at least, and of those that an even hand would have given."""

MOST_VOTES = 0.9
"""Share of the votes that must come from workers who have."""


def decide(context: Context, row: Row) -> None:
    """Settles the labelled items of a job by all its answers, where the model applies; safe to repeat.

    It applies to one class an item, several workers an item, workers who have seen every class, and as many items,
    workers and classes as MOST_CELLS allows; elsewhere, and where the job's label categories ask for it, the majority's
    word stays. A reviewer's always does.
    """
    several = row.asked["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] >= 2
    if not several or kind_of(row).shape != "class" or row.found.get("_consolidation") == "majority":
        return
    votes, known = votes_of(context, row), _known(context, row)
    if not votes or not _fits(votes, known) or not seen_enough(votes, known):
        return
    said = {vote.label for vote in votes} | set(known.values())
    estimate = dawid_skene(votes, [label for label in row.found["_labels"] if label in said], known)
    results = _results(context, row, estimate)
    while chunk := list(islice(results, PAGE)):
        context.tasks.settle(row.arn, chunk)


def votes_of(context: Context, row: Row) -> list[Vote]:
    """Every worker's class for every item of a job whose answers are classes; an item is named by its number."""
    votes: list[Vote] = []
    names: dict[str, str] = {}  # a worker's and a class' name once, not once a vote
    item, after = "", -1
    while page := context.tasks.answers(row.arn, after, PAGE):
        for answer in page:
            if item != (number := str(answer.number)):
                item = number
            label = json.loads(answer.body)["label"]
            votes.append(Vote(item, names.setdefault(answer.worker, answer.worker), names.setdefault(label, label)))
        after = page[-1].number
    return votes


def seen_enough(votes: Sequence[Vote], known: Mapping[str, str]) -> bool:
    """Whether workers have seen items of every class, about as often as it occurs, by what is known and by the majority.

    Who has seen only some, as in a manifest that is sorted by class, may err in any way about the others: the model then
    explains mistakes by classes that nobody has seen. In a simulation of 2,000 items of 4 classes, in order, with another
    four workers for each quarter, it was right about 25 %, the majority about 90 %. Three votes an item, workers right
    about 60 to 84 % and otherwise guessing.
    """
    truth = {item: found.label for item, found in majority(votes).items()} | dict(known)
    shares = Counter(truth[vote.item] for vote in votes)
    seen = Counter((vote.worker, truth[vote.item]) for vote in votes)
    answers = Counter(vote.worker for vote in votes)
    enough = sum(
        given
        for worker, given in answers.items()
        if all(seen[worker, label] >= max(SEEN, SHARE * given * count / len(votes)) for label, count in shares.items())
    )
    return enough >= MOST_VOTES * len(votes)


def _known(context: Context, row: Row) -> dict[str, str]:
    """The true classes that somebody has told: honeypots' and reviewers'."""
    found = {}
    for item in items(context, row):
        told = json.loads(item.result) if item.state == "labelled" and item.result else {}
        if told.get("reviewed"):
            found[str(item.number)] = told["answer"]["label"]
        elif gold := gold_in(row, item):
            found[str(item.number)] = gold["label"]
    return found


def _fits(votes: list[Vote], known: Mapping[str, str]) -> bool:
    classes = len({vote.label for vote in votes} | set(known.values()))
    objects, workers = len({vote.item for vote in votes}), len({vote.worker for vote in votes})
    return objects * classes <= MOST_CELLS and workers * classes * classes <= MOST_CELLS


def _results(context: Context, row: Row, estimate: Estimate) -> Iterator[tuple[int, State, str]]:
    """What is to be settled: labelled items that people answered and no reviewer did."""
    at = {item: number for number, item in enumerate(estimate.items)}
    best = estimate.posterior.argmax(1)
    for item in items(context, row):
        place = at.get(str(item.number))
        if place is None or item.state != "labelled" or not item.result or json.loads(item.result).get("reviewed"):
            continue
        sure = float(estimate.posterior[place, best[place]])
        agreed = Agreed({"label": estimate.labels[best[place]]}, sure, (sure,))
        yield item.number, "labelled", result_of(agreed)
