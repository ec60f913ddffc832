"""Work: what there is to label and to look at for who is signed in, and the pages on which that is done."""

from typing import Any

from starlette.responses import JSONResponse, Response

from tobo.console import ROOT
from tobo.console.reading import image_type
from tobo.console.routing import Screen, posted, shown
from tobo.console.task_frames import framed, refused
from tobo.console.visit import Visit
from tobo.console.work_deeds import SERVICE, do_deeds, read_deeds, setup_of
from tobo.kit.arn import Namespace, sagemaker_arn
from tobo.kit.fault import Fault

OVER = ("Completed", "Failed", "Stopped", "Stopping")
"""States of a job in which nobody labels any more."""


@shown("/work")
def _list(visit: Visit) -> Response:
    """The jobs that wait for the caller, with what is left and what he has done of each."""
    found = visit.call(SERVICE, "ListWork")["Work"]
    jobs = [{**job, "own": _own(visit, job["LabelingJobArn"])} for job in found]
    return visit.page("work/list.html", jobs=jobs)


@shown("/work/{name}")
def _label(visit: Visit) -> Response:
    return _page(visit, "label")


@shown("/work/{name}/review")
def _review(visit: Visit) -> Response:
    return _page(visit, "review")


@posted("/work/{name}/deeds")
def _deeds(visit: Visit) -> Response:
    """{deeds, claim, role} -> {results, tasks, now}: see `do_deeds`."""
    return JSONResponse(do_deeds(visit, _arn(visit), read_deeds(visit.body)))


@shown("/work/{name}/state")
def _state(visit: Visit) -> Response:
    """How far the job is, for the page that shows it."""
    work = visit.quietly(SERVICE, "DescribeWork", LabelingJobArn=_arn(visit))
    return JSONResponse(_progress(work))


@shown("/work/{name}/source/{number:int}")
def _source(visit: Visit) -> Response:
    """The picture of an item. Raises Fault UnsupportedMediaType (415) for what is no image."""
    number = visit.path["number"]
    data = visit.quietly(SERVICE, "GetSource", LabelingJobArn=_arn(visit), ItemNumber=number)["Body"]
    kind = image_type(data)
    if kind is None:
        raise Fault("UnsupportedMediaType", "The object is no PNG, JPEG, GIF, WebP, BMP or AVIF.", 415)
    headers = {"Cache-Control": "private, max-age=3600", "Content-Security-Policy": "sandbox; default-src 'none'"}
    return Response(data, media_type=kind, headers=headers)


@shown("/frames/work/{name}/{number:int}")
def _frame(visit: Visit) -> Response:
    """An item in its job's own template: what the work page frames."""
    host = visit.request.headers.get("host", "")
    number = visit.path["number"]
    try:
        told = visit.quietly(SERVICE, "RenderTask", LabelingJobArn=_arn(visit), ItemNumber=number, Host=host)
    except Fault as fault:
        return refused(visit, fault)
    return framed(visit, told)


def _page(visit: Visit, role: str) -> Response:
    work = visit.call(SERVICE, "DescribeWork", LabelingJobArn=_arn(visit))
    if role == "review" and not work["MayReview"]:
        raise Fault(
            "AccessDeniedException",
            f"You may label '{work['LabelingJobName']}', but not review it: that takes tobo-labeling:ReviewTasks.",
            403,
        )
    return visit.page(
        "work/page.html", work=work, role=role, setup=setup_of(work, role), progress=_progress(work), over=OVER
    )


def _progress(work: dict[str, Any]) -> dict[str, Any]:
    counts = work["Counts"]
    done = sum(counts.get(state, 0) for state in ("Labelled", "Machine", "Failed"))
    return {
        "status": work["Status"],
        "over": work["Status"] in OVER,
        "total": sum(counts.values()),
        "done": done,
        "left": counts.get("Open", 0) + counts.get("Waiting", 0),
        "conflicts": counts.get("Conflict", 0),
        "own": {"answers": work["Own"]["Answers"], "seconds": work["Own"]["Seconds"]},
    }


def _own(visit: Visit, arn: str) -> int:
    """How many answers are the caller's."""
    try:
        return int(visit.quietly(SERVICE, "DescribeWork", LabelingJobArn=arn)["Own"]["Answers"])
    except Fault:
        return 0


def _arn(visit: Visit) -> str:
    path = visit.request.url.path.removeprefix(ROOT).removeprefix("/frames")
    kind = "flow-definition" if path.startswith("/reviews/") else "labeling-job"
    return sagemaker_arn(Namespace(visit.principal.account, visit.region), kind, visit.path["name"])


_REVIEWS = tuple(
    Screen(each.path.replace("/work/", "/reviews/"), each.serve, each.methods)
    for each in (_label, _deeds, _state, _frame)
)
"""The same of a flow definition's loops: names of jobs and of flow definitions are apart."""

SCREENS: tuple[Screen, ...] = (_list, _label, _review, _deeds, _state, _source, _frame, *_REVIEWS)
