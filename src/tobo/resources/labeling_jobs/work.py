"""What the controller does for a labelling job; each command is safe to repeat."""

from collections.abc import Mapping
from itertools import islice

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.resources.labeling_jobs import consensus, output, states
from tobo.resources.labeling_jobs.api import KIND
from tobo.resources.labeling_jobs.honeypots import gold_of
from tobo.resources.labeling_jobs.manifest import Line, read_lines
from tobo.resources.labeling_jobs.requests import manifest_uri
from tobo.resources.labeling_jobs.settling import kind_of, settle
from tobo.store.base import Row
from tobo.tasks.base import State

POLL_SECONDS = 1.0

CHUNK = 5000
"""Lines that are written in one transaction."""


def load(context: Context, row: Row) -> Outcome:
    """The manifest's lines become items; those that have the label already keep it and are asked of nobody."""
    uri, wanted = manifest_uri(row.asked), row.asked["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"]
    lines = read_lines(context.objects, row.key.space, uri, row.asked["LabelAttributeName"], kind_of(row).text)
    number = kept = 0
    while chunk := list(islice(lines, CHUNK)):
        _check_gold(row, number, chunk)
        context.tasks.add(row.arn, number, [line.text for line in chunk], wanted)
        labelled: list[tuple[int, State, str]] = [
            (number + at, "labelled", "") for at, line in enumerate(chunk) if line.labelled
        ]
        context.tasks.settle(row.arn, labelled)
        number += len(chunk)
        kept += len(labelled)
    if not number:
        raise validation(f"There is nothing to label at '{uri}'; upload it first.")
    return Happened("loaded", {"_begun": context.clock.now(), "_items": number, "_kept": kept})


def follow(context: Context, row: Row) -> Outcome:
    """Offers items to workers, settles those that have every answer, until nothing is left to ask or time is up."""
    human = row.asked["HumanTaskConfig"]
    while ready := context.tasks.items(row.arn, limit=500, ready=True):
        for item in ready:
            settle(context, row, item)
    counts = context.tasks.counts(row.arn)
    room = _room(row, counts)
    if room <= 0 or not any(counts.get(state) for state in ("waiting", "open", "conflict")):
        return Happened("finished")
    if context.clock.now() - row.found["_begun"] > human["TaskAvailabilityLifetimeInSeconds"]:
        return Happened("finished")
    context.tasks.open(row.arn, None, min(human["MaxConcurrentTaskCount"], room))
    return Again(POLL_SECONDS)


def write_output(context: Context, row: Row) -> Outcome:
    """Nobody answers from here on; what was said is written out."""
    context.tasks.end(row.arn)
    consensus.decide(context, row)
    output.write_answers(context, row)
    output.write_manifest(context, row)
    found = {"OutputDatasetS3Uri": str(output.manifest(row))}
    return Happened("written", {"LabelingJobOutput": found, "_counters": dict(context.tasks.counts(row.arn))})


def end(context: Context, row: Row) -> Outcome:
    """For jobs that fail or never began; the others' tasks have ended."""
    context.tasks.end(row.arn)
    return Done({"_counters": dict(context.tasks.counts(row.arn))})


def _check_gold(row: Row, first: int, chunk: list[Line]) -> None:
    """Known answers are answers to this task; raises Fault ValidationException that names the object."""
    for number, line in enumerate(chunk, first + 1):
        try:
            gold_of(line.told, row.asked["LabelAttributeName"], kind_of(row).shape, row.found["_labels"])
        except Fault as fault:
            raise validation(f"Object {number} of the input manifest: {fault.message}") from None


def _room(row: Row, counts: Mapping[str, int]) -> int:
    """How many objects people may label until a StoppingCondition ends the job; those that had a label are not theirs."""
    conditions, items = row.asked.get("StoppingConditions", {}), row.found["_items"]
    labelled = counts.get("labelled", 0)
    human = conditions.get("MaxHumanLabeledObjectCount", items) - (labelled - row.found["_kept"])
    share = items * conditions.get("MaxPercentageOfInputDatasetLabeled", 100) / 100
    return int(min(human, max(share, 1) - labelled - counts.get("machine", 0)))


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(load, follow, write_output, end),
        on_step=lambda row, step, now, message: states.on_step(dict(row.found), step.state, message),
    )
)
