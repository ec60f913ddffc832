"""Evaluation: what a model says about labelled pictures, from a training job or a batch transform."""

from starlette.responses import JSONResponse, Response

from tobo.console.prediction_sources import of_training, of_transform
from tobo.console.routing import Screen, shown
from tobo.console.visit import Visit, url

_RECENT = {"StatusEquals": "Completed", "SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 50}


@shown("/evaluation")
def _choose(visit: Visit) -> Response:
    trained = visit.call("sagemaker", "ListTrainingJobs", **_RECENT)
    transformed = visit.call("sagemaker", "ListTransformJobs", **_RECENT)
    return visit.page(
        "evaluation/choose.html",
        trained=trained["TrainingJobSummaries"],
        transformed=transformed["TransformJobSummaries"],
    )


@shown("/evaluation/training-jobs/{name}")
def _training(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.call("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
    return visit.page(
        "evaluation/show.html", name=name, kind="training-jobs", data=url("evaluation", "training-jobs", name, "data")
    )


@shown("/evaluation/training-jobs/{name}/data")
def _training_data(visit: Visit) -> Response:
    """The predictions as JSON."""
    return JSONResponse(of_training(visit, visit.path["name"]).compact())


@shown("/evaluation/transform-jobs/{name}")
def _transform(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.call("sagemaker", "DescribeTransformJob", TransformJobName=name)
    asked = {"list": visit.query.get("list"), "classes": visit.query.get("classes")}
    data = url("evaluation", "transform-jobs", name, "data", **asked)
    return visit.page("evaluation/show.html", name=name, kind="transform-jobs", data=data)


@shown("/evaluation/transform-jobs/{name}/data")
def _transform_data(visit: Visit) -> Response:
    classes = [part.strip() for part in visit.query.get("classes", "").split(",") if part.strip()]
    found = of_transform(visit, visit.path["name"], visit.query.get("list") or None, classes)
    return JSONResponse(found.compact())


SCREENS: tuple[Screen, ...] = (_choose, _training, _training_data, _transform, _transform_data)
