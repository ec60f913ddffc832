"""The tables of loops and flow definitions: their words are AWS's, and every loop has a way out."""

from pathlib import Path

import pytest

from tobo.app import build
from tobo.kit.arn import Namespace, sagemaker_arn
from tobo.kit.fault import Fault
from tobo.kit.states import states_of, walk
from tobo.resources.flow_definitions import states as flows
from tobo.resources.human_loops import states
from tobo.resources.human_loops.work import offer
from tobo.settings import Settings
from tobo.store.base import Key, Row
from tobo.wire.models import service_model


def test_statuses_are_the_models() -> None:
    shape = service_model("sagemaker-a2i-runtime").shape_for("HumanLoopStatus")
    assert set(states.STATUS.values()) == set(shape.enum)  # type: ignore[attr-defined]
    assert states_of(states.TABLE) == states.STATUS.keys()
    shape = service_model("sagemaker").shape_for("FlowDefinitionStatus")
    assert set(flows.STATUS.values()) == set(shape.enum)  # type: ignore[attr-defined]
    assert states_of(flows.TABLE) == flows.STATUS.keys()


@pytest.mark.parametrize(
    ("story", "status", "code"),
    [
        ("answered written", "Completed", None),
        ("stop written", "Stopped", None),
        ("expired written", "Failed", "Expired"),
        ("failed", "Failed", "ValidationError"),
        ("answered failed", "Failed", "ValidationError"),
        ("expired failed", "Failed", "ValidationError"),
        ("stop failed", "Failed", "ValidationError"),
    ],
)
def test_stories(story: str, status: str, code: str | None) -> None:
    state, found = "InProgress", dict[str, str]()
    for event in story.split():
        step = walk(states.TABLE, state, event)
        found |= states.on_step(state, step.state, "it broke" if event == "failed" else "")
        state = step.state
    assert states.STATUS[state] == status and state in states.TERMINAL
    assert found.get("FailureCode") == code and bool(found.get("FailureReason")) == (code is not None)


def test_a_bug_of_ours_is_an_internal_error() -> None:
    told = states.on_step("InProgress", "Failed", "InternalServerError: KeyError: 'x'")
    assert told["FailureCode"] == "InternalError"


def test_a_loop_whose_flow_went_as_it_began_is_offered_to_nobody(tmp_path: Path) -> None:
    context, _ = build(Settings(state=tmp_path, account_id="1" * 12, warm=False))
    space = Namespace("1" * 12, "us-east-1")
    flow = sagemaker_arn(space, "flow-definition", "gone")
    row = Row(
        Key(space, "human-loop", "x"),
        "arn",
        {"FlowDefinitionArn": flow},
        {"_wanted": 1},
        "InProgress",
        "InProgress",
        0,
        0,
    )
    try:
        with pytest.raises(Fault, match="There is no flow definition"):
            offer(context, row)
        assert context.tasks.counts(flow) == {}
    finally:
        for port in (context.hosting, context.compute, context.metrics, context.objects, context.store):
            port.close()
