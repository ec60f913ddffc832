"""What the controller does for a labelling job that learns: three programs, one after another, and what comes of them.

The features of its pictures come first; then, in turn, a round is planned and people answer it; at the end the last head
becomes a model. A command may be repeated: each program writes its file whole, and what is taken from it is the same again.
"""

import json
import os
from dataclasses import asdict, replace

from tobo.algorithms.image_classification import ALGORITHM
from tobo.algorithms.image_classification.recipes import IMAGE
from tobo.compute.base import Exited, ProcessSpec, Running
from tobo.kit import learning as files
from tobo.kit.fault import Fault
from tobo.operations.artifacts import lay_archive_out
from tobo.operations.context import Context
from tobo.operations.job_process import POLL_SECONDS, last_words
from tobo.operations.machine import Again, Done, Happened, Outcome
from tobo.operations.results import put_archive
from tobo.resources.labeling_jobs.api import reference
from tobo.resources.labeling_jobs.learning import PROCESS, SETTINGS, changed, class_of, planned, settle_machine, summary
from tobo.resources.labeling_jobs.manifest import source_of
from tobo.resources.labeling_jobs.output import folder, items
from tobo.resources.labeling_jobs.settling import fail
from tobo.resources.labeling_jobs.stopping import room_for_people
from tobo.store.base import Row

CPUS, MEMORY_BYTES = 2.0, 4 << 30
"""What the features may use, of a smaller machine all."""

ATTEMPTS = 3
"""At a program that is killed from outside, as by the machine's restart."""

_PROGRAMS = "tobo.algorithms.image_classification.active_learning"
_PICTURES = (*ALGORITHM.preload, _PROGRAMS)


def reserve(context: Context, row: Row) -> Outcome:
    """A place on the machine; a round and the model, which take seconds, do not wait for one."""
    granted = context.compute.reserve(PROCESS.name(row), CPUS, _memory_bytes(context))
    return Done() if granted else Again(POLL_SECONDS)


def lay_out(context: Context, row: Row) -> Outcome:
    """A link to each picture that people have labelled or may be asked about; those that are gone cannot be labelled.

    And the model whose network computes the features, where the request names one.
    """
    paths, space = PROCESS.ml_paths(context, row), row.key.space
    paths.make()
    if archive := row.found["_learning"]["model"]:
        paths.channel(files.MODEL).parent.mkdir(parents=True, exist_ok=True)
        lay_archive_out(context, space, archive, "InitialActiveLearningModelArn", paths.channel(files.MODEL))
    pictures = paths.channel(files.PICTURES)
    pictures.mkdir(parents=True, exist_ok=True)
    for item in items(context, row):
        if item.state != "waiting" and class_of(row, item) is None:
            continue
        uri, target = source_of(json.loads(item.source)), pictures / str(item.number)
        assert uri is not None  # the task is about pictures
        try:
            target.unlink(missing_ok=True)
            context.objects.link_to(space, context.objects.head(space, uri.bucket, uri.key), target)
        except Fault as fault:
            if item.state == "waiting":
                fail(context, row, item.number, fault.message)
    return Done()


def start_features(context: Context, row: Row) -> Outcome:
    """Idempotent by the process' name."""
    _start(context, row, f"{_PROGRAMS}:features", _PICTURES, CPUS)
    return Done()


def watch(context: Context, row: Row) -> Outcome:
    """Until the program is over; what was killed from outside is started again."""
    look = PROCESS.look(context, row)
    if isinstance(look, Running):
        return Again(POLL_SECONDS)
    if look is not None and look.code == 0:
        return Happened("computed") if row.state == "Featuring" else Done()
    attempts = row.found["_learning"]["attempts"] + 1
    if _was_killed(look) and attempts < ATTEMPTS:
        context.compute.forget(PROCESS.name(row))
        return Happened("vanished", changed(row, attempts=attempts))
    return Happened("died", message=last_words(PROCESS.ml_paths(context, row), look, "learning"))


def take_features(context: Context, row: Row) -> Outcome:
    """Pictures that cannot be read cannot be labelled."""
    broken = json.loads(files.broken(PROCESS.ml_paths(context, row)).read_text())
    for number, reason in broken.items():
        item = context.tasks.item(row.arn, int(number))
        if item is not None and item.state == "waiting":
            fail(context, row, item.number, f"The picture {reason}.")
    return Done(changed(row, attempts=0))


