"""What CreateModelPackage and UpdateModelPackage refuse beyond what the AWS model says."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.images import find_image

MOST_PROPERTIES = 50
"""CustomerMetadataProperties of one package, as on AWS."""


def check_package(call: Call, asked: Mapping[str, Any]) -> None:
    """Raises Fault ValidationException that names the member."""
    if bool(asked.get("ModelPackageName")) == bool(asked.get("ModelPackageGroupName")):
        raise validation("Give either ModelPackageGroupName, for a version in a group, or ModelPackageName.")
    if asked.get("ModelPackageName") and asked.get("ModelApprovalStatus"):
        raise validation("ModelApprovalStatus is for versions in a group; leave it out, or give ModelPackageGroupName.")
    if asked.get("SourceAlgorithmSpecification"):
        raise validation(
            "SourceAlgorithmSpecification names algorithm resources, which tobo has not yet; give InferenceSpecification."
        )
    if asked.get("ValidationSpecification"):
        raise validation(
            "ValidationSpecification: validation jobs are not built yet; score it with CreateTransformJob and leave this out."
        )
    if asked.get("CertifyForMarketplace"):
        raise validation("CertifyForMarketplace is AWS's own marketplace, which is not here; leave it out.")
    if not asked.get("InferenceSpecification") and not asked.get("SourceUri"):
        raise validation("The package has no model: give InferenceSpecification with a container, or SourceUri.")
    if asked.get("InferenceSpecification"):
        check_specification(call, asked["InferenceSpecification"], "InferenceSpecification")
    for number, more in enumerate(asked.get("AdditionalInferenceSpecifications", []), 1):
        check_specification(call, more, f"AdditionalInferenceSpecifications {number}")


def check_specification(call: Call, specification: Mapping[str, Any], place: str) -> None:
    """Each container's image has to run here, and its archive to be there."""
    for number, container in enumerate(specification["Containers"], 1):
        at = f"{place}.Containers {number}"
        if not container.get("Image"):
            raise validation(f"{at} has no Image; give one that serves.")
        if find_image(call.context, container["Image"], f"the Image of {at}").serve is None:
            raise validation(f"The Image of {at}, '{container['Image']}', is not made for serving.")
        source = container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")
        address = container.get("ModelDataUrl") or source
        if address:
            _check_there(call, address, f"the model data of {at}")


def merged_properties(there: Mapping[str, str], asked: Mapping[str, Any]) -> dict[str, str]:
    """CustomerMetadataProperties with those of an update, without those that it removes."""
    gone = set(asked.get("CustomerMetadataPropertiesToRemove", []))
    merged = {key: value for key, value in there.items() if key not in gone}
    merged |= asked.get("CustomerMetadataProperties", {})
    if len(merged) > MOST_PROPERTIES:
        raise validation(
            f"The package would have {len(merged)} CustomerMetadataProperties; it has at most {MOST_PROPERTIES}."
        )
    return merged


def _check_there(call: Call, address: str, what: str) -> None:
    uri = parse_s3_uri(address, what)
    try:
        there = bool(call.context.objects.list(call.space, uri.bucket, uri.key, limit=1).objects)
    except Fault:
        there = False
    if not there:
        raise validation(f"Could not find {what} at {address}; upload it first.")
