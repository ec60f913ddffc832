"""The operations on models. Source: API reference, CreateModel and its siblings."""

from collections.abc import Mapping
from typing import Any

from tobo.algorithms import algorithms, find_algorithm
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row, remove_row
from tobo.store.base import Row

KIND = "model"


@operation("sagemaker", "CreateModel")
def create_model(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where the image does not run here, the artefact is missing or the name is taken."""
    _check_container(call, _container(asked))
    row = add_row(
        call, KIND, asked["ModelName"], asked, lambda arn: validation(f'Cannot create already existing model "{arn}".')
    )
    return {"ModelArn": row.arn}


@operation("sagemaker", "DescribeModel")
def describe_model(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One read."""
    row = known_row(call, KIND, asked["ModelName"], _missing)
    return {**row.asked, "ModelArn": row.arn, "CreationTime": row.created}


@operation("sagemaker", "ListModels")
def list_models(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "Models", _summary)


@operation("sagemaker", "DeleteModel")
def delete_model(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The artefact in S3 stays, and so do endpoints that serve it."""
    remove_row(call, KIND, asked["ModelName"], _missing)
    return {}


def _missing(arn: str) -> Fault:
    return validation(f'Could not find model "{arn}".')


def _summary(row: Row) -> dict[str, Any]:
    return {"ModelName": row.key.name, "ModelArn": row.arn, "CreationTime": row.created}


def _container(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = asked.get("Containers") or ([asked["PrimaryContainer"]] if asked.get("PrimaryContainer") else [])
    if not containers:
        raise validation("CreateModel needs PrimaryContainer with an Image and a ModelDataUrl.")
    if len(containers) > 1:
        raise validation(
            f"Containers has {len(containers)} entries; inference pipelines are not supported yet: give one."
        )
    container: Mapping[str, Any] = containers[0]
    return container


def _check_container(call: Call, container: Mapping[str, Any]) -> None:
    image = container.get("Image")
    if not image:
        raise validation("The container has no Image; ModelPackageName is not supported yet.")
    if find_algorithm(image) is None:
        raise validation(
            f"The image '{image}' is none that runs here; the repositories that do are: {', '.join(sorted(algorithms()))}."
        )
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    address = source["S3Uri"] if source else container.get("ModelDataUrl")
    if not address:
        raise validation("The container has no ModelDataUrl; give the model.tar.gz of a training job.")
    uri = parse_s3_uri(address, "ModelDataUrl")
    try:
        there = bool(call.context.objects.list(call.space, uri.bucket, uri.key, limit=1).objects)
    except Fault:
        there = False
    if not there:
        raise validation(f"Could not find model data at {address}.")
