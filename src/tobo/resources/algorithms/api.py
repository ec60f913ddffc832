"""The operations on algorithms. Source: API reference, Create/Describe/List/DeleteAlgorithm."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import parse_arn, sagemaker_arn
from tobo.kit.fault import Fault, validation
from tobo.operations import validating
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row
from tobo.operations.validating import TRAINING, TRANSFORM
from tobo.resources.algorithms.requests import check_request
from tobo.store.base import Row

KIND = "algorithm"


@operation("sagemaker", "CreateAlgorithm")
def create_algorithm(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One insert; the controller runs the validation, if there is one. Raises Fault ValidationException."""
    check_request(call, asked)
    name = asked["AlgorithmName"]
    if specification := asked.get("ValidationSpecification"):
        [profile] = specification["ValidationProfiles"]
        stages = [TRAINING, TRANSFORM] if "TransformJobDefinition" in profile else [TRAINING]
        row = add_row(
            call, KIND, name, asked, _taken, state="Pending", found=validating.planned(name, stages), todo=("train",)
        )
    else:
        row = add_row(call, KIND, name, asked, _taken, state="Completed")
    return {"AlgorithmArn": row.arn}


@operation("sagemaker", "DescribeAlgorithm", resource=lambda call, asked: _named_arn(call, asked["AlgorithmName"]))
def describe_algorithm(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """By name or ARN. Nothing scans images here, so their statuses are none."""
    row = _row(call, asked["AlgorithmName"])
    details = {"ValidationStatuses": validating.told(row.found), "ImageScanStatuses": []}
    return {"CertifyForMarketplace": False, **row.asked, **_summary(row), "AlgorithmStatusDetails": details}


@operation("sagemaker", "ListAlgorithms")
def list_algorithms(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "AlgorithmSummaryList", _summary)


@operation("sagemaker", "DeleteAlgorithm")
def delete_algorithm(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Jobs that have named it go on, and so do packages made from it. Raises Fault ValidationException while its
    validation runs: AWS refuses that with the same code and words, which Terraform waits for."""
    validating.remove_validated(call, lambda: _row(call, asked["AlgorithmName"]), "Algorithm")
    return {}


def _row(call: Call, name: str) -> Row:
    """The algorithm of this name or ARN; raises Fault ValidationException."""
    if not name.startswith("arn:"):
        return known_row(call, KIND, name, _missing)
    row = call.context.store.find_arn(name)
    if row is None or row.key.kind != KIND or row.key.space != call.space:
        raise _missing(name)
    return row


def _named_arn(call: Call, name: str) -> str:
    return str(parse_arn(name)) if name.startswith("arn:") else sagemaker_arn(call.space, KIND, name)


def _summary(row: Row) -> dict[str, Any]:
    words = row.asked.get("AlgorithmDescription")
    return {
        "AlgorithmName": row.key.name,
        "AlgorithmArn": row.arn,
        **({"AlgorithmDescription": words} if words else {}),
        "CreationTime": row.created,
        "AlgorithmStatus": row.status,
    }


def _taken(arn: str) -> Fault:
    return validation(f"Algorithm already exists: {arn}; choose another name.")


def _missing(arn: str) -> Fault:
    return validation(f"Algorithm {arn} does not exist; ListAlgorithms tells those that are there.")
