"""Labelling jobs, as who asks for them sees them: the list, a new one, one of them and its items, and stopping."""

from typing import Any

from starlette.responses import Response

from tobo.console.choices import default_bucket, existing_bucket, own_role
from tobo.console.labelling_form import CONSOLIDATIONS, TASKS, categories_of, request_of
from tobo.console.labelling_items import STATES, answer_of, item_of
from tobo.console.labelling_queues import PREFIX, is_queue, key_of
from tobo.console.learning import learning_pipelines, start_learning
from tobo.console.lists import Plain, addresses, plain_list
from tobo.console.navigation import listed_at
from tobo.console.places import s3_place
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.console.work_teams import create_team, team_arn
from tobo.kit.fault import Fault

SERVICE = "tobo-labeling"
PAGE = 60
"""Items of a page."""

MOST_AT_ONCE = 5000
"""Items of a job whose report is made while the page waits; that of a larger one takes seconds and comes after it."""

PHASES = {
    "Featuring": "The network looks at every picture once.",
    "Planning": "The machine learns from the answers and plans what to ask next; that takes seconds.",
    "Asking": "People answer what this round asks.",
    "Remaining": "No further round: people are asked for what is left.",
    "Exporting": "A model is made of what was learned.",
}
"""What happens in each Phase of DescribeLearning."""

LIST = Plain(
    "Labelling jobs",
    "job",
    "labeling-job,every:3",
    listed_at("labeling-jobs"),
    ("Create labelling job", "CreateLabelingJob", "labeling-jobs/create"),
    ("No labelling jobs yet", "One asks people what is on your pictures, and writes a manifest to train on."),
    "LabelingJobStatus",
    ("Initializing", "InProgress", "Completed", "Failed", "Stopping", "Stopped"),
    {"Labelled": lambda job: "{} of {}".format(*_progress(job["LabelCounters"]))},
)


@shown("/labeling-jobs")
def _list(visit: Visit) -> Response:
    return plain_list(visit, LIST)


@shown("/labeling-jobs/create")
def _form(visit: Visit) -> Response:
    """?queue= a labelling queue, or ?source= an address, fills in what is to be labelled."""
    bucket, queue = default_bucket(visit), visit.query.get("queue", "")
    source = f"s3://{bucket}/{key_of(queue)}" if queue else visit.query.get("source", "")
    return visit.page(
        "labelling_jobs/create.html",
        name=f"{queue}-labels"[:63] if queue else "",
        source=source,
        sources=_sources(visit, bucket),
        tasks=TASKS,
        consolidations=CONSOLIDATIONS,
        teams=_teams(visit),
        output=f"s3://{bucket}/labelling/output",
        role=own_role(visit),
        pipelines=learning_pipelines(visit),
    )


