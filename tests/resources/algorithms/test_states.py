"""The tables of algorithms and model packages: their words are AWS's, and what each step tells of the jobs adds up."""

import re
from types import ModuleType
from typing import Any

import pytest

from tobo.kit.states import states_of, walk
from tobo.operations.validating import ITEMS, TRAINING, TRANSFORM, moved, planned, told
from tobo.resources.algorithms import states as algorithms
from tobo.resources.model_packages import states as packages
from tobo.wire.models import service_model

TERMINAL = {"Completed", "Failed"}
NOUNS = [(algorithms, "Algorithm"), (packages, "ModelPackage")]


def enum(name: str) -> set[str]:
    return set(service_model("sagemaker").shape_for(name).enum)


@pytest.mark.parametrize(("states", "noun"), NOUNS)
def test_statuses_are_the_models(states: ModuleType, noun: str) -> None:
    assert set(states.STATUS.values()) <= enum(f"{noun}Status")
    assert states_of(states.TABLE) == states.STATUS.keys()
    details = enum(f"Detailed{noun}Status")
    assert {"NotStarted", "InProgress", "Completed", "Failed"} == details


@pytest.mark.parametrize(("states", "noun"), NOUNS)
def test_every_working_state_can_fail_and_an_end_is_one(states: ModuleType, noun: str) -> None:
    for state in states.STATUS:
        assert ((state, "failed") in states.TABLE) == (state not in TERMINAL)
    assert not {state for state, _ in states.TABLE} & TERMINAL


@pytest.mark.parametrize(
    ("states", "stages", "story", "statuses"),
    [
        (algorithms, [TRAINING, TRANSFORM], "started", ["InProgress", "NotStarted"]),
        (algorithms, [TRAINING, TRANSFORM], "started trained", ["Completed", "InProgress"]),
        (algorithms, [TRAINING, TRANSFORM], "started trained validated", ["Completed", "Completed"]),
        (algorithms, [TRAINING, TRANSFORM], "failed", ["Failed", "NotStarted"]),
        (algorithms, [TRAINING, TRANSFORM], "started failed", ["Failed", "NotStarted"]),
        (algorithms, [TRAINING, TRANSFORM], "started trained failed", ["Completed", "Failed"]),
        (algorithms, [TRAINING], "started validated", ["Completed"]),
        (packages, [TRANSFORM], "", ["NotStarted"]),
        (packages, [TRANSFORM], "started", ["InProgress"]),
        (packages, [TRANSFORM], "started validated", ["Completed"]),
        (packages, [TRANSFORM], "failed", ["Failed"]),
    ],
)
def test_stories(states: ModuleType, stages: list[Any], story: str, statuses: list[str]) -> None:
    state, found = "Pending", planned("marbles", stages)
    for event in story.split():
        state = walk(states.TABLE, state, event).state
        found |= moved(found, state, "it broke" if event == "failed" else "")
    items = told(found)
    assert [item["Status"] for item in items] == statuses
    assert [item.get("FailureReason") for item in items if item["Status"] == "Failed"] == ["it broke"] * story.count(
        "failed"
    )
    assert not any("FailureReason" in item for item in items if item["Status"] != "Failed")


@pytest.mark.parametrize("name", ["marbles", "Marbles/12", "a" * 63, f"{'b' * 32}-{'c' * 30}", f"{'d' * 63}/123456789"])
def test_names_of_the_jobs_are_jobs_names_and_never_the_same(name: str) -> None:
    pattern = service_model("sagemaker").shape_for("TrainingJobName").metadata["pattern"]
    made = [item["Name"] for _ in range(2) for item in planned(name, [TRAINING, TRANSFORM])[ITEMS]]
    assert len(set(made)) == 4
    for job in made:
        assert re.fullmatch(pattern, job) and len(job) <= 63 and "-validation-tra" in job
        assert job.startswith(name.replace("/", "-")[:30])
