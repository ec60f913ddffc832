"""The state tables against AWS's words, and what must hold whatever happens."""

from itertools import product

from tobo.kit.states import states_of
from tobo.operations.edge import OPEN
from tobo.resources.edge_deployment_plans import states as deployment
from tobo.resources.edge_packaging_jobs import states as packaging
from tobo.wire.models import service_model


def words(shape: str) -> set[str]:
    return set(service_model("sagemaker").shape_for(shape).enum)  # type: ignore[attr-defined]


def test_every_state_has_a_status_of_aws() -> None:
    for table, statuses, shape in (
        (packaging.TABLE, packaging.STATUS, "EdgePackagingJobStatus"),
        (deployment.STAGE, deployment.STAGE_STATUS, "StageStatus"),
        (deployment.DEVICE, deployment.DEVICE_STATUS, "DeviceDeploymentStatus"),
    ):
        assert states_of(table) == statuses.keys(), shape
        assert set(statuses.values()) <= words(shape), shape


def test_whatever_is_under_way_can_be_stopped_and_can_fail() -> None:
    for table, over in ((packaging.TABLE, packaging.TERMINAL), (deployment.STAGE, deployment.IDLE)):
        for state in states_of(table) - over:
            assert (state, "stop") in table and (state, "failed") in table, state


def test_what_is_over_has_nothing_left_to_do_but_to_clean_up() -> None:
    for step in deployment.STAGE.values():
        if step.state in deployment.IDLE:
            assert set(step.commands) <= {"withdraw"}
    for step in packaging.TABLE.values():
        if step.state in packaging.TERMINAL:
            assert step.commands in (("clean",), ("clean", "record"))


def test_an_answer_counts_once_and_only_to_what_was_asked() -> None:
    """No answer to a deployment ends a roll-back, none to a roll-back a deployment, and none changes what it led to."""
    for state, event in product(states_of(deployment.DEVICE), ("succeeded", "failed")):
        step = deployment.DEVICE.get((state, event))
        assert step is None or (state != "RollingBack" and (step.state, event) not in deployment.DEVICE)
    undone = {state for state, event in deployment.DEVICE if event in ("undone", "undo_failed")}
    assert undone == {"RollingBack"}


def test_what_is_open_ends_when_something_newer_comes() -> None:
    for state in OPEN:
        assert deployment.DEVICE[state, "superseded"].state not in OPEN


def test_a_late_success_under_roll_back_goes_back() -> None:
    for state in ("Withdrawn", "Abandoned"):
        assert deployment.DEVICE[state, "succeeded"].state == "RollingBack"
