"""CloudWatch Logs: each refusal has AWS's code and names what is wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Call, Context, Principal, serve
from tobo.operations.policy import Statement

Ask = Callable[..., Any]
NOW = 1_700_000_000_000
GROUP = "/aws/sagemaker/TrainingJobs"
ARN = f"arn:aws:logs:us-east-1:111122223333:log-group:{GROUP}"
DAY = 86_400_000


@pytest.fixture(autouse=True)
def stream(ask: Ask) -> None:
    """The stream 's' of the group is there."""
    ask("CreateLogGroup", logGroupName=GROUP)
    ask("CreateLogStream", logGroupName=GROUP, logStreamName="s")


def events(*pairs: tuple[int, str]) -> list[dict[str, Any]]:
    """Events so many milliseconds from now."""
    return [{"timestamp": NOW + at, "message": message} for at, message in pairs]


@pytest.mark.parametrize(
    ("name", "asked", "code", "says"),
    [
        ("CreateLogGroup", {"logGroupName": GROUP}, "ResourceAlreadyExistsException", GROUP),
        (
            "CreateLogGroup",
            {"logGroupName": "n", "deletionProtectionEnabled": True},
            "InvalidParameterException",
            "built",
        ),
        ("DeleteLogGroup", {"logGroupName": "none"}, "ResourceNotFoundException", "none"),
        ("CreateLogStream", {"logGroupName": "none", "logStreamName": "s"}, "ResourceNotFoundException", "none"),
        ("CreateLogStream", {"logGroupName": GROUP, "logStreamName": "s"}, "ResourceAlreadyExistsException", "'s'"),
        ("DeleteLogStream", {"logGroupName": GROUP, "logStreamName": "t"}, "ResourceNotFoundException", "'t'"),
        ("DescribeLogStreams", {"logGroupName": "none"}, "ResourceNotFoundException", "none"),
        ("DescribeLogStreams", {}, "InvalidParameterException", "logGroupIdentifier"),
        ("DescribeLogStreams", {"logGroupName": GROUP, "nextToken": "x"}, "InvalidParameterException", "'x'"),
        (
            "DescribeLogStreams",
            {"logGroupName": GROUP, "orderBy": "LastEventTime", "logStreamNamePrefix": "s"},
            "InvalidParameterException",
            "LastEventTime",
        ),
        (
            "DescribeLogGroups",
            {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"},
            "InvalidParameterException",
            "logGroupNamePattern",
        ),
        ("GetLogEvents", {"logGroupName": GROUP, "logStreamName": "t"}, "ResourceNotFoundException", "'t'"),
        (
            "GetLogEvents",
            {"logGroupIdentifier": ARN.replace("us-east-1", "eu-west-1"), "logStreamName": "s"},
            "ResourceNotFoundException",
            "region",
        ),
        (
            "GetLogEvents",
            {"logGroupIdentifier": "arn:aws:s3:::bucket", "logStreamName": "s"},
            "InvalidParameterException",
            "arn:aws:s3:::bucket",
        ),
        *(
            (
                "GetLogEvents",
                {"logGroupName": GROUP, "logStreamName": "s", "nextToken": token},
                "InvalidParameterException",
                token,
            )
            for token in ("x", "f/", "f/-1", "g/1", "f/1x", "f/²")
        ),
        ("FilterLogEvents", {"logGroupName": GROUP, "nextToken": "W10="}, "InvalidParameterException", "W10="),
        (
            "FilterLogEvents",
            {"logGroupName": GROUP, "startFromHead": False},
            "InvalidParameterException",
            "startFromHead",
        ),
        (
            "FilterLogEvents",
            {"logGroupName": GROUP, "logStreamNames": ["s"], "logStreamNamePrefix": "s"},
            "InvalidParameterException",
            "logStreamNamePrefix",
        ),
        *(
            ("FilterLogEvents", {"logGroupName": GROUP, "filterPattern": pattern}, "InvalidParameterException", pattern)
            for pattern in ("{ $.level = 1 }", "[ip, user]", "%ERR.*%", 'open "phrase', '"a"b')
        ),
        ("PutRetentionPolicy", {"logGroupName": GROUP, "retentionInDays": 2}, "InvalidParameterException", "2"),
        ("PutRetentionPolicy", {"logGroupName": "none", "retentionInDays": 1}, "ResourceNotFoundException", "none"),
        (
            "PutLogEvents",
            {"logGroupName": GROUP, "logStreamName": "s", "logEvents": events((2, "a"), (1, "b"))},
            "InvalidParameterException",
            "chronological",
        ),
        (
            "PutLogEvents",
            {"logGroupName": GROUP, "logStreamName": "s", "logEvents": events((-DAY - 1, "a"), (0, "b"))},
            "InvalidParameterException",
            "24 hours",
        ),
        (
            "PutLogEvents",
            {"logGroupName": GROUP, "logStreamName": "s", "logEvents": events((0, "x" * 1_048_551))},
            "InvalidParameterException",
            "1048577",
        ),
        (
            "PutLogEvents",
            {"logGroupName": GROUP, "logStreamName": "t", "logEvents": events((0, "x"))},
            "ResourceNotFoundException",
            "'t'",
        ),
    ],
)
def test_refusals_name_what_is_wrong(ask: Ask, name: str, asked: dict[str, Any], code: str, says: str) -> None:
    with pytest.raises(Fault) as refused:
        ask(name, **asked)
    assert refused.value.code == code
    assert says in refused.value.message


def test_policies_speak_of_groups_and_streams(ask: Ask, context: Context) -> None:
    ask("PutLogEvents", logGroupName=GROUP, logStreamName="s", logEvents=events((0, "x")))
    reader = Principal(
        "111122223333",
        "arn:aws:iam::111122223333:user/reader",
        "reader",
        statements=(Statement("Allow", ("logs:*",), (f"{ARN}:log-stream:s", f"{ARN}:*")),),
    )
    call = Call(context, reader, Namespace("111122223333", "us-east-1"))
    assert len(serve(call, "logs", "GetLogEvents", {"logGroupName": GROUP, "logStreamName": "s"})["events"]) == 1
    assert len(serve(call, "logs", "FilterLogEvents", {"logGroupIdentifier": ARN})["events"]) == 1
    with pytest.raises(Fault) as refused:
        serve(call, "logs", "FilterLogEvents", {"logGroupName": "/other"})
    assert refused.value.code == "AccessDeniedException"
