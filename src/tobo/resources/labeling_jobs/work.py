"""What the controller does for a labelling job; each command is safe to repeat."""

from dataclasses import replace
from itertools import islice

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.operations.recording import Artifact, JobRecord, record_job
from tobo.resources.labeling_jobs import consensus, learning, learning_work, output, states
from tobo.resources.labeling_jobs.api import KIND, counters_of
from tobo.resources.labeling_jobs.honeypots import gold_of
from tobo.resources.labeling_jobs.learning import learns
from tobo.resources.labeling_jobs.manifest import Line, read_lines
from tobo.resources.labeling_jobs.requests import manifest_uri
from tobo.resources.labeling_jobs.settling import kind_of, settle
from tobo.resources.labeling_jobs.stopping import room_for_people
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
    found = {"_begun": context.clock.now(), "_items": number, "_kept": kept}
    return Happened("learning" if learns(row) else "loaded", found)


def follow(context: Context, row: Row) -> Outcome:
    """Offers items to workers, settles those that have every answer, until nothing is left to ask or time is up."""
    human = row.asked["HumanTaskConfig"]
    while ready := context.tasks.items(row.arn, limit=500, ready=True):
        for item in ready:
            settle(context, row, item)
    if context.clock.now() - row.found["_begun"] > human["TaskAvailabilityLifetimeInSeconds"]:
        return Happened("finished")
    counts = context.tasks.counts(row.arn)
    room = room_for_people(row, counts)
    asked = any(counts.get(state) for state in ("open", "conflict"))
    if learns(row) and "_trouble" in row.found:
        return Again(0.0, learning.give_up(context, row))
    if learns(row):
        ask = row.found["_learning"]["ask"]
        opened = context.tasks.open(row.arn, ask, min(human["MaxConcurrentTaskCount"], max(room, 0)))
        return Again(POLL_SECONDS) if asked or opened else Happened("answered")
    if room <= 0 or not (asked or counts.get("waiting")):
        return Happened("finished")
    context.tasks.open(row.arn, None, min(human["MaxConcurrentTaskCount"], room))
    return Again(POLL_SECONDS)


def write_output(context: Context, row: Row) -> Outcome:
    """Nobody answers from here on; what was said is written out."""
    context.tasks.end(row.arn)
    learned = learning.finish(context, row)
    consensus.decide(context, row)
    output.write_answers(context, row)
    output.write_manifest(context, row)
    found = {"OutputDatasetS3Uri": str(output.manifest(row))}
    counts = dict(context.tasks.counts(row.arn))
    if learned:
        row = replace(row, found={**row.found, **learned})
        learning.write_report(context, row, counters_of(row, counts))
    has_head = row.state == "Consolidating" and bool(learned) and learned["_learning"]["head"] > 0
    return Happened("learned" if has_head else "written", {**learned, "LabelingJobOutput": found, "_counters": counts})


def end(context: Context, row: Row) -> Outcome:
    """For jobs that fail or never began; the others' tasks have ended. What was learned with is cleaned up."""
    context.tasks.end(row.arn)
    counts = dict(context.tasks.counts(row.arn))
    _record(context, row)
    if "_learning" not in row.found:
        return Done({"_counters": counts})
    learning.PROCESS.clean(context, row)
    return Done({"_counters": counts, **learning.changed(row, machine=0)})


def _record(context: Context, row: Row) -> None:
    """In lineage: from what was to be labelled to the manifest with the labels."""
    source = row.asked["InputConfig"]["DataSource"].get("S3DataSource", {}).get("ManifestS3Uri")
    labels = row.found.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri")
    if not source or not labels:
        return
    record_job(
        context,
        JobRecord(
            row,
            kind="labeling-job",
            status=row.status,
            over=True,
            start=row.created,
            end=row.modified,
            inputs={"SageMaker.InputManifest": Artifact(source, "DataSet")},
            outputs={"SageMaker.OutputManifest": Artifact(labels, "DataSet")},
        ),
    )


def _check_gold(row: Row, first: int, chunk: list[Line]) -> None:
    """Known answers are answers to this task; raises Fault ValidationException that names the object."""
    for number, line in enumerate(chunk, first + 1):
        try:
            gold_of(line.told, row.asked["LabelAttributeName"], kind_of(row).shape, row.found["_labels"])
        except Fault as fault:
            raise validation(f"Object {number} of the input manifest: {fault.message}") from None


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(
            load,
            follow,
            write_output,
            end,
            learning_work.reserve,
            learning_work.lay_out,
            learning_work.start_features,
            learning_work.watch,
            learning_work.take_features,
            learning_work.start_plan,
            learning_work.take_plan,
            learning_work.start_model,
            learning_work.take_model,
        ),
        on_step=lambda row, step, now, message: states.on_step(dict(row.found), step.state, message),
    )
)
