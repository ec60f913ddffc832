"""Which events a pattern wants, as EventBridge documents it."""

import json
from typing import Any

import pytest

from tobo.kit.fault import Fault
from tobo.resources.event_rules.patterns import matches, read_pattern

EVENT = {
    "source": "aws.sagemaker",
    "detail-type": "SageMaker Training Job State Change",
    "resources": ["arn:aws:sagemaker:us-east-1:111122223333:training-job/marbles-1"],
    "detail": {
        "TrainingJobName": "marbles-1",
        "TrainingJobStatus": "Failed",
        "BillableTimeInSeconds": 12,
        "EnableManagedSpotTraining": False,
        "FailureReason": None,
        "HyperParameters": {"epochs": "3"},
    },
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.sagemaker"]}, True),
        ({"source": ["aws.s3", "aws.sagemaker"]}, True),
        ({"source": ["aws.s3"]}, False),
        ({"detail": {"TrainingJobStatus": ["Failed", "Stopped"]}}, True),
        ({"source": ["aws.sagemaker"], "detail": {"TrainingJobStatus": ["Completed"]}}, False),
        ({"detail": {"HyperParameters": {"epochs": ["3"]}}}, True),
        ({"detail": {"HyperParameters": {"epochs": [3]}}}, False),
        ({"detail": {"BillableTimeInSeconds": [{"numeric": [">", 10, "<", 20]}]}}, True),
        ({"detail": {"EnableManagedSpotTraining": [{"numeric": ["=", 0]}]}}, False),
        ({"detail": {"EnableManagedSpotTraining": [False]}}, True),
        ({"detail": {"FailureReason": [None]}}, True),
        ({"detail": {"TrainingJobName": [{"prefix": "marbles-"}]}}, True),
        ({"detail": {"TrainingJobName": [{"anything-but": {"prefix": "marbles-"}}]}}, False),
        ({"detail": {"TrainingJobName": [{"suffix": "-2"}]}}, False),
        ({"detail": {"Nothing": [{"exists": False}]}}, True),
        ({"detail": {"TrainingJobName": [{"exists": False}]}}, False),
        ({"detail": {"Nothing": {"deeper": [{"exists": False}]}}}, True),
        ({"detail": {"TrainingJobName": {"deeper": ["a"]}}}, False),
        ({"resources": [{"suffix": "/marbles-1"}]}, True),
        ({"resources": ["arn"]}, False),
    ],
)
def test_a_pattern_wants(pattern: dict[str, Any], expected: bool) -> None:
    assert matches(read_pattern(json.dumps(pattern)), EVENT) is expected


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("{", "no JSON"),
        ("{}", "no JSON object with a member"),
        ('{"source": "aws.s3"}', "'source' is neither"),
        ('{"detail": {"a": []}}', "'detail.a' is neither"),
        ('{"detail": {}}', "'detail' is an empty object"),
        ('{"detail": {"a": [{"wildcard": "*"}]}}', "wildcard"),
        ('{"$or": [{"source": ["a"]}]}', "$or is not built"),
        ('{"a":' * 30 + '["b"]' + "}" * 30, "nested deeper"),
        ('{"a": ["' + "b" * 5000 + '"]}', "characters"),
    ],
)
def test_what_is_no_pattern_is_named(pattern: str, named: str) -> None:
    with pytest.raises(Fault) as refused:
        read_pattern(pattern)
    assert refused.value.code == "InvalidEventPatternException" and named in refused.value.message
