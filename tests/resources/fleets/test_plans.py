"""Deployment plans: from a packaged model to devices that have it, and each way in which that can go wrong."""

from tests.support.fleets import Fleet


def test_a_stage_deploys_what_was_packaged(fleet: Fleet) -> None:
    fleet.register("cam-1", "cam-2")
    plan = fleet.plan()
    assert fleet.status(plan)["StageStatus"] == "READYTODEPLOY"
    assert fleet.told("cam-1") is None
    fleet.start(plan)
    command = fleet.await_command("cam-1")
    assert command["Type"] == "Model" and command["Definitions"][0]["ModelHandle"] == "marbles"
    assert fleet.told("cam-1") == command
    for name in ("cam-1", "cam-2"):
        fleet.answer(name, fleet.await_command(name))
    status = fleet.await_status(plan, "DEPLOYED")
    assert (status["EdgeDeploymentSuccessInStage"], status["EdgeDeploymentPendingInStage"]) == (2, 0)
    assert fleet.told("cam-1") is None
    assert {one["DeviceDeploymentStatus"] for one in fleet.devices(plan).values()} == {"DEPLOYED"}
