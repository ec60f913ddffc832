"""Serving: from a model to an endpoint, what runs there, and what that costs."""

from collections.abc import Iterable, Mapping
from typing import Any

from tobo.console import prices
from tobo.console.choices import own_role
from tobo.console.visit import Visit
from tobo.kit.fault import Fault

VARIANT = "AllTraffic"
"""How a lone variant is called."""


def deploy(visit: Visit, name: str, machine: Mapping[str, Any], model: str = "", job: str = "") -> None:
    """An endpoint of one variant: of a model, or of a training job, whose model then has the endpoint's name.

    `machine` are the variant's instances or its ServerlessConfig. Raises Fault before anything is made where there is
    such an endpoint, or nothing to deploy.
    """
    if _found(visit, "DescribeEndpoint", EndpointName=name):
        raise Fault("ResourceInUse", f"There is an endpoint '{name}' already; choose another name, or change it over.")
    if not (job or model):
        raise Fault("ValidationException", "Choose a training job or a model; one of them is deployed.")
    deployed = _model(visit, job, name) if job else model
    config = _configuration(visit, name, {"VariantName": VARIANT, "ModelName": deployed, **machine})
    visit.change("sagemaker", "CreateEndpoint", EndpointName=name, EndpointConfigName=config)


def change_over(visit: Visit, name: str, model: str) -> None:
    """An endpoint serves another model, on the machines that it has; blue/green, as UpdateEndpoint does it."""
    variant = {"VariantName": VARIANT, "ModelName": model, **machine_of(visit, name)}
    config = _configuration(visit, name, variant)
    visit.change("sagemaker", "UpdateEndpoint", EndpointName=name, EndpointConfigName=config)


def model_of_package(visit: Visit, package: str, name: str) -> None:
    """A model of a package (its ARN), as it is; one of this name that is there already stays. Raises CreateModel's Faults."""
    if _found(visit, "DescribeModel", ModelName=name) is None:
        make_model(visit, package, name)


def make_model(visit: Visit, package: str, name: str) -> None:
    """A model of a package (its ARN). Raises CreateModel's Faults."""
    container = {"ModelPackageName": package}
    visit.change(
        "sagemaker", "CreateModel", ModelName=name, ExecutionRoleArn=own_role(visit), PrimaryContainer=container
    )


def machine_of(visit: Visit, name: str) -> dict[str, Any]:
    """What the first variant of an endpoint runs on, as a configuration says it."""
    endpoint = visit.quietly("sagemaker", "DescribeEndpoint", EndpointName=name)
    first = variants_of(visit, endpoint)[0]
    kept = ("InstanceType", "InitialInstanceCount", "ServerlessConfig")
    return {member: first[member] for member in kept if first.get(member)}


