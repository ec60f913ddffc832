"""The workers' side of labelling jobs: tobo's own service `tobo-labeling`, for which AWS has pages but no API.

A worker is known by the ARN that signs his requests. Who may do what is policy, as everywhere: what workers do is
`tobo-labeling:<operation>` on the work team's ARN, with `tobo-labeling:ReviewTasks` for the conflicts; what is told to the
requester (ListItems, ListAnswers, ListEfforts) is on the labelling job's.
"""

import json
from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.labelling.quality.workers import Report
from tobo.operations.context import Call
from tobo.operations.rows import rows_of
from tobo.operations.work import SERVICE, answer_told, answers_told, items_page, listed_work, work_operation
from tobo.operations.worker_tasks.pages import make_page
from tobo.resources.labeling_jobs import states
from tobo.resources.labeling_jobs.answers import read_answer, read_form
from tobo.resources.labeling_jobs.api import KIND, counters
from tobo.resources.labeling_jobs.guesses import guess_of
from tobo.resources.labeling_jobs.honeypots import shown
from tobo.resources.labeling_jobs.learning import provisional, told
from tobo.resources.labeling_jobs.manifest import source_of
from tobo.resources.labeling_jobs.pictures import trouble_with
from tobo.resources.labeling_jobs.reports import quality_of
from tobo.resources.labeling_jobs.settling import fail, kind_of, settle
from tobo.resources.labeling_jobs.templates import input_of, template_of
from tobo.store.base import Row
from tobo.tasks.base import SETTLED, Answer, Gone, Item, Role, Task

MOST_SECONDS = 86_400.0
"""That an answer is said to have taken."""

MOST_BYTES = 64 << 20
"""Of a picture that is given to a worker."""


def _job(call: Call, asked: Mapping[str, Any]) -> str:
    return str(asked["LabelingJobArn"])


def _team(call: Call, asked: Mapping[str, Any]) -> str:
    """The job's work team: who works for it may work at all its jobs. The job itself where there is none."""
    row = call.context.store.find_arn(asked["LabelingJobArn"])
    return team_of(row) if row is not None and row.key.kind == KIND else _job(call, asked)


def team_of(row: Row) -> str:
    return str(row.asked["HumanTaskConfig"]["WorkteamArn"])


@listed_work
def list_work(call: Call) -> list[dict[str, Any]]:
    """The jobs in progress that the caller may work at, the oldest first."""
    found = []
    for row in rows_of(call.context.store, call.space, KIND):
        if row.state in states.OFFERED and _may(call, "ClaimTasks", row):
            counts = call.context.tasks.counts(row.arn)
            found.append(
                {
                    "LabelingJobArn": row.arn,
                    "LabelingJobName": row.key.name,
                    "Title": row.asked["HumanTaskConfig"]["TaskTitle"],
                    "Description": row.asked["HumanTaskConfig"]["TaskDescription"],
                    "TaskType": row.found["_type"],
                    "Status": row.status,
                    "Open": counts.get("open", 0) + counts.get("waiting", 0) - provisional(row),
                    "Conflicts": counts.get("conflict", 0),
                    "Done": counts.get("labelled", 0) + counts.get("machine", 0) + provisional(row),
                    "Total": sum(counts.values()),
                    "MayReview": _may(call, "ReviewTasks", row),
                }
            )
    return found


