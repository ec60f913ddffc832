"""Edge packaging jobs: the list, one of them, packaging a compiled model, and packaging an older one again."""

from starlette.responses import Response

from tobo.console.choices import names_of, roles_of
from tobo.console.lists import addresses, list_request
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url

STATUSES = ("STARTING", "INPROGRESS", "COMPLETED", "FAILED", "STOPPING", "STOPPED")


@shown("/packaging-jobs")
def _list(visit: Visit) -> Response:
    asked = list_request(visit, STATUSES, "CREATION_TIME")
    found = visit.call("sagemaker", "ListEdgePackagingJobs", **asked)
    return visit.page(
        "packaging_jobs/list.html",
        jobs=found["EdgePackagingJobSummaries"],
        next_token=found.get("NextToken"),
        asked=asked,
        statuses=STATUSES,
        at=addresses(visit, "packaging-jobs"),
    )


@shown("/packaging-jobs/create")
def _form(visit: Visit) -> Response:
    """?again= an older job, or ?compilation= a compilation job, fills it in."""
    older = {}
    if again := visit.query.get("again"):
        older = visit.quietly("sagemaker", "DescribeEdgePackagingJob", EdgePackagingJobName=again)
    return visit.page(
        "packaging_jobs/create.html",
        older=older,
        roles=roles_of(visit),
        compilation=older.get("CompilationJobName") or visit.query.get("compilation", ""),
        compilations=names_of(
            visit, "ListCompilationJobs", "CompilationJobSummaries", "CompilationJobName", StatusEquals="COMPLETED"
        ),
    )


@posted("/packaging-jobs/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name = fields.get("name", "")
    visit.change(
        "sagemaker",
        "CreateEdgePackagingJob",
        EdgePackagingJobName=name,
        CompilationJobName=fields.get("compilation", ""),
        ModelName=fields.get("model", ""),
        ModelVersion=fields.get("version", ""),
        RoleArn=fields.get("role", ""),
        OutputConfig={"S3OutputLocation": fields.get("output", "")},
    )
    return visit.done(url("packaging-jobs", name), f"Packaging job {name} has begun.")


@shown("/packaging-jobs/{name}")
def _show(visit: Visit) -> Response:
    job = visit.call("sagemaker", "DescribeEdgePackagingJob", EdgePackagingJobName=visit.path["name"])
    return visit.page("packaging_jobs/show.html", job=job)


@posted("/packaging-jobs/{name}/stop")
def _stop(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "StopEdgePackagingJob", EdgePackagingJobName=name)
    return visit.done(url("packaging-jobs", name), f"Packaging job {name} will stop.")


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _show, _stop)
