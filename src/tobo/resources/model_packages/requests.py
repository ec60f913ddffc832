"""What CreateModelPackage and UpdateModelPackage refuse beyond what the AWS model says."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.inference_specifications import check_specification, check_transform
from tobo.operations.made_algorithms import completed_algorithm

MOST_PROPERTIES = 50
"""CustomerMetadataProperties of one package, as on AWS."""


def check_package(call: Call, asked: Mapping[str, Any]) -> None:
    """Raises Fault ValidationException that names the member."""
    if bool(asked.get("ModelPackageName")) == bool(asked.get("ModelPackageGroupName")):
        raise validation("Give either ModelPackageGroupName, for a version in a group, or ModelPackageName.")
    if asked.get("ModelPackageName") and asked.get("ModelApprovalStatus"):
        raise validation("ModelApprovalStatus is for versions in a group; leave it out, or give ModelPackageGroupName.")
    if asked.get("CertifyForMarketplace"):
        raise validation("CertifyForMarketplace is AWS's own marketplace, which is not here; leave it out.")
    if not asked.get("InferenceSpecification") and not asked.get("SourceUri"):
        raise validation(
            "The package has no model: give InferenceSpecification with a container, SourceAlgorithmSpecification, or SourceUri."
        )
    if asked.get("InferenceSpecification"):
        check_specification(call, asked["InferenceSpecification"], "InferenceSpecification")
    for number, more in enumerate(asked.get("AdditionalInferenceSpecifications", []), 1):
        check_specification(call, more, f"AdditionalInferenceSpecifications {number}")
    if profile := profile_to_run(asked):
        place = f"The profile '{profile['ProfileName']}': "
        if not asked.get("InferenceSpecification"):
            raise validation(f"{place}a transform job needs something that serves; give InferenceSpecification.")
        check_transform(asked["InferenceSpecification"], profile["TransformJobDefinition"], place)


def profile_to_run(asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The profile of ValidationSpecification; None where there is none, or the validation is to be left out."""
    if asked.get("SkipModelValidation") == "All":
        return None
    profiles = asked.get("ValidationSpecification", {}).get("ValidationProfiles", [])
    return profiles[0] if profiles else None


def from_algorithm(call: Call, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request with the InferenceSpecification that SourceAlgorithmSpecification makes: the algorithm's, with the model.

    It is made once, when the package is: the algorithm may be deleted afterwards. Raises Fault ValidationException.
    """
    source = asked.get("SourceAlgorithmSpecification")
    if not source:
        return asked
    place = "SourceAlgorithmSpecification.SourceAlgorithms"
    if asked.get("InferenceSpecification"):
        raise validation("Give either SourceAlgorithmSpecification or InferenceSpecification, and not both.")
    [of] = source["SourceAlgorithms"]
    name, members = of["AlgorithmName"], ("ModelDataUrl", "ModelDataSource")
    model = {member: of[member] for member in members if of.get(member)}
    if len(model) != 1:
        raise validation(
            f"{place} needs the model that '{name}' has made: give either ModelDataUrl or ModelDataSource."
        )
    specification = completed_algorithm(call.context, call.space, name, f"{place}.AlgorithmName").get(
        "InferenceSpecification"
    )
    if not specification:
        raise validation(
            f"The algorithm '{name}' at {place} has no InferenceSpecification, so nothing serves its models; give "
            "InferenceSpecification instead."
        )
    if (count := len(specification["Containers"])) > 1:
        raise validation(
            f"The algorithm '{name}' at {place} serves with {count} containers, and it is not said which one takes the "
            "model; give InferenceSpecification instead."
        )
    [container] = specification["Containers"]
    own = {member: value for member, value in container.items() if member not in members}
    return {**asked, "InferenceSpecification": {**specification, "Containers": [{**own, **model}]}}


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
