"""What the controller does for a labelling job; each command is safe to repeat."""

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

POLL_SECONDS = 1.0

CHUNK = 5000
"""Lines that are written in one transaction."""


def load(context: Context, row: Row) -> Outcome:
    """The manifest's lines become items; those that have the label already keep it and are asked of nobody."""
    uri, wanted = manifest_uri(row.asked), row.asked["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"]
    lines = read_lines(context.objects, row.key.space, uri, row.asked["LabelAttributeName"], kind_of(row).text)
    number = 0
    while chunk := list(islice(lines, CHUNK)):
        _check_gold(row, number, chunk)
        context.tasks.add(row.arn, number, [line.text for line in chunk], wanted)
        context.tasks.settle(row.arn, [(number + at, "labelled", "") for at in _labelled(chunk)])
        number += len(chunk)
    if not number:
        raise validation(f"There is nothing to label at '{uri}'; upload it first.")
    return Happened("loaded", {"_begun": context.clock.now(), "_items": number})


def follow(context: Context, row: Row) -> Outcome:
    """Offers items to workers, settles those that have every answer, until nothing is left to ask or time is up."""
    human = row.asked["HumanTaskConfig"]
    while ready := context.tasks.items(row.arn, limit=500, ready=True):
        for item in ready:
            settle(context, row, item)
    counts = context.tasks.counts(row.arn)
    if counts.get("labelled", 0) + counts.get("machine", 0) >= _most(row):
        return Happened("finished")
    if not any(counts.get(state) for state in ("waiting", "open", "conflict")):
        return Happened("finished")
    if context.clock.now() - row.found["_begun"] > human["TaskAvailabilityLifetimeInSeconds"]:
        return Happened("finished")
    context.tasks.open(row.arn, None, min(human["MaxConcurrentTaskCount"], _most(row) - counts.get("labelled", 0)))
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


def _labelled(chunk: list[Line]) -> list[int]:
    return [at for at, line in enumerate(chunk) if line.labelled]


def _most(row: Row) -> int:
    """Objects after which the job is over, by its StoppingConditions."""
    conditions, items = row.asked.get("StoppingConditions", {}), row.found["_items"]
    share = items * conditions.get("MaxPercentageOfInputDatasetLabeled", 100) / 100
    return int(min(items, conditions.get("MaxHumanLabeledObjectCount", items), max(share, 1)))


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(load, follow, write_output, end),
        on_step=lambda row, step, now, message: states.on_step(dict(row.found), step.state, message),
    )
)
