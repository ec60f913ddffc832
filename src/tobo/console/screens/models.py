"""Models: what can be deployed."""

from starlette.responses import Response

from tobo.console.lists import Plain, plain_list
from tobo.console.navigation import listed_at
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, url

LIST = Plain(
    "Models",
    "model",
    "model",
    listed_at("models"),
    ("Deploy", "CreateModel", "endpoints/create"),
    ("No models yet", "A model is made when a training job is deployed, or by CreateModel."),
)


@shown("/models")
def _list(visit: Visit) -> Response:
    return plain_list(visit, LIST)


@shown("/models/{name}")
def _model(visit: Visit) -> Response:
    name = visit.path["name"]
    model = visit.call("sagemaker", "DescribeModel", ModelName=name)
    containers = model.get("Containers") or [model.get("PrimaryContainer") or {}]
    return visit.page("model.html", model=model, name=name, containers=containers)


@posted("/models/{name}/delete")
def _delete(visit: Visit) -> Response:
    visit.change("sagemaker", "DeleteModel", ModelName=visit.path["name"])
    return visit.done(url("models"), f"Model {visit.path['name']} was deleted.")


SCREENS: tuple[Screen, ...] = (_list, _model, _delete)