def variants_of(visit: Visit, endpoint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the configuration says of each variant, and what runs of it; only the latter where the former was deleted.

    Production variants come first; `Shadow` are those that get copies. `Share` is the part of the requests that one gets,
    of a paused one 0.
    """
    config = _found(visit, "DescribeEndpointConfig", EndpointConfigName=endpoint["EndpointConfigName"]) or {}
    found: list[dict[str, Any]] = []
    for member, shadow in (("ProductionVariants", False), ("ShadowProductionVariants", True)):
        now = {one["VariantName"]: one for one in endpoint.get(member, [])}
        configured = config.get(member) or now.values()
        found += [{**one, **now.get(one["VariantName"], {}), "Shadow": shadow} for one in configured]
    return _with_shares(found)


def is_paused(variants: Iterable[Mapping[str, Any]]) -> bool:
    """Whether every variant has been told to have no instances; serverless ones have none to pause."""
    variants = list(variants)
    return bool(variants) and all(one.get("DesiredInstanceCount") == 0 for one in variants)


def _with_shares(variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Production by its weights; a shadow's weight is beside production's, as its route reckons it."""
    paused = {one["VariantName"] for one in variants if one.get("DesiredInstanceCount") == 0}
    weights = {one["VariantName"]: _weight(one) for one in variants}
    production = [one["VariantName"] for one in variants if not one["Shadow"]]
    whole = sum(weights[name] for name in production)
    awake = [name for name in production if name not in paused]
    total = sum(weights[name] for name in awake)
    for one in variants:
        name = one["VariantName"]
        if name in paused:
            one["Share"] = 0.0
        elif one["Shadow"]:
            one["Share"] = min(1.0, weights[name] / whole) if whole else 1.0
        else:
            one["Share"] = weights[name] / total if total else 1 / len(awake)
    return variants


def _weight(variant: Mapping[str, Any]) -> float:
    weight = variant.get("CurrentWeight", variant.get("InitialVariantWeight"))
    return 1.0 if weight is None else float(weight)


def hourly(variants: Iterable[Mapping[str, Any]]) -> float | None:
    """Dollars an hour of what runs now at AWS's prices; None where one is unknown, as of serverless variants."""
    costs = [prices.cost(one.get("InstanceType", ""), 3600, one.get("CurrentInstanceCount") or 0) for one in variants]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def container_of(visit: Visit, trained: Mapping[str, Any], artefact: str) -> dict[str, Any]:
    """What serves the model of a described training job: its image, or what the algorithm that it names says.

    Raises Fault where the algorithm is gone or serves nothing.
    """
    specification = trained["AlgorithmSpecification"]
    if image := specification.get("TrainingImage"):
        return {"Image": image, "ModelDataUrl": artefact}
    name = specification["AlgorithmName"]
    made = visit.quietly("sagemaker", "DescribeAlgorithm", AlgorithmName=name)
    containers = made.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1:
        raise Fault(
            "ValidationException", f"The algorithm '{name}' does not say which one container serves its models."
        )
    kept = {member: containers[0][member] for member in ("Image", "Environment") if member in containers[0]}
    return {**kept, "ModelDataUrl": artefact}


def _model(visit: Visit, job: str, name: str) -> str:
    """The model of a training job under this name, made where it is not there. Raises Fault where another one has it."""
    trained = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=job)
    artefact = trained.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if not artefact:
        raise Fault("ValidationException", f"Training job '{job}' is {trained['TrainingJobStatus']} and has no model.")
    container = container_of(visit, trained, artefact)
    known = _found(visit, "DescribeModel", ModelName=name)
    if known is None:
        visit.change(
            "sagemaker", "CreateModel", ModelName=name, ExecutionRoleArn=trained["RoleArn"], PrimaryContainer=container
        )
    elif not container.items() <= known.get("PrimaryContainer", {}).items():
        its = known.get("PrimaryContainer", {}).get("ModelDataUrl", "something else")
        raise Fault("ResourceInUse", f"There is a model '{name}' already, made from {its}; choose another name.")
    return name


def _configuration(visit: Visit, name: str, variant: dict[str, Any]) -> str:
    """One with this variant: that of the name where it is so already, else a new one beside it."""
    for number in range(1, 100):
        its = name if number == 1 else f"{name[:59]}-{number}"
        known = _found(visit, "DescribeEndpointConfig", EndpointConfigName=its)
        if known is None:
            visit.change("sagemaker", "CreateEndpointConfig", EndpointConfigName=its, ProductionVariants=[variant])
            return its
        there = known["ProductionVariants"]
        if len(there) == 1 and variant.items() <= there[0].items():
            return its
    raise Fault("ResourceInUse", f"There are a hundred configurations called '{name}'; choose another name.")


def _found(visit: Visit, operation: str, **asked: Any) -> dict[str, Any] | None:
    """None where there is none. Raises Fault where the key may not look."""
    try:
        found: dict[str, Any] = visit.quietly("sagemaker", operation, **asked)
    except Fault as fault:
        if fault.status == 403:
            raise
        return None
    return found
