"""What the definitions of a tuning job name to run: images, or algorithms that people have made."""

from collections.abc import Mapping
from typing import Any

from tobo.operations.context import Call
from tobo.operations.images import find_image
from tobo.operations.made_algorithms import check_job, find_made
from tobo.resources.tuning_jobs.running import resource_config


def made_algorithms(call: Call, asked: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The TrainingSpecifications of the algorithms that a request's definitions name, by the name that they use.

    Raises Fault ValidationException where an image or algorithm cannot be used, or an algorithm does not allow the
    machine or the channels of its definition; hyperparameters are looked at with the searches.
    """
    several = asked.get("TrainingJobDefinitions")
    single = asked.get("TrainingJobDefinition")
    found = {}
    for number, definition in enumerate(several or ([single] if single else [])):
        place = f"TrainingJobDefinitions[{number}]" if several else "TrainingJobDefinition"
        specification, where = definition["AlgorithmSpecification"], f"{place}.AlgorithmSpecification"
        made = find_made(call.context, call.space, specification, where)
        find_image(call.context, made.image if made else specification["TrainingImage"], f"{where}.TrainingImage")
        if made is not None:
            machine = {**definition, **resource_config(definition)}
            check_job(made, machine, specification["TrainingInputMode"], f"{place}.")
            found[specification["AlgorithmName"]] = made.training
    return found
