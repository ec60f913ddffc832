"""Model packages that are in no group: what a subscription of the market makes, and what has a name of its own."""

from starlette.responses import Response

from tobo.console.choices import names_of
from tobo.console.lists import Plain, plain_list
from tobo.console.navigation import listed_at
from tobo.console.routing import Screen, posted, shown
from tobo.console.serving import change_over, make_model, model_of_package
from tobo.console.visit import Visit, fields_of, url

LIST = Plain(
    "Packages without versions",
    "package",
    "model-package",
    listed_at("packages"),
    ("Find one on the market", "CreateModelPackage", "market"),
    ("None is here", "A subscription of the market makes one; those of a group are in the model registry."),
)


@shown("/packages")
def _list(visit: Visit) -> Response:
    return plain_list(visit, LIST)


@shown("/packages/{name}")
def _show(visit: Visit) -> Response:
    name = visit.path["name"]
    package = visit.call("sagemaker", "DescribeModelPackage", ModelPackageName=name)
    return visit.page(
        "lone_packages/show.html",
        name=name,
        package=package,
        endpoints=names_of(visit, "ListEndpoints", "Endpoints", "EndpointName"),
    )


@posted("/packages/{name}/model")
def _model(visit: Visit) -> Response:
    """It becomes a model, which is deployed, scored or compiled from its page."""
    name = visit.path["name"]
    make_model(visit, _arn(visit), name)
    return visit.done(url("models", name), f"The package is the model {name}; deploy it here.")


@posted("/packages/{name}/deploy")
def _deploy(visit: Visit) -> Response:
    """It takes the place of what an endpoint serves."""
    name, endpoint = visit.path["name"], fields_of(visit.form).get("endpoint", "")
    model_of_package(visit, _arn(visit), name)
    change_over(visit, endpoint, name)
    return visit.done(url("endpoints", endpoint), f"Endpoint {endpoint} changes over to {name}.")


@posted("/packages/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "DeleteModelPackage", ModelPackageName=name)
    return visit.done(url("packages"), f"Package {name} was deleted; its archive stays in S3.")


def _arn(visit: Visit) -> str:
    found = visit.quietly("sagemaker", "DescribeModelPackage", ModelPackageName=visit.path["name"])
    return str(found["ModelPackageArn"])


SCREENS: tuple[Screen, ...] = (_list, _show, _model, _deploy, _delete)
