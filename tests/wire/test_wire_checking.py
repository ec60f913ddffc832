"""The model's constraints, refused in AWS's words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tobo.kit.fault import Fault
from tobo.wire.body import Body
from tobo.wire.checking import check
from tobo.wire.models import description, operation_model
from tobo.wire.patterns import matches_pattern, translate

NAME = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"


def constraint(service: str, shape: str, key: str) -> Any:
    return description(service)["shapes"][shape][key]


@pytest.mark.parametrize(
    ("operation", "asked", "problems"),
    [
        ("DescribeTrainingJob", {"TrainingJobName": "marbles-1"}, []),
        ("DescribeTrainingJob", {"TrainingJobName": "marbles-1", "NoSuchMember": 1}, []),
        (
            "DescribeTrainingJob",
            {},
            ["Value null at 'trainingJobName' failed to satisfy constraint: Member must not be null"],
        ),
        (
            "DescribeTrainingJob",
            {"TrainingJobName": "a b"},
            [
                "Value 'a b' at 'trainingJobName' failed to satisfy constraint: "
                f"Member must satisfy regular expression pattern: {NAME}"
            ],
        ),
        (
            "DescribeTrainingJob",
            {"TrainingJobName": ""},
            [
                "Value '' at 'trainingJobName' failed to satisfy constraint: "
                f"Member must satisfy regular expression pattern: {NAME}",
                "Value '' at 'trainingJobName' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1",
            ],
        ),
        (
            "DescribeTrainingJob",
            {"TrainingJobName": "a" * 64},
            [
                f"Value '{'a' * 64}' at 'trainingJobName' failed to satisfy constraint: "
                "Member must have length less than or equal to 63"
            ],
        ),
        (
            "DescribeTrainingJob",
            {"TrainingJobName": 7},
            ["Value 'int' at 'trainingJobName' failed to satisfy constraint: Member must be of type string"],
        ),
        (
            "ListTrainingJobs",
            {"SortBy": "Colour", "MaxResults": 101},
            [
                "Value 'Colour' at 'sortBy' failed to satisfy constraint: "
                "Member must satisfy enum value set: [Name, CreationTime, Status]",
                "Value '101' at 'maxResults' failed to satisfy constraint: "
                "Member must have value less than or equal to 100",
            ],
        ),
        (
            "ListTrainingJobs",
            {"MaxResults": 0, "CreationTimeAfter": datetime(2026, 1, 1, tzinfo=UTC), "CreationTimeBefore": [1]},
            [
                "Value '0' at 'maxResults' failed to satisfy constraint: "
                "Member must have value greater than or equal to 1",
                "Value 'list' at 'creationTimeBefore' failed to satisfy constraint: Member must be of type timestamp",
            ],
        ),
        (
            "ListTrainingJobs",
            {"MaxResults": True},
            ["Value 'bool' at 'maxResults' failed to satisfy constraint: Member must be of type integer"],
        ),
        (
            "AddTags",
            {
                "ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m",
                "Tags": [{"Key": "a", "Value": "b"}, {"Key": ""}],
            },
            [
                "Value '' at 'tags.2.member.key' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1",
                "Value null at 'tags.2.member.value' failed to satisfy constraint: Member must not be null",
            ],
        ),
        (
            "AddTags",
            {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m", "Tags": [None]},
            ["Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null"],
        ),
        (
            "DeleteTags",
            {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m", "TagKeys": []},
            [
                "Value '[]' at 'tagKeys' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ],
        ),
        (
            "UpdateTrainingJob",
            {"TrainingJobName": "a", "ResourceConfig": 7},
            ["Value 'int' at 'resourceConfig' failed to satisfy constraint: Member must be of type structure"],
        ),
    ],
)
def test_sagemaker(operation: str, asked: dict[str, Any], problems: list[str]) -> None:
    model = operation_model("sagemaker", operation)
    if not problems:
        check(model, asked)
        return
    with pytest.raises(Fault) as caught:
        check(model, asked)
    count = "1 validation error" if len(problems) == 1 else f"{len(problems)} validation errors"
    assert caught.value.code == "ValidationException"
    assert sorted(caught.value.message.partition(" detected: ")[2].split("; ")) == sorted(problems)
    assert caught.value.message.startswith(f"{count} detected: ")


TRAINING = {
    "TrainingJobName": "marbles-1",
    "RoleArn": "arn:aws:iam::123456789012:role/tobo",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
}


def message(service: str, operation: str, asked: dict[str, Any]) -> str:
    with pytest.raises(Fault) as caught:
        check(operation_model(service, operation), asked)
    return f"{caught.value.code}: {caught.value.message}"


def test_scalars_in_lists_and_maps_are_told_of_together() -> None:
    assert message("sagemaker", "CreateTrainingJob", {**TRAINING, "HyperParameters": {"epochs": "6" * 2501}}).endswith(
        "' at 'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint: "
        "[Member must have length less than or equal to 2500, "
        + (f"Member must have length greater than or equal to {low}, " if (low := _low()) is not None else "")
        + f"Member must satisfy regular expression pattern: {constraint('sagemaker', 'HyperParameterValue', 'pattern')}]"
    )
    vpc = {"SecurityGroupIds": ["sg-1", "sg 2"], "Subnets": ["subnet-1"]}
    assert (
        "Value '[sg-1, sg 2]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: "
        "Member must satisfy constraint: [Member must have length less than or equal to 32, "
    ) in message("sagemaker", "CreateTrainingJob", {**TRAINING, "VpcConfig": vpc})
    assert "at 'hyperParameters' failed to satisfy constraint: Map keys must satisfy constraint: [" in message(
        "sagemaker", "CreateTrainingJob", {**TRAINING, "HyperParameters": {"k" * 257: "1"}}
    )


def _low() -> int | None:
    low: int | None = description("sagemaker")["shapes"]["HyperParameterValue"].get("min")
    return low


def test_a_long_value_is_cut_in_the_message() -> None:
    asked = {**TRAINING, "HyperParameters": {"epochs": "6" * 100_000}}
    assert len(message("sagemaker", "CreateTrainingJob", asked)) < 2000


def test_secrets_are_not_repeated() -> None:
    asked = {"EndpointName": "e", "Body": b"", "CustomAttributes": "sesame " + "x" * 2000}
    assert message("sagemaker-runtime", "InvokeEndpoint", asked) == (
        "ValidationError: 1 validation error detected: Value at 'customAttributes' failed to satisfy constraint: "
        "Member must have length less than or equal to 1024"
    )


def test_the_size_of_a_body_is_its_length() -> None:
    most = 25 << 20  # what AWS documents; its model still says 6 MB
    operation = operation_model("sagemaker-runtime", "InvokeEndpoint")
    check(operation, {"EndpointName": "e", "Body": Body(most)})
    assert message("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e", "Body": Body(most + 1)}).endswith(
        f"Value at 'body' failed to satisfy constraint: Member must have length less than or equal to {most}"
    )


@pytest.mark.parametrize(
    ("service", "operation", "asked", "code"),
    [
        ("sts", "AssumeRole", {"RoleArn": "x"}, "ValidationError"),
        ("iam", "GetRole", {}, "ValidationError"),
        ("logs", "CreateLogGroup", {"logGroupName": ""}, "InvalidParameterException"),
        ("application-autoscaling", "DescribeScalableTargets", {}, "ValidationException"),
        ("s3", "PutObject", {"Bucket": "b"}, "InvalidArgument"),
    ],
)
def test_each_service_has_its_own_code(service: str, operation: str, asked: dict[str, Any], code: str) -> None:
    assert message(service, operation, asked).startswith(f"{code}: ")


def test_a_number_must_fit_its_type() -> None:
    asked = {**TRAINING, "StoppingCondition": {"MaxRuntimeInSeconds": 1 << 31}}
    assert message("sagemaker", "CreateTrainingJob", asked).endswith("less than or equal to 2147483647")


def test_nesting_without_end_is_refused() -> None:
    nested: dict[str, Any] = {}
    for _ in range(5000):
        nested = {"SubExpressions": [nested]}
    asked = {"Resource": "TrainingJob", "SearchExpression": nested}
    assert message("sagemaker", "Search", asked) == "ValidationException: The request is nested too deeply."


@pytest.mark.parametrize(
    ("java", "text", "expected"),
    [
        (r"\w+", "marble_1", True),
        (r"\w+", "märble", False),
        (r"\d", "٣", False),
        (r"[\S\s]*", "a\u00a0b\n", True),
        (r"[\p{L}\p{Z}]+", "äöü ß", True),
        (r"\p{Print}+", "ä", False),
        (r".*", "a\u2028b", False),
        (r"^[a-z]+$", "a\n", False),
        (r"a|ab", "ab", True),
        (r"\A\S[\p{Print}]*\z", "a b", True),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a\U0001f600\t", True),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a\n", False),
        (r"[[\]]", "[", True),
    ],
)
def test_java_patterns(java: str, text: str, expected: bool) -> None:
    assert matches_pattern(java, text) is expected


def test_every_pattern_of_the_models_compiles() -> None:
    """All of them: there are no exceptions."""
    services = ("sagemaker", "sagemaker-runtime", "s3", "sts", "iam", "logs", "cloudwatch", "application-autoscaling")
    patterns = {
        shape["pattern"]
        for service in (*services, "sagemaker-metrics", "sagemaker-edge", "sagemaker-a2i-runtime", "ce", "cloudtrail")
        for shape in description(service)["shapes"].values()
        if "pattern" in shape
    }
    for pattern in patterns:
        matches_pattern(pattern, "")
    assert len(patterns) > 300


def test_a_text_that_takes_ages_to_match_does_not_match() -> None:
    pattern = constraint("sagemaker", "RepositoryUrl", "pattern")
    assert "){3,1016}" in translate(pattern)
    assert not matches_pattern(pattern, "https://" + "a" * 200 + "\n")
    assert matches_pattern(pattern, "https://example.com/marbles")
