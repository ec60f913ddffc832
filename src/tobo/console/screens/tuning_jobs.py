"""Tuning jobs: the list, the form from a training job, and the page of one: its trials along the axes of its search."""

from typing import Any

from starlette.responses import JSONResponse, Response

from tobo.console.lists import addresses, list_request
from tobo.console.routing import Screen, posted, shown
from tobo.console.tuning import axes_of, drawing, importance, objective_asked, objective_of
from tobo.console.tuning_form import SCALINGS, STRATEGIES, metrics_of, request_of, rows_of
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault

STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")

MOST_TRIALS = 1000
"""Of one page; a tuning job may have 750 of them on AWS."""


@shown("/tuning-jobs")
def _list(visit: Visit) -> Response:
    asked = list_request(visit, STATUSES)
    found = visit.call("sagemaker", "ListHyperParameterTuningJobs", **asked)
    return visit.page(
        "tuning_jobs/list.html",
        jobs=found["HyperParameterTuningJobSummaries"],
        next_token=found.get("NextToken"),
        asked=asked,
        statuses=STATUSES,
        at=addresses(visit, "tuning-jobs"),
    )


@shown("/tuning-jobs/create")
def _form(visit: Visit) -> Response:
    """From ?training_job=; without one, those to choose from."""
    name = visit.query.get("training_job")
    if not name:
        asked = {"StatusEquals": "Completed", "SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 50}
        jobs = visit.quietly("sagemaker", "ListTrainingJobs", **asked)["TrainingJobSummaries"]
        return visit.page("tuning_jobs/choose.html", jobs=jobs)
    job = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
    return visit.page(
        "tuning_jobs/create.html",
        job=job,
        rows=rows_of(job),
        metrics=metrics_of(job),
        strategies=STRATEGIES,
        scalings=SCALINGS,
        proposed=f"{name[:26]}-tune",
    )


@posted("/tuning-jobs/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    job = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=fields.get("training_job", ""))
    asked = request_of(fields, job)
    visit.change("sagemaker", "CreateHyperParameterTuningJob", **asked)
    name = asked["HyperParameterTuningJobName"]
    return visit.done(url("tuning-jobs", name), f"Tuning job {name} was created.")


@shown("/tuning-jobs/{name}")
def _show(visit: Visit) -> Response:
    name = visit.path["name"]
    job = visit.call("sagemaker", "DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name)
    trials = _trials(visit, name)
    axes = axes_of(job, trials)
    explained = importance(axes, trials)
    return visit.page(
        "tuning_jobs/show.html",
        job=job,
        trials=trials,
        axes=axes,
        importance=sorted(explained.items(), key=lambda pair: -1.0 if pair[1] is None else pair[1], reverse=True),
        objective=objective_asked(job),
        objective_of=objective_of,
        counted=sum(objective_of(trial) is not None for trial in trials),
    )


@shown("/tuning-jobs/{name}/trials")
def _data(visit: Visit) -> Response:
    """The drawing as JSON."""
    name = visit.path["name"]
    job = visit.quietly("sagemaker", "DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name)
    return JSONResponse(drawing(job, _trials(visit, name)))


@posted("/tuning-jobs/{name}/stop")
def _stop(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "StopHyperParameterTuningJob", HyperParameterTuningJobName=name)
    return visit.done(url("tuning-jobs", name), f"Tuning job {name} will stop; its training jobs are being told.")


@posted("/tuning-jobs/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "DeleteHyperParameterTuningJob", HyperParameterTuningJobName=name)
    return visit.done(url("tuning-jobs"), f"Tuning job {name} was deleted; its training jobs are still there.")


def _trials(visit: Visit, name: str) -> list[dict[str, Any]]:
    """All that were created, in their order, up to MOST_TRIALS; none where the key may not list them."""
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"HyperParameterTuningJobName": name, "SortBy": "CreationTime", "MaxResults": 100}
    ask = visit.quietly
    try:
        while True:
            page = ask("sagemaker", "ListTrainingJobsForHyperParameterTuningJob", **asked)
            found += page["TrainingJobSummaries"]
            if "NextToken" not in page or len(found) >= MOST_TRIALS:
                return found
            asked["NextToken"] = page["NextToken"]
    except Fault as fault:
        if fault.status == 403:
            return found
        raise


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _show, _data, _stop, _delete)
