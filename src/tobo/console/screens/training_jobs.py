"""Training jobs: the list, one job, and stopping."""

from typing import Any

from starlette.responses import JSONResponse, Response

from tobo.console import prices
from tobo.console.curves import curves, families
from tobo.console.lists import addresses, list_request
from tobo.console.machines import machines_of
from tobo.console.places import s3_place
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, all_of, url
from tobo.kit.fault import Fault

STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")
LOGS = "/aws/sagemaker/TrainingJobs"

MOST_COMPARED = 5


@shown("/training-jobs")
def _list(visit: Visit) -> Response:
    asked = list_request(visit, STATUSES)
    found = visit.call("sagemaker", "ListTrainingJobs", **asked)
    return visit.page(
        "training_jobs/list.html",
        jobs=found["TrainingJobSummaries"],
        machines=machines_of(visit, [one["TrainingJobName"] for one in found["TrainingJobSummaries"]]),
        next_token=found.get("NextToken"),
        asked=asked,
        statuses=STATUSES,
        at=addresses(visit, "training-jobs"),
    )


@posted("/training-jobs/stop")
def _stop(visit: Visit) -> Response:
    """Stops those that are ticked."""
    names = all_of(visit.form, "name")
    if not names:
        raise Fault("ValidationException", "No training job is ticked; tick those that shall stop.")
    for name in names:
        visit.change("sagemaker", "StopTrainingJob", TrainingJobName=name)
    jobs = f"Training job {names[0]}" if len(names) == 1 else f"{len(names)} training jobs"
    there = url("training-jobs", names[0]) if visit.query.get("from") == "job" else url("training-jobs")
    return visit.done(there, f"{jobs} will stop.")


@shown("/training-jobs/{name}")
def _job(visit: Visit) -> Response:
    name = visit.path["name"]
    job = visit.call("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
    compared = visit.query.getlist("with")[:MOST_COMPARED]
    return visit.page(
        "training_jobs/job.html",
        job=job,
        name=name,
        stages=_stages(job, visit.context.clock.now()),
        families=families(job.get("FinalMetricDataList", [])),
        compared=compared,
        others=_others(visit, name),
        tags=visit.quietly("sagemaker", "ListTags", ResourceArn=job["TrainingJobArn"])["Tags"]
        if visit.may("sagemaker", "ListTags", ResourceArn=job["TrainingJobArn"])
        else [],
        cost=prices.cost_of_training(job),
        source=prices.SOURCE,
        output=s3_place(job.get("OutputDataConfig", {}).get("S3OutputPath", "")),
        artefact=s3_place(job.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")),
        place=s3_place,
        streams=_streams(visit, name),
        logs=LOGS,
    )


@shown("/training-jobs/{name}/curves")
def _curves(visit: Visit) -> Response:
    """?family=accuracy[&with=other job]: the points of its metrics, over seconds since the start."""
    jobs = [visit.path["name"], *visit.query.getlist("with")[:MOST_COMPARED]]
    return JSONResponse(
        {"x": "number", "label": "Seconds", "series": curves(visit, jobs, visit.query.get("family", ""))}
    )


def _stages(job: dict[str, Any], now: float) -> list[dict[str, Any]]:
    """Each secondary status with the seconds that it lasted."""
    return [
        {
            "status": one["Status"],
            "message": one.get("StatusMessage", ""),
            "start": one["StartTime"],
            "seconds": max((one.get("EndTime") or now) - one["StartTime"], 0.0),
        }
        for one in job.get("SecondaryStatusTransitions", [])
    ]


def _others(visit: Visit, name: str) -> list[str]:
    """Jobs that it can be compared with: the newest."""
    try:
        found = visit.quietly("sagemaker", "ListTrainingJobs", MaxResults=50)["TrainingJobSummaries"]
    except Fault:
        return []
    return [one["TrainingJobName"] for one in found if one["TrainingJobName"] != name]


def _streams(visit: Visit, name: str) -> list[str]:
    """The job's logs, one an instance; none where nothing has been logged yet, or the key may not look."""
    try:
        found = visit.quietly("logs", "DescribeLogStreams", logGroupName=LOGS, logStreamNamePrefix=f"{name}/")
    except Fault:
        return []
    return [str(one["logStreamName"]) for one in found["logStreams"]]


SCREENS: tuple[Screen, ...] = (_list, _stop, _job, _curves)