@posted("/labeling-jobs/create")
def _create(visit: Visit) -> Response:
    """The classes become a file beside the job's output, and the team is made where there was none; then the job is created, and
    the pipeline that waits for it."""
    fields = fields_of(visit.form)
    body, bucket = categories_of(fields), default_bucket(visit)
    name = fields.get("name", "")
    key = f"labelling/categories/{name}.json"
    chosen = {**fields, "team": _team(visit, fields)}
    asked = request_of(chosen, visit.region, f"s3://{bucket}/{key}" if body else None)
    if body:
        existing_bucket(visit)
        visit.change("s3", "PutObject", Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    visit.change("sagemaker", "CreateLabelingJob", **asked)
    if pipeline := fields.get("then"):
        start_learning(visit, pipeline, name)
    return visit.done(url("labeling-jobs", name), f"Labelling job {name} was created.")


@shown("/labeling-jobs/{name}")
def _job(visit: Visit) -> Response:
    """?state= shows the items in this state, ?token= a further page of them."""
    name = visit.path["name"]
    job = visit.call("sagemaker", "DescribeLabelingJob", LabelingJobName=name)
    arn = job["LabelingJobArn"]
    done, total = _progress(job["LabelCounters"])
    state = visit.query.get("state", "")
    listed = {"State": state} if state in STATES else {}
    if token := visit.query.get("token"):
        listed["NextToken"] = token
    work = _asked(visit, "DescribeWork", arn)
    part = visit.query.get("fragment", "")
    items = _asked(visit, "ListItems", arn, MaxResults=PAGE, **listed) if part in ("", "items") else None
    later = not part and total > MOST_AT_ONCE
    output = job.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", "")
    learns = "LabelingJobAlgorithmsConfig" in job
    learning = _asked(visit, "DescribeLearning", arn) if learns else None
    return visit.page(
        "labelling_jobs/job.html",
        learns=learns,
        learning=learning,
        phases=PHASES,
        job=job,
        name=name,
        arn=arn,
        done=done,
        total=total,
        states=STATES,
        state=state if state in STATES else "",
        work=work,
        may_label=visit.may(SERVICE, "ClaimTasks", LabelingJobArn=arn),
        items=None if items is None else [item_of(one, job["LabelAttributeName"]) for one in items["Items"]],
        next_token=(items or {}).get("NextToken"),
        efforts=_asked(visit, "ListEfforts", arn) if part == "workers" or not (part or later) else None,
        later=later,
        at=addresses(visit, "labeling-jobs", name),
        stages=_stages(job, (learning or {}).get("Phase")),
        output=output,
        pipelines=learning_pipelines(visit) if part in ("", "deeds") and _can_be_learned(job) else [],
        train=_training(job, output, done, work) if output and done else "",
        place=s3_place,
    )


@shown("/labeling-jobs/{name}/items/{number:int}")
def _item(visit: Visit) -> Response:
    """One item and what was said of it, side by side; who said it only for who may list answers."""
    name, number = visit.path["name"], int(visit.path["number"])
    job = visit.quietly("sagemaker", "DescribeLabelingJob", LabelingJobName=name)
    arn = job["LabelingJobArn"]
    found = visit.call(SERVICE, "ListItems", LabelingJobArn=arn, FromItemNumber=number, MaxResults=1)["Items"]
    if not found or found[0]["ItemNumber"] != number:
        raise Fault("ResourceNotFound", f"The labelling job '{name}' has no item {number}.", 404)
    answers = _asked(visit, "ListAnswers", arn, ItemNumber=number)
    return visit.page(
        "labelling_jobs/item.html",
        name=name,
        item=item_of(found[0], job["LabelAttributeName"]),
        answers=None if answers is None else [answer_of(one) for one in answers["Answers"]],
        place=s3_place,
    )


@posted("/labeling-jobs/{name}/stop")
def _stop(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "StopLabelingJob", LabelingJobName=name)
    return visit.done(url("labeling-jobs", name), f"Labelling job {name} will stop; what was said so far is kept.")


def _asked(visit: Visit, operation: str, arn: str, **more: Any) -> dict[str, Any] | None:
    """What tobo-labeling tells of a job; None where the key may not ask."""
    try:
        found: dict[str, Any] = visit.quietly(SERVICE, operation, LabelingJobArn=arn, **more)
    except Fault as fault:
        if fault.status == 403 or fault.code == "AccessDeniedException":
            return None
        raise
    return found


def _progress(counters: dict[str, int]) -> tuple[int, int]:
    """(objects that are labelled, all objects)."""
    done = counters["TotalLabeled"]
    return done, done + counters["FailedNonRetryableError"] + counters["Unlabeled"]


def _stages(job: dict[str, Any], phase: str | None) -> list[dict[str, Any]]:
    """What has happened so far: a title, when, and a sentence; `phase` of a job that learns."""
    status = job["LabelingJobStatus"]
    team = job["HumanTaskConfig"]["WorkteamArn"].rsplit("/", 1)[-1]
    stages = [{"title": "Created", "at": job["CreationTime"], "words": ""}]
    if status == "InProgress":
        words = PHASES["Featuring"] if phase == "Featuring" else f"The team {team} is asked."
        stages.append({"title": "InProgress", "at": job["LastModifiedTime"], "words": words})
    elif status != "Initializing":
        words = {"Completed": "The output is written.", "Stopped": "What was said is written."}.get(status, "")
        stages.append({"title": status, "at": job["LastModifiedTime"], "words": words})
    return stages


def _training(job: dict[str, Any], output: str, done: int, work: dict[str, Any] | None) -> str:
    """The form of a training job on the output; "" for labels that nothing here is trained on."""
    if not _can_be_learned(job):
        return ""
    return url(
        "training-jobs",
        "create",
        manifest=output,
        attribute=job["LabelAttributeName"],
        samples=done,
        classes=len(work["Labels"]) if work else "",
    )


def _can_be_learned(job: dict[str, Any]) -> bool:
    """By image classification: one class a picture."""
    one_class: bool = job["HumanTaskConfig"].get("PreHumanTaskLambdaArn", "").endswith("PRE-ImageMultiClass")
    return one_class and job["LabelingJobStatus"] != "Failed"


def _teams(visit: Visit) -> list[tuple[str, str]]:
    """(ARN, name) of the account's work teams; none where they are not known, or the key may not list them."""
    found = visit.attempt("sagemaker", "ListWorkteams", MaxResults=100)
    return [(one["WorkteamArn"], one["WorkteamName"]) for one in (found or {}).get("Workteams", ())]


def _team(visit: Visit, fields: dict[str, str]) -> str:
    """The ARN of the team that was chosen, or of the one that is made on the way."""
    name = fields.get("new_team")
    if not name:
        return fields.get("team", "")
    try:
        return create_team(visit, name)
    except Fault as fault:
        if fault.code != "ResourceInUse":
            raise
        return team_arn(visit, name)  # made when the form was sent before, and the job refused


def _sources(visit: Visit, bucket: str) -> list[str]:
    """What may be labelled: the queues, and the buckets that there are."""
    try:
        queues = visit.quietly("s3", "ListObjectsV2", Bucket=bucket, Prefix=PREFIX).get("Contents", [])
    except Fault:
        queues = []
    try:
        buckets = [one["Name"] for one in visit.quietly("s3", "ListBuckets")["Buckets"]]
    except Fault:
        buckets = []
    keys = [one["Key"] for one in queues if is_queue(one["Key"])]
    return [*(f"s3://{bucket}/{key}" for key in keys), *(f"s3://{name}/" for name in buckets)]


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _item, _job, _stop)
