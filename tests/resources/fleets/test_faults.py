"""What goes wrong in the middle of a stage: failing, silent, lying and vanishing devices, and what becomes of the others."""

from collections.abc import Callable

from tests.conftest import Server
from tests.support.fleets import Fleet, stage
from tests.support.processes import until


def statuses(fleet: Fleet, plan: str) -> dict[str, str]:
    return {name: one["DeviceDeploymentStatus"] for name, one in fleet.devices(plan).items()}


def message(fleet: Fleet, plan: str, device: str) -> str:
    return str(fleet.devices(plan)[device].get("DeviceDeploymentStatusMessage", ""))


def started(fleet: Fleet, *devices: str, policy: str = "DO_NOTHING") -> str:
    """A plan whose stage waits for the devices."""
    fleet.register(*devices)
    plan = fleet.plan(stage("all", policy=policy))
    fleet.start(plan)
    fleet.await_command(devices[0])
    fleet.await_status(plan, "INPROGRESS")
    return plan


def test_one_fails_and_the_others_keep_it(fleet: Fleet) -> None:
    plan = started(fleet, "cam-1", "cam-2")
    fleet.answer("cam-1", fleet.told("cam-1"), "FAIL", "the probe did not pass")
    fleet.answer("cam-2", fleet.told("cam-2"))
    status = fleet.await_status(plan, "FAILED")
    assert status["EdgeDeploymentStatusMessage"].startswith("1 of 2 devices failed")
    assert statuses(fleet, plan) == {"cam-1": "FAILED", "cam-2": "DEPLOYED"}
    assert message(fleet, plan, "cam-1") == "the probe did not pass"
    assert fleet.told("cam-2") is None


def test_one_fails_and_the_others_go_back(fleet: Fleet) -> None:
    plan = started(fleet, "cam-1", "cam-2", "cam-3", policy="ROLLBACK_ON_FAILURE")
    first = fleet.told("cam-1")
    fleet.answer("cam-1", first)
    late = fleet.told("cam-3")
    fleet.answer("cam-2", fleet.told("cam-2"), "FAIL", "no space")
    undo = fleet.await_command("cam-1", "UNDEPLOY")
    assert undo["Definitions"][0]["S3Url"] == first["Definitions"][0]["S3Url"]
    assert fleet.told("cam-3") is None
    fleet.answer("cam-1", first)  # a replayed answer to the deployment is none to the roll-back
    assert fleet.told("cam-1") == undo
    fleet.answer("cam-1", undo)
    status = fleet.await_status(plan, "FAILED")
    assert "1 of 3 devices failed, 1 went back" in status["EdgeDeploymentStatusMessage"]
    assert statuses(fleet, plan) == {"cam-1": "STOPPED", "cam-2": "FAILED", "cam-3": "STOPPED"}
    assert message(fleet, plan, "cam-1").startswith("RolledBack: ")
    fleet.answer("cam-3", late)  # it had begun, and ends too late
    late_undo = fleet.await_command("cam-3", "UNDEPLOY")
    fleet.answer("cam-3", late_undo)
    assert fleet.told("cam-3") is None and statuses(fleet, plan)["cam-3"] == "STOPPED"


def test_a_device_that_cannot_go_back(fleet: Fleet) -> None:
    plan = started(fleet, "cam-1", "cam-2", policy="ROLLBACK_ON_FAILURE")
    fleet.answer("cam-1", fleet.told("cam-1"))
    fleet.answer("cam-2", fleet.told("cam-2"), "FAIL")
    fleet.answer("cam-1", fleet.await_command("cam-1", "UNDEPLOY"), "FAIL", "the other slot is empty")
    fleet.await_status(plan, "FAILED")
    assert statuses(fleet, plan) == {"cam-1": "FAILED", "cam-2": "FAILED"}
    assert message(fleet, plan, "cam-1") == "the other slot is empty"


def test_a_device_goes_back_by_itself_later(fleet: Fleet) -> None:
    plan = started(fleet, "cam-1")
    command = fleet.told("cam-1")
    fleet.answer("cam-1", command)
    fleet.await_status(plan, "DEPLOYED")
    fleet.answer("cam-1", command, "FAIL", "unhealthy after 50 decisions")
    assert statuses(fleet, plan) == {"cam-1": "FAILED"}
    fleet.answer("cam-1", command)
    assert statuses(fleet, plan) == {"cam-1": "FAILED"}


def test_a_device_answers_for_another_one(fleet: Fleet) -> None:
    plan = started(fleet, "cam-1", "cam-2")
    other = Fleet(fleet.server)
    other.register("cam-1", "cam-9")
    command = fleet.told("cam-1")
    other.answer("cam-1", command)  # of another fleet, by the same name
    other.answer("cam-9", command)
    fleet.answer("cam-2", {"DeploymentName": "never-told-1-1"})
    assert statuses(fleet, plan) == {"cam-1": "INPROGRESS", "cam-2": "INPROGRESS"}


def test_a_stage_whose_selection_matches_nothing(fleet: Fleet) -> None:
    fleet.register("cam-1")
    plan = fleet.plan(stage("all", DeviceSubsetType="NAMECONTAINS", DeviceNameContains="belt"))
    fleet.start(plan)
    status = fleet.await_status(plan, "FAILED")
    assert "selects none of the 1 devices" in status["EdgeDeploymentStatusMessage"]
    fleet.register("belt-1")
    fleet.start(plan)
    fleet.answer("belt-1", fleet.await_command("belt-1"))
    fleet.await_status(plan, "DEPLOYED")


