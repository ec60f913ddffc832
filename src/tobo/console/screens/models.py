"""Models: what can be deployed."""

from starlette.responses import Response

from tobo.console.lists import addresses, list_request
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, url


@shown("/models")
def _list(visit: Visit) -> Response:
    asked = list_request(visit)
    found = visit.call("sagemaker", "ListModels", **asked)
    rows = [
        {"name": one["ModelName"], "href": url("models", one["ModelName"]), "created": one["CreationTime"], "more": ()}
        for one in found["Models"]
    ]
    return visit.page(
        "simple_list.html",
        title="Models",
        noun="model",
        icon="box",
        rows=rows,
        next_token=found.get("NextToken"),
        asked=asked,
        statuses=(),
        more=(),
        depends="model",
        at=addresses(visit, "models"),
        create=("Deploy", url("endpoints", "create"), ("sagemaker", "CreateModel")),
        empty=("No models yet", "A model is made when a training job is deployed, or by CreateModel."),
    )


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