@work_operation("DescribeWork", KIND, _team)
def describe_work(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the task is, how far it is, and what the caller has done of it."""
    row = _row(call, asked)
    human = row.asked["HumanTaskConfig"]
    own = call.context.tasks.efforts(row.arn, call.principal.arn)
    return {
        "LabelingJobArn": row.arn,
        "LabelingJobName": row.key.name,
        "Title": human["TaskTitle"],
        "Description": human["TaskDescription"],
        "TaskType": row.found["_type"],
        "Status": row.status,
        "Labels": row.found["_labels"],
        "Instructions": row.found["_instructions"],
        "TaskTimeLimitInSeconds": human["TaskTimeLimitInSeconds"],
        "OwnTemplate": template_of(row) is not None,
        "MayReview": _may(call, "ReviewTasks", row),
        "Counts": {state.capitalize(): count for state, count in call.context.tasks.counts(row.arn).items()},
        "Own": _effort(own[0]) if own else {"Worker": call.principal.arn, "Answers": 0, "Skips": 0, "Seconds": 0.0},
    }


@work_operation("ClaimTasks", KIND, _team)
def claim_tasks(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller holds already, then more, up to MaxResults (1); none where nothing is left for him.

    To a reviewer the workers' answers come along, without their names.
    """
    row = _running(call, asked)
    role = _role(call, asked, row)
    tasks = call.context.tasks.claim(
        row.arn, call.principal.arn, asked.get("MaxResults") or 1, call.now, call.now + _limit(row), role
    )
    return {"Tasks": [_task(call, row, task, role) for task in tasks]}


@work_operation("GetSource", KIND, _team, f"{SERVICE}:ClaimTasks")
def get_source(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The bytes of an item's picture, for who may work at it and has no right of his own in S3.

    Raises Fault ResourceNotFound, NoSuchKey, NoSuchBucket; ValidationException for what is larger than MOST_BYTES.
    """
    row, number = _row(call, asked), asked["ItemNumber"]
    item = call.context.tasks.item(row.arn, number)
    uri = None if item is None else source_of(json.loads(item.source))
    if uri is None:
        raise Fault("ResourceNotFound", f"The labeling job '{row.key.name}' has no picture {number}.")
    info = call.context.objects.head(call.space, uri.bucket, uri.key)
    if info.size > MOST_BYTES:
        raise validation(f"'{uri}' has {info.size} bytes; a picture to be labelled has at most {MOST_BYTES}.")
    return {"Body": call.context.objects.path(call.space, info).read_bytes()}


@work_operation("RenderTask", KIND, _team, f"{SERVICE}:ClaimTasks")
def render_task(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """An item in the job's own template: its page, what is wrong with it, and the pictures that it may load.

    `Host` is what the browser calls this server, as the addresses in the page work under that name alone. Raises Fault
    ResourceNotFound, ValidationException where the job has no template of its own.
    """
    row, number = _row(call, asked), asked["ItemNumber"]
    template, item = template_of(row), call.context.tasks.item(row.arn, number)
    if item is None:
        raise Fault("ResourceNotFound", f"The labeling job '{row.key.name}' has no item {number}.")
    if template is None:
        raise validation(f"The labeling job '{row.key.name}' has no template of its own; GetSource gives its pictures.")
    settings = call.context.settings
    host = asked.get("Host") or settings.reached(settings.port)
    task_input = input_of(json.loads(shown(row, item.source)), row.found["_labels"])
    return make_page(call, template.text, task_input, row.asked["RoleArn"], host).told()


@work_operation("KeepTask", KIND, _team)
def keep_task(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps a draft; the task's time limit begins anew. Raises Fault TaskGone."""
    row = _running(call, asked)
    until = call.now + _limit(row)
    try:
        json.loads(asked["Draft"])
        call.context.tasks.keep(
            row.arn, asked["ItemNumber"], call.principal.arn, until, asked["Draft"], _role(call, asked, row)
        )
    except ValueError:
        raise validation(f"The draft is not JSON: {asked['Draft'][:80]}.") from None
    except Gone as gone:
        raise _gone(gone) from None
    return {"Until": until}


@work_operation("ReleaseTasks", KIND, _team)
def release_tasks(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Others may have them; drafts are kept for the caller."""
    call.context.tasks.release(_row(call, asked).arn, asked["ItemNumbers"], call.principal.arn)
    return {}


@work_operation("AnswerTask", KIND, _team)
def answer_task(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Written to the disk before this returns; sent again it counts once. Raises Fault TaskGone, ValidationException."""
    row = _running(call, asked)
    role = _role(call, asked, row)
    kind, template, labels = kind_of(row), template_of(row), row.found["_labels"]
    body = (
        read_form(asked["Body"], template, kind, labels) if template else read_answer(asked["Body"], kind.shape, labels)
    )
    seconds = min(max(asked.get("Seconds") or 0.0, 0.0), MOST_SECONDS)
    text = json.dumps(body, ensure_ascii=False)
    answer = Answer(asked["ItemNumber"], call.principal.arn, text, call.now, seconds, role)
    try:
        item = call.context.tasks.answer(row.arn, answer)
    except Gone as gone:
        raise _gone(gone) from None
    return {"State": _settled(call, row, item)}


@work_operation("SkipTask", KIND, _team)
def skip_task(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`Broken`: the picture cannot be shown; where that is so for tobo, too, nobody else is asked."""
    row, number = _running(call, asked), asked["ItemNumber"]
    try:
        item = call.context.tasks.skip(row.arn, number, call.principal.arn, asked["Reason"], call.now)
    except Gone as gone:
        raise _gone(gone) from None
    if asked.get("Broken"):
        reason = trouble_with(call.context.objects, call.space, json.loads(item.source))
        if reason:
            return {"State": fail(call.context, row, number, reason)}
    return {"State": _settled(call, row, item)}


@work_operation("ReopenTask", KIND, _team)
def reopen_task(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Undo: the caller's answer is his draft again, also of an item that was settled by it. Raises Fault TaskGone."""
    row = _running(call, asked)
    try:
        task = call.context.tasks.reopen(
            row.arn, asked["ItemNumber"], call.principal.arn, call.now, call.now + _limit(row)
        )
    except Gone as gone:
        raise _gone(gone) from None
    return {"Task": _task(call, row, task, "label")}


@work_operation("ListItems", KIND, _job)
def list_items(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Items in the manifest's order, with what became of them; from one number on, if asked."""
    row = _row(call, asked)
    return items_page(call, row.arn, asked)


@work_operation("ListAnswers", KIND, _job)
def list_answers(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Every worker's answer to one item."""
    return answers_told(call, _row(call, asked).arn, asked)


@work_operation("DescribeLearning", KIND, _job)
def describe_learning(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Round after round, what people and the machine have labelled and how sure that is; no round of jobs that do not learn."""
    row = _row(call, asked)
    return told(row, counters(call, row))


@work_operation("ListEfforts", KIND, _job)
def list_efforts(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What each worker has done and how well, and how much they agree (Krippendorff's alpha, Fleiss' kappa)."""
    row = _row(call, asked)
    quality = quality_of(call.context, row)
    efforts = [_effort(one) | _standing(quality.reports.get(one.worker)) for one in call.context.tasks.efforts(row.arn)]
    agreement = {"Alpha": quality.alpha, "Kappa": quality.kappa}
    return {"Efforts": efforts} | {name: value for name, value in agreement.items() if value is not None}


def _settled(call: Call, row: Row, item: Item) -> str:
    """Wakes the controller where nothing is open any more; else it looks once a second, which 100,000 items cost 10 ms."""
    state = settle(call.context, row, item)
    if state in SETTLED and not call.context.tasks.items(row.arn, limit=1, state="open"):
        call.context.wake(row)
    return state


def _row(call: Call, asked: Mapping[str, Any]) -> Row:
    row = call.context.store.find_arn(asked["LabelingJobArn"])
    if row is None or row.key.kind != KIND or row.key.space.account != call.space.account:
        raise Fault("ResourceNotFound", f"There is no labeling job '{asked['LabelingJobArn']}'; ListWork tells yours.")
    return row


def _running(call: Call, asked: Mapping[str, Any]) -> Row:
    row = _row(call, asked)
    if row.state in states.TERMINAL or row.status == "Stopping":
        raise Fault("TaskGone", f"The labeling job '{row.key.name}' is {row.status}; nothing can be said any more.")
    return row


def _role(call: Call, asked: Mapping[str, Any], row: Row) -> Role:
    role: Role = asked.get("Role") or "label"
    if role == "review" and not _may(call, "ReviewTasks", row):
        raise Fault(
            "AccessDeniedException",
            f"User: {call.principal.arn} is not authorized to perform: {SERVICE}:ReviewTasks on resource:"
            f" {team_of(row)}",
            403,
        )
    return role


def _may(call: Call, action: str, row: Row) -> bool:
    return call.principal.allows(f"{SERVICE}:{action}", team_of(row))


def _limit(row: Row) -> float:
    return float(row.asked["HumanTaskConfig"]["TaskTimeLimitInSeconds"])


def _task(call: Call, row: Row, task: Task, role: Role) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ItemNumber": task.number,
        "Source": shown(row, task.source),
        "Since": task.since,
        "Until": task.until,
    }
    if task.draft:
        told["Draft"] = task.draft
    attribute, audits = row.asked["LabelAttributeName"], row.found.get("_audits", "")
    guess = guess_of(call.context.objects, call.space, json.loads(task.source), kind_of(row), attribute, audits)
    if guess:
        told["Guess"] = json.dumps(guess, ensure_ascii=False)
    if role == "review":
        answers = call.context.tasks.answers_of(row.arn, task.number)
        told["Answers"] = [answer_told(one, f"worker {n}") for n, one in enumerate(answers, 1) if one.role == "label"]
    return told


def _effort(one: Any) -> dict[str, Any]:
    return {"Worker": one.worker, "Answers": one.answers, "Skips": one.skips, "Seconds": one.seconds}


def _standing(report: Report | None) -> dict[str, Any]:
    """What a worker's answers are worth; members of which nothing is known are left out."""
    if report is None:
        return {}
    honeypots = report.honeypots
    told = {"Agreement": report.agreement, "MedianSeconds": report.seconds}
    return {
        "Right": honeypots.right,
        "Asked": honeypots.asked,
        "RightLow": honeypots.low,
        "RightHigh": honeypots.high,
        **{name: value for name, value in told.items() if value is not None},
    }


def _gone(gone: Gone) -> Fault:
    return Fault("TaskGone", f"It is too late for this task: {gone}.", 409)
