"""Algorithms that people have made: what may be asked of each, and how its validation went."""

from typing import Any

from starlette.responses import Response

from tobo.console.lists import Plain, plain_list
from tobo.console.navigation import listed_at
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, url

LIST = Plain(
    "Algorithms",
    "algorithm",
    "algorithm",
    listed_at("algorithms"),
    None,
    ("No algorithms yet", "CreateAlgorithm makes one: an image, and what may be asked of it."),
    extra={"Status": lambda one: str(one["AlgorithmStatus"])},
)


@shown("/algorithms")
def _list(visit: Visit) -> Response:
    return plain_list(visit, LIST)


@shown("/algorithms/{name}")
def _algorithm(visit: Visit) -> Response:
    name = visit.path["name"]
    found = visit.call("sagemaker", "DescribeAlgorithm", AlgorithmName=name)
    training = found["TrainingSpecification"]
    parameters = [{**one, "Allowed": _allowed(one)} for one in training.get("SupportedHyperParameters", [])]
    return visit.page("algorithms/show.html", algorithm=found, name=name, training=training, parameters=parameters)


@posted("/algorithms/{name}/delete")
def _delete(visit: Visit) -> Response:
    visit.change("sagemaker", "DeleteAlgorithm", AlgorithmName=visit.path["name"])
    return visit.done(url("algorithms"), f"Algorithm {visit.path['name']} was deleted.")


def _allowed(parameter: dict[str, Any]) -> str:
    """A hyperparameter's range in words; "" where it has none."""
    given = parameter.get("Range", {}).get(f"{parameter['Type']}ParameterRangeSpecification", {})
    if "Values" in given:
        return ", ".join(given["Values"])
    return f"{given['MinValue']} to {given['MaxValue']}" if given else ""


SCREENS: tuple[Screen, ...] = (_list, _algorithm, _delete)
