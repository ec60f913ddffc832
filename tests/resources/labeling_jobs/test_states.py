"""The table of labelling jobs: its words are AWS's, every state has a way out, and learning that fails loses no answer."""

import pytest

from tobo.kit.states import states_of, walk
from tobo.resources.labeling_jobs import states
from tobo.wire.models import service_model


def test_the_states_are_aws_statuses() -> None:
    assert states_of(states.TABLE) == states.STATUS.keys()
    assert set(states.STATUS.values()) == set(service_model("sagemaker").shape_for("LabelingJobStatus").enum)
    left = {state for state, _ in states.TABLE}
    assert states_of(states.TABLE) - left == states.TERMINAL
    assert all((state, "failed") in states.TABLE for state in left)
    assert all((state, "stop") in states.TABLE for state in left if states.STATUS[state] != "Stopping")


@pytest.mark.parametrize(
    ("story", "ended", "trouble"),
    [
        ("loaded finished written", "Completed", False),
        ("learning computed planned answered planned finished learned exported", "Completed", False),
        ("learning vanished computed vanished planned finished written", "Completed", False),
        ("learning computed died finished written", "Completed", True),
        ("learning computed planned answered failed finished learned died", "Completed", True),
        ("learning died", "Failed", False),
        ("learning stop", "Stopped", False),
        ("learning computed planned answered stop written", "Stopped", False),
        ("learning computed planned finished learned stop", "Stopped", False),
    ],
)
def test_stories(story: str, ended: str, trouble: bool) -> None:
    state, found, written = "Initializing", dict[str, object](), False
    for event in story.split():
        step = walk(states.TABLE, state, event)
        state, written = step.state, written or "write_output" in step.commands
        found |= states.on_step(found, state, "it broke" if event in ("died", "failed") else "")
    assert state == ended and ("_trouble" in found) == trouble
    assert written == ("computed" in story or "loaded" in story)
    assert found.get("FailureReason") == ("it broke" if ended == "Failed" else None)
