"""The operations on models. Source: API reference, CreateModel and its siblings."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.images import find_image
from tobo.operations.inference_specifications import check_archive
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row, remove_row
from tobo.store.base import Row

KIND = "model"


@operation("sagemaker", "CreateModel")
def create_model(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ValidationException where the image does not run here, the artefact is missing or the name is taken."""
    asked = _unpacked(call, asked)
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


def _unpacked(call: Call, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """A container that names a package gets its image and model data, fixed now: the package may be deleted later.

    Raises Fault ValidationException where the package is a version that nobody has approved, or is not validated.
    """
    container = _container(asked)
    name = container.get("ModelPackageName")
    if not name:
        return asked
    package = call.call("sagemaker", "DescribeModelPackage", ModelPackageName=name)
    _check_validated(name, package)
    if package.get("ModelApprovalStatus", "Approved") != "Approved":
        raise validation(
            f"The model package '{name}' is {package['ModelApprovalStatus']}; approve it with UpdateModelPackage first."
        )
    specifications = {one["Name"]: one for one in package.get("AdditionalInferenceSpecifications", [])}
    wanted = container.get("InferenceSpecificationName")
    specification = specifications.get(wanted) if wanted else package.get("InferenceSpecification")
    if specification is None:
        raise validation(
            f"The model package '{name}' has no inference specification{f' {wanted!r}' if wanted else ''}."
        )
    its = specification["Containers"]
    if len(its) > 1:
        raise validation(
            f"The model package '{name}' has {len(its)} containers; inference pipelines are not supported yet."
        )
    fixed = {member: its[0][member] for member in ("Image", "ModelDataUrl", "ModelDataSource") if member in its[0]}
    environment = {**its[0].get("Environment", {}), **container.get("Environment", {})}
    named = {"ModelPackageName": package["ModelPackageArn"]}
    whole = {**container, **named, **fixed, **({"Environment": environment} if environment else {})}
    return {**{member: value for member, value in asked.items() if member != "Containers"}, "PrimaryContainer": whole}


def _check_validated(name: str, package: Mapping[str, Any]) -> None:
    if (status := package["ModelPackageStatus"]) == "Completed":
        return
    statuses = package["ModelPackageStatusDetails"]["ValidationStatuses"]
    reasons = [one["FailureReason"] for one in statuses if one.get("FailureReason")]
    if status == "Failed":
        why = f": {reasons[0].rstrip('.')}" if reasons else ""
        raise validation(f"The model package '{name}' has failed its validation{why}; make one that passes.")
    raise validation(f"The model package '{name}' is {status}; wait until its validation is over.")


def _check_container(call: Call, container: Mapping[str, Any]) -> None:
    image = container.get("Image")
    if not image:
        raise validation("The container has no Image and no ModelPackageName; give one of them.")
    found = find_image(call.context, image, "the container's Image")
    if found.serve is None:
        raise validation(f"The image '{image}' is not made for serving.")
    submitted = container.get("Environment", {}).get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if submitted.startswith("s3://"):
        check_archive(call, submitted, "the serving code", "SAGEMAKER_SUBMIT_DIRECTORY")
    own = found.algorithm is None and found.framework is None
    if container.get("Mode") == "MultiModel":
        _check_models(call, container, own)
        return
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    address = source["S3Uri"] if source else container.get("ModelDataUrl")
    if not address:
        if own:
            return  # an image of one's own may hold its model itself
        raise validation("The container has no ModelDataUrl; give the model.tar.gz of a training job.")
    check_archive(call, address, "model data", "ModelDataUrl")


def _check_models(call: Call, container: Mapping[str, Any], own: bool) -> None:
    """Several models: a prefix, below which archives may come and go later."""
    if own:
        raise validation(
            f"The container's Mode is MultiModel, which the image '{container['Image']}' cannot be here: only the built-in "
            "and framework images load models while they serve."
        )
    if not container.get("ModelDataUrl"):
        raise validation("The container's Mode is MultiModel, which needs a ModelDataUrl: the prefix of the archives.")
    uri = parse_s3_uri(container["ModelDataUrl"], "ModelDataUrl")
    try:
        call.context.objects.bucket(call.space, uri.bucket)
    except Fault as fault:
        raise validation(f"Could not find model data at {uri}: {fault.message}") from None
