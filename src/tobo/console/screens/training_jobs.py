"""Training jobs: the list."""

from starlette.responses import Response

from tobo.console.lists import addresses, list_request
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, all_of, url
from tobo.kit.fault import Fault

STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")


@shown("/training-jobs")
def _list(visit: Visit) -> Response:
    asked = list_request(visit, STATUSES)
    found = visit.call("sagemaker", "ListTrainingJobs", **asked)
    return visit.page(
        "training_jobs/list.html",
        jobs=found["TrainingJobSummaries"],
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
    return visit.done(url("training-jobs"), f"{jobs} will stop.")


SCREENS: tuple[Screen, ...] = (_list, _stop)