def start_plan(context: Context, row: Row) -> Outcome:
    """Plans the next round from what people have said; one that is being planned already is begun anew."""
    learned, labels, unlabelled = row.found["_learning"], {}, []
    for item in items(context, row):
        if (label := class_of(row, item)) is not None:
            labels[item.number] = label
        elif item.state != "waiting":
            unlabelled.append(item.number)
    room = max(room_for_people(row, context.tasks.counts(row.arn)), 0)
    settings = replace(SETTINGS, accuracy=learned["accuracy"], budget=room + len(unlabelled))
    question = {
        "settings": asdict(settings),
        "round": learned["round"],
        "drawn": learned["drawn"],
        "asked": unlabelled,
        "labels": labels,
    }
    context.compute.forget(PROCESS.name(row))
    files.question(PROCESS.ml_paths(context, row)).write_text(json.dumps(question))
    _start(context, row, "tobo.labelling.active.job:main", (), 1.0)
    return Done()


def take_plan(context: Context, row: Row) -> Outcome:
    """The round begins; or none does, and the machine's labels are the job's."""
    learned = row.found["_learning"]
    number = learned["round"] + 1
    made = planned(context, row, number)
    machine = len(made["machine"])
    over = not made["ask"] or room_for_people(row, context.tasks.counts(row.arn), machine) <= 0
    if over:
        settle_machine(context, row, number)
    return Happened(
        "planned",
        changed(
            row,
            round=number,
            drawn=made["drawn"],
            head=number if made["head"] else learned["head"],
            ask=[] if over else made["ask"],
            machine=0 if over else machine,
            over=over,
            attempts=0,
            rounds=[*learned["rounds"], summary(number, made)],
        ),
    )


def start_model(context: Context, row: Row) -> Outcome:
    """The last head over its network, as a training job leaves a model."""
    known = {item.number: label for item in items(context, row) if (label := class_of(row, item)) is not None}
    paths, head = PROCESS.ml_paths(context, row), row.found["_learning"]["head"]
    there = {number: label for number, label in known.items() if (paths.channel(files.PICTURES) / str(number)).exists()}
    context.compute.forget(PROCESS.name(row))
    told = {"head": head, "labels": row.found["_labels"], "known": there}
    files.final(paths).write_text(json.dumps(told))
    _start(context, row, f"{_PROGRAMS}:model", _PICTURES, 1.0)
    return Done()


def take_model(context: Context, row: Row) -> Outcome:
    """FinalActiveLearningModelArn: a model that can be deployed, with the artefact beside the job's output."""
    paths, space = PROCESS.ml_paths(context, row), row.key.space
    archive = folder(row).below("active-learning", "model.tar.gz")
    put_archive(context.objects, space, paths.model, archive, context.settings.state / "tmp")
    name = f"{row.key.name[:54]}-{reference(row)}"
    try:
        arn = context.as_house(space, "sagemaker", "DescribeModel", ModelName=name)["ModelArn"]
    except Fault:
        arn = context.as_house(
            space,
            "sagemaker",
            "CreateModel",
            ModelName=name,
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": str(archive)},
            ExecutionRoleArn=row.asked["RoleArn"],
        )["ModelArn"]
    output = {**row.found["LabelingJobOutput"], "FinalActiveLearningModelArn": arn}
    return Happened("exported", {"LabelingJobOutput": output})


def _was_killed(look: Exited | None) -> bool:
    """Not by what it did itself."""
    return look is None or (look.code is None and not look.out_of_memory)


def _start(context: Context, row: Row, entry: str, preload: tuple[str, ...], cpus: float) -> None:
    paths = PROCESS.ml_paths(context, row)
    context.compute.start(
        ProcessSpec(
            name=PROCESS.name(row),
            folder=paths.root,
            log=PROCESS.log_file(context, row),
            entry=entry,
            environment={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(paths.root),
                "TOBO_ML_ROOT": str(paths.root),
                "OMP_NUM_THREADS": str(max(1, min(int(cpus), os.cpu_count() or 1))),
                "OMP_WAIT_POLICY": "PASSIVE",
                "PYTHONUNBUFFERED": "1",
            },
            cpus=cpus,
            memory_bytes=_memory_bytes(context),
            preload=preload,
            network=False,
        )
    )


def _memory_bytes(context: Context) -> int:
    return min(MEMORY_BYTES, context.settings.memory_bytes or MEMORY_BYTES)
