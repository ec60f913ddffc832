"""The table of training jobs: its words are AWS's, every state has a way out, and a job's story adds up."""

import pytest

from tobo.kit.states import states_of, walk
from tobo.resources.training_jobs import states
from tobo.wire.models import service_model


def enum(name: str) -> set[str]:
    return set(service_model("sagemaker").shape_for(name).enum)


def test_statuses_are_the_models() -> None:
    assert set(states.SECONDARY.values()) <= enum("SecondaryStatus")
    assert set(states.STATUS.values()) <= enum("TrainingJobStatus")
    assert states_of(states.TABLE) == states.SECONDARY.keys() == states.STATUS.keys() == states.MESSAGES.keys()


def test_every_working_state_can_fail_and_leads_to_an_end() -> None:
    reach = {state: {state} for state in states.SECONDARY}
    for _ in reach:
        for (state, _event), step in states.TABLE.items():
            reach[state] |= reach[step.state]
    for state, reached in reach.items():
        assert reached & states.TERMINAL, state
        assert state in states.TERMINAL or (state, "failed") in states.TABLE, state
        assert state not in states.TERMINAL or reached == {state}, state


@pytest.mark.parametrize(
    ("story", "status", "secondary"),
    [
        ("granted laid_out succeeded collected", "Completed", "Completed"),
        ("stop", "Stopped", "Stopped"),
        ("granted laid_out stop ended collected", "Stopped", "Stopped"),
        ("granted laid_out time_up ended collected", "Stopped", "MaxRuntimeExceeded"),
        ("granted laid_out time_up stop ended collected", "Stopped", "Stopped"),
        ("granted laid_out died collected", "Failed", "Failed"),
        ("granted failed", "Failed", "Failed"),
        ("granted laid_out succeeded stop collected", "Stopped", "Stopped"),
    ],
)
def test_stories(story: str, status: str, secondary: str) -> None:
    state, found, now = "Starting", states.begin(100.0), 100.0
    for event in story.split():
        now += 2.0
        state = walk(states.TABLE, state, event).state
        found |= states.on_step(found, state, now, "it broke" if event in ("died", "failed") else "")
    assert (states.STATUS[state], found["SecondaryStatus"]) == (status, secondary)
    transitions = found["SecondaryStatusTransitions"]
    assert all(t["EndTime"] >= t["StartTime"] and t["StatusMessage"] for t in transitions)
    assert [a["EndTime"] for a in transitions[:-1]] == [b["StartTime"] for b in transitions[1:]]
    assert ("FailureReason" in found) == (status == "Failed")
    if "granted" in story:
        assert found["TrainingTimeInSeconds"] == found["BillableTimeInSeconds"] == round(now - 102.0)


def test_a_clock_that_was_set_back_bills_no_less_than_a_second() -> None:
    found = states.begin(100.0)
    found |= states.on_step(found, "Downloading", 100.0, "")
    found |= states.on_step(found, "Stopped", 50.0, "")
    assert found["TrainingTimeInSeconds"] == 1