def test_a_stage_is_stopped_and_started_again(fleet: Fleet) -> None:
    plan = started(fleet, "cam-1", "cam-2")
    old = fleet.told("cam-2")
    fleet.answer("cam-1", fleet.told("cam-1"))
    fleet.sagemaker.stop_edge_deployment_stage(EdgeDeploymentPlanName=plan, StageName="all")
    fleet.await_status(plan, "STOPPED")
    assert statuses(fleet, plan) == {"cam-1": "DEPLOYED", "cam-2": "STOPPED"}
    assert fleet.told("cam-2") is None
    fleet.start(plan)
    command = fleet.await_command("cam-2")
    assert command["DeploymentName"] != old["DeploymentName"]
    assert fleet.told("cam-1") is None
    fleet.answer("cam-2", command)
    assert fleet.await_status(plan, "DEPLOYED")["EdgeDeploymentSuccessInStage"] == 2


def test_a_stage_starts_again_for_devices_that_joined_or_were_changed(fleet: Fleet) -> None:
    plan = started(fleet, "cam-1", "cam-2")
    for name in ("cam-1", "cam-2"):
        fleet.answer(name, fleet.await_command(name))
    fleet.await_status(plan, "DEPLOYED")
    fleet.start(plan)  # nobody is left
    fleet.await_status(plan, "DEPLOYED")
    fleet.register("cam-3")
    fleet.sagemaker.update_devices(DeviceFleetName=fleet.name, Devices=[{"DeviceName": "cam-2", "Description": "new"}])
    fleet.start(plan)
    for name in ("cam-2", "cam-3"):
        fleet.answer(name, fleet.await_command(name))
    assert fleet.told("cam-1") is None
    assert fleet.await_status(plan, "DEPLOYED")["EdgeDeploymentSuccessInStage"] == 3


def test_something_newer_takes_the_place_of_what_a_device_has_not_answered(fleet: Fleet) -> None:
    first = started(fleet, "cam-1", "cam-2", policy="ROLLBACK_ON_FAILURE")
    old = fleet.told("cam-1")
    fleet.answer("cam-2", fleet.told("cam-2"))
    second = fleet.plan(stage("all"), job=fleet.package("2.0"))
    fleet.start(second)
    until(lambda: fleet.told("cam-1")["DeploymentName"] != old["DeploymentName"])
    fleet.await_status(first, "FAILED")
    assert message(fleet, first, "cam-1").startswith("Superseded: ")
    # who had deployed the first one is not sent back from the second one
    assert fleet.await_command("cam-2")["DeploymentName"] == fleet.told("cam-1")["DeploymentName"]
    for name in ("cam-1", "cam-2"):
        fleet.answer(name, fleet.await_command(name))
    fleet.await_status(second, "DEPLOYED")
    assert fleet.told("cam-1") is None and fleet.told("cam-2") is None


def test_a_downgrade_fails_before_a_device_is_told(fleet: Fleet) -> None:
    fleet.register("cam-1")
    older, newer = fleet.package("1.0"), fleet.package("2.0")
    plan = fleet.plan(job=newer)
    fleet.start(plan)
    fleet.answer("cam-1", fleet.await_command("cam-1"))
    fleet.await_status(plan, "DEPLOYED")
    back = fleet.plan(job=older)
    fleet.start(back)
    fleet.await_status(back, "FAILED")
    assert message(fleet, back, "cam-1").startswith("Downgrade: ")
    assert fleet.told("cam-1") is None


def test_a_device_is_deregistered_meanwhile(fleet: Fleet) -> None:
    plan = started(fleet, "cam-1")
    fleet.sagemaker.deregister_devices(DeviceFleetName=fleet.name, DeviceNames=["cam-1"])
    fleet.await_status(plan, "FAILED")
    assert "was deregistered" in message(fleet, plan, "cam-1")


def test_a_bundle_that_was_overwritten_is_not_deployed(fleet: Fleet) -> None:
    fleet.register("cam-1")
    job = fleet.package("1.0")
    plan = fleet.plan(job=job)
    fleet.s3.put_object(Bucket=fleet.bucket, Key="bundles/marbles-1.0.tar.gz", Body=b"another one")
    fleet.start(plan)
    status = fleet.await_status(plan, "FAILED")
    assert "package the model again" in status["EdgeDeploymentStatusMessage"]
    assert fleet.told("cam-1") is None


def test_a_device_that_never_answers(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_DEPLOYMENT_TIMEOUT_SECONDS="1")
    fleet = Fleet(server)
    plan = started(fleet, "cam-1")
    command = fleet.told("cam-1")
    fleet.await_status(plan, "FAILED")
    assert statuses(fleet, plan) == {"cam-1": "FAILED"}
    assert message(fleet, plan, "cam-1") == "TimedOut: The device did not answer within 1 s."
    assert fleet.told("cam-1") is None
    fleet.answer("cam-1", command)  # it was only offline: the truth is shown
    assert statuses(fleet, plan) == {"cam-1": "DEPLOYED"}


def test_silence_takes_the_others_back_and_a_late_answer_itself(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_DEPLOYMENT_TIMEOUT_SECONDS="2")
    fleet = Fleet(server)
    plan = started(fleet, "cam-1", "cam-2", policy="ROLLBACK_ON_FAILURE")
    silent = fleet.told("cam-2")
    fleet.answer("cam-1", fleet.told("cam-1"))
    fleet.answer("cam-1", fleet.await_command("cam-1", "UNDEPLOY"))
    fleet.await_status(plan, "FAILED")
    assert message(fleet, plan, "cam-2").startswith("TimedOut: ")
    fleet.answer("cam-2", silent)
    fleet.answer("cam-2", fleet.await_command("cam-2", "UNDEPLOY"))
    assert statuses(fleet, plan) == {"cam-1": "STOPPED", "cam-2": "STOPPED"}
