"""The table of transform jobs: its words are AWS's, and every state has a way out."""

import pytest

from tobo.kit.states import states_of, walk
from tobo.resources.transform_jobs import states
from tobo.wire.models import service_model


def test_statuses_are_the_models() -> None:
    assert set(states.STATUS.values()) == set(service_model("sagemaker").shape_for("TransformJobStatus").enum)
    assert states_of(states.TABLE) == states.STATUS.keys()


def test_every_working_state_can_fail_and_leads_to_an_end() -> None:
    reach = {state: {state} for state in states.STATUS}
    for _ in reach:
        for (state, _event), step in states.TABLE.items():
            reach[state] |= reach[step.state]
    for state, reached in reach.items():
        assert reached & states.TERMINAL, state
        assert state in states.TERMINAL or (state, "failed") in states.TABLE, state
        assert state not in states.TERMINAL or reached == {state}, state


@pytest.mark.parametrize(
    ("story", "status"),
    [
        ("granted ready finished", "Completed"),
        ("stop", "Stopped"),
        ("granted stop halted", "Stopped"),
        ("granted ready stop halted", "Stopped"),
        ("granted failed", "Failed"),
        ("granted ready failed", "Failed"),
    ],
)
def test_stories(story: str, status: str) -> None:
    state, now, found = "Starting", 100.0, dict[str, object]()
    for event in story.split():
        now += 1.0
        state = walk(states.TABLE, state, event).state
        found |= states.on_step(state, now, "it broke" if event == "failed" else "")
    assert states.STATUS[state] == status and found["TransformEndTime"] == now
    assert found.get("FailureReason") == ("it broke" if status == "Failed" else None)
    assert ("TransformStartTime" in found) == ("granted" in story)
