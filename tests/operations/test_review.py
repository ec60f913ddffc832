"""Which predictions people look at: how sure one is, and what the tags say."""

from typing import Any

import pytest

from tobo.kit.fault import Fault
from tobo.operations.review import Rule, confidence_of, rule_of


@pytest.mark.parametrize(
    ("told", "confidence"),
    [
        ([0.1, 0.7, 0.2], 0.7),
        ([[0.1, 0.9]], 0.9),
        (0.2, 0.8),
        ([0.2], 0.8),
        (1, 1),
        ({"prediction": [0.45, 0.55]}, 0.55),
        ({"predictions": [{"score": 0.9, "predicted_label": 1}]}, 0.9),
        ({"predictions": [{"probabilities": [0.3, 0.6, 0.1]}]}, 0.6),
        ({"label": "ok", "confidence": 0.3}, 0.3),
        ({"probability": 0.25}, 0.75),
        ([[0.1, 0.9], [0.5, 0.5]], None),
        ([1.5, 2.5], None),
        (37.2, None),
        (True, None),
        ([], None),
        ({}, None),
        ("ok", None),
        (None, None),
        ({"confidence": "high"}, None),
    ],
)
def test_how_sure_a_prediction_is(told: Any, confidence: float | None) -> None:
    assert confidence_of(told) == (None if confidence is None else pytest.approx(confidence))


def test_which_are_looked_at() -> None:
    rule = Rule("arn", 0.8, 0.25)
    assert rule.wants(0.79, 0.99) and not rule.wants(0.8, 0.99)
    assert rule.wants(0.99, 0.2) and rule.wants(None, 0.2) and not rule.wants(None, 0.25)


def test_tags() -> None:
    flow = {"tobo:review-flow": "arn"}
    assert rule_of({"line": "1", "tobo:review-below": "0.5"}) is None
    assert rule_of(flow) == Rule("arn", 0, 0)
    assert rule_of({**flow, "tobo:review-below": "0.8", "tobo:review-share": "1e-2"}) == Rule("arn", 0.8, 0.01)
    for value in ("80%", "1.2", "-1", "nan"):
        with pytest.raises(Fault, match=r"tobo:review-below is '.*'; write a number from 0 to 1"):
            rule_of({**flow, "tobo:review-below": value})
