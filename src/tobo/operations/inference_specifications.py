"""InferenceSpecifications: what serves a model, as model packages and algorithms say it."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.images import find_image


def check_specification(call: Call, specification: Mapping[str, Any], place: str) -> None:
    """Each container's image has to run here, and its archive, where it names one, to be there.

    Raises Fault ValidationException that names the member below `place`.
    """
    for number, container in enumerate(specification["Containers"], 1):
        at = f"{place}.Containers {number}"
        if not container.get("Image"):
            raise validation(f"{at} has no Image; give one that serves.")
        if find_image(call.context, container["Image"], f"the Image of {at}").serve is None:
            raise validation(f"The Image of {at}, '{container['Image']}', is not made for serving.")
        source = container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")
        address = container.get("ModelDataUrl") or source
        if address:
            check_archive(call, address, f"the model data of {at}")


def check_transform(specification: Mapping[str, Any], definition: Mapping[str, Any], place: str) -> None:
    """Of a TransformJobDefinition what an InferenceSpecification does not go with. Raises Fault ValidationException."""
    if (count := len(specification["Containers"])) > 1:
        raise validation(
            f"{place}InferenceSpecification has {count} containers, and a transform job takes a model of one."
        )
    wanted = definition["TransformResources"]["InstanceType"]
    allowed = specification.get("SupportedTransformInstanceTypes", [])
    if allowed and wanted not in allowed:
        raise validation(
            f"{place}TransformResources.InstanceType {wanted} is none of InferenceSpecification."
            f"SupportedTransformInstanceTypes; those are {', '.join(allowed)}."
        )


def check_archive(call: Call, address: str, what: str, place: str = "") -> None:
    """Raises Fault ValidationException where nothing is at `address`, which is called `what`, found at the member `place`."""
    uri = parse_s3_uri(address, place or what)
    try:
        there = bool(call.context.objects.list(call.space, uri.bucket, uri.key, limit=1).objects)
    except Fault:
        there = False
    if not there:
        raise validation(f"Could not find {what} at {address}; upload it first.")
