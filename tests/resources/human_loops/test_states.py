"""The tables of loops and flow definitions: their words are AWS's, and every loop has a way out."""

import pytest

from tobo.kit.states import states_of, walk
from tobo.resources.flow_definitions import states as flows
from tobo.resources.human_loops import states
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
