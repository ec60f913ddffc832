"""Which messages a filter policy lets through, as SNS documents it."""

import json
from typing import Any

import pytest

from tobo.kit.fault import Fault
from tobo.resources.topics.filters import read_policy, wants


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def number(value: float) -> dict[str, str]:
    return {"DataType": "Number", "StringValue": str(value)}


ATTRIBUTES = {
    "line": text("press-1"),
    "rejects": number(7),
    "kinds": {"DataType": "String.Array", "StringValue": json.dumps(["dent", "scratch", 3, True])},
    "blob": {"DataType": "Binary", "BinaryValue": b"a"},
    "broken": {"DataType": "Number", "StringValue": "many"},
}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, True),
        ({"line": ["press-1"]}, True),
        ({"line": ["press-2", "press-1"]}, True),
        ({"line": ["press-2"]}, False),
        ({"nothing": ["press-1"]}, False),
        ({"line": ["press-1"], "rejects": [8]}, False),
        ({"rejects": [7]}, True),
        ({"rejects": ["7"]}, False),
        ({"line": [{"prefix": "press"}]}, True),
        ({"line": [{"suffix": "-2"}]}, False),
        ({"line": [{"equals-ignore-case": "PRESS-1"}]}, True),
        ({"line": [{"anything-but": ["press-2"]}]}, True),
        ({"line": [{"anything-but": "press-1"}]}, False),
        ({"line": [{"anything-but": {"prefix": "press"}}]}, False),
        ({"nothing": [{"anything-but": ["a"]}]}, False),
        ({"rejects": [{"numeric": [">", 5, "<=", 7]}]}, True),
        ({"rejects": [{"numeric": ["<", 7]}]}, False),
        ({"line": [{"numeric": ["=", 7]}]}, False),
        ({"broken": [{"numeric": [">", 0]}]}, False),
        ({"line": [{"exists": True}]}, True),
        ({"line": [{"exists": False}]}, False),
        ({"nothing": [{"exists": False}]}, True),
        ({"kinds": ["scratch"]}, True),
        ({"kinds": [3]}, True),
        ({"kinds": [True]}, True),
        ({"kinds": [1]}, False),
        ({"kinds": [{"anything-but": ["dent"]}]}, True),
        ({"blob": ["a"]}, False),
        ({"blob": [{"exists": True}]}, True),
    ],
)
def test_a_policy_lets_through(policy: dict[str, Any], expected: bool) -> None:
    assert wants(read_policy(json.dumps(policy)), ATTRIBUTES) is expected


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ('{"a": "b"}', "'a' is no list"),
        ('{"a": []}', "'a' is no list"),
        ('{"a": [["b"]]}', "list in its list"),
        ('{"a": [{"wildcard": "b*"}]}', "wildcard"),
        ('{"a": [{"prefix": "b", "suffix": "c"}]}', "take one of"),
        ('{"a": [{"numeric": [">", "5"]}]}', "numeric is a list"),
        ('{"a": [{"numeric": [">", 5, "<"]}]}', "numeric is a list"),
        ('{"a": [{"numeric": ["between", 5]}]}', "numeric is a list"),
    ],
)
def test_what_is_no_policy_is_named(policy: str, named: str) -> None:
    with pytest.raises(Fault) as refused:
        read_policy(policy)
    assert refused.value.code == "InvalidParameter" and named in refused.value.message
