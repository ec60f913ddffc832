"""Active learning of a labelling job: its state in the row, what people have said so far, the machine's labels, the report.

`_learning` of a row that learns: `accuracy` (wanted), `model` (the archive whose network computes the features; "" for
ours), `round` (rounds that were planned), `drawn` (of rounds.State), `head` (the round of the last one; 0 for none), `ask`
(items of the present round), `machine` (labels that stand for as long as the round does; nothing of them is in the task
store), `over` (no further round: what is left is people's), `attempts` (at the process that runs), `rounds` (a summary each).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from tobo.kit import learning as files
from tobo.labelling.active import rounds
from tobo.operations.context import Context
from tobo.operations.job_process import JobProcess
from tobo.resources.labeling_jobs.consolidation import Agreed
from tobo.resources.labeling_jobs.honeypots import gold_in
from tobo.resources.labeling_jobs.output import PAGE, folder, items, object_of
from tobo.resources.labeling_jobs.settling import result_of
from tobo.resources.labeling_jobs.states import TERMINAL
from tobo.store.base import Row
from tobo.tasks.base import Item, State

PROCESS = JobProcess("labelling", "/aws/sagemaker/LabelingJobs", "learning", grace=10.0)
"""One process at a time: the features, then each round, then the model."""

SETTINGS = rounds.Settings(rounds=20, checked=0.5)
"""Twenty rounds of 5 % reach every item where nothing is justified. Half of the questions are for validation: with a quarter
it takes more of them until the bound holds (docs/labelling-active.md has both)."""


def begun(accuracy: float, model: str) -> dict[str, Any]:
    """The state of a job that learns from its first picture on."""
    start = {"round": 0, "drawn": 0, "head": 0, "ask": [], "machine": 0, "over": False, "attempts": 0, "rounds": []}
    return {"accuracy": accuracy, "model": model, **start}


def changed(row: Row, **members: Any) -> dict[str, Any]:
    """What a command finds: the row's state with these members changed."""
    return {"_learning": {**row.found["_learning"], **members}}


def learns(row: Row) -> bool:
    """Whether rounds are still to come."""
    return "_learning" in row.found and not row.found["_learning"]["over"]


def provisional(row: Row) -> int:
    """Items that have a machine's label which the next round may take away."""
    return int(row.found.get("_learning", {}).get("machine", 0))


def class_of(row: Row, item: Item) -> int | None:
    """The class number that people have said of an item, here or in the input; None where nobody has.

    Nor where the features are a trained model's: labels of the input may have been its lessons, and a head tested on
    those would look better than it is.
    """
    if item.state != "labelled" or (row.found["_learning"]["model"] and not item.result):
        return None
    if item.result:
        name = json.loads(item.result)["answer"]["label"]
    else:
        metadata = json.loads(item.source)[f"{row.asked['LabelAttributeName']}-metadata"]
        name = None if metadata.get("human-annotated") == "no" else metadata.get("class-name")
    labels: list[str] = row.found["_labels"]
    return labels.index(name) if name in labels else None


def planned(context: Context, row: Row, number: int) -> dict[str, Any]:
    """What the process has planned as round `number`; raises OSError where it has not."""
    told: dict[str, Any] = json.loads(files.plan(PROCESS.ml_paths(context, row), number).read_text())
    return told


def settle_machine(context: Context, row: Row, number: int) -> None:
    """Round `number`'s machine labels become results, of items that nobody was asked about; safe to repeat."""
    labels = row.found["_labels"]
    free = {item.number for item in items(context, row) if item.state == "waiting"}
    results: Iterator[tuple[int, State, str]] = (
        (at, "machine", result_of(Agreed({"label": labels[label]}, sure, (sure,))))
        for at, label, sure in planned(context, row, number)["machine"]
        if at in free
    )
    while chunk := list(islice(results, PAGE)):
        context.tasks.settle(row.arn, chunk)


def give_up(context: Context, row: Row) -> dict[str, Any]:
    """No further round: what the machine's last one gave stands. What is found; safe to repeat."""
    if number := row.found["_learning"]["round"]:
        settle_machine(context, row, number)
    return changed(row, machine=0, over=True)


def finish(context: Context, row: Row) -> dict[str, Any]:
    """The same at a job's end, with the report; nothing of jobs that do not learn."""
    if "_learning" not in row.found:
        return {}
    PROCESS.terminate(context, row)  # a round that is being planned comes too late
    row = replace(row, found={**row.found, **give_up(context, row)})
    return changed(row, known_answers=_known_answers(context, row))


def _known_answers(context: Context, row: Row) -> dict[str, int] | None:
    """Of machine labels on honeypots, how many are right: measured, as nobody asked for them; None without any."""
    checked = right = 0
    for item in items(context, row):
        if item.state == "machine" and (gold := gold_in(row, item)) is not None:
            checked += 1
            right += gold["label"] == json.loads(item.result)["answer"]["label"]
    return {"Checked": checked, "Right": right} if checked else None


def summary(number: int, made: Mapping[str, Any]) -> dict[str, Any]:
    """A round as DescribeLearning tells it; what is not known is left out."""
    report, threshold = made["report"], made["report"]["threshold"] or {}
    accuracy, low, high = report["whole"] or (None, None, None)
    told = {
        "Round": number,
        "Asked": len(made["ask"]),
        "Human": report["human"],
        "Machine": report["machine"],
        "Validated": report["validated"],
        "Confidence": threshold.get("confidence"),
        "Checked": threshold.get("checked"),
        "Right": threshold.get("right"),
        "Bound": threshold.get("bound"),
        "Accuracy": accuracy,
        "Low": low,
        "High": high,
        "Why": report["why"],
    }
    return {name: value for name, value in told.items() if value is not None}


def told(row: Row, counted: Mapping[str, int]) -> dict[str, Any]:
    """DescribeLearning's answer, and report.json; `counted` are the job's LabelCounters."""
    if "_learning" not in row.found:
        return {"Rounds": []}
    its = row.found["_learning"]
    more = {"Trouble": row.found.get("_trouble"), "KnownAnswers": its.get("known_answers")}
    return {
        "Phase": _phase(row),
        "WantedAccuracy": its["accuracy"],
        "Risk": SETTINGS.risk,
        "Human": counted["HumanLabeled"],
        "Machine": counted["MachineLabeled"],
        "Left": counted["Unlabeled"],
        "Saved": counted["MachineLabeled"] / max(counted["TotalLabeled"], 1),
        "Rounds": its["rounds"],
        **{name: value for name, value in more.items() if value is not None},
    }


def write_report(context: Context, row: Row, counted: Mapping[str, int]) -> None:
    """<S3OutputPath>/<job>/active-learning/report.json."""
    text = json.dumps({"LabelingJobArn": row.arn, **told(row, counted)}, indent=1)
    uri = folder(row).below("active-learning", "report.json")
    context.objects.put_all(row.key.space, [object_of(uri, text.encode(), "application/json")])


def _phase(row: Row) -> str:
    if row.state == "InProgress":
        return "Asking" if learns(row) else "Remaining"
    return "Over" if row.state in TERMINAL else row.state
