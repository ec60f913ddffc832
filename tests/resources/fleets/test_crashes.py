"""kill -9 of the server in the middle of packaging and of a stage: the next one goes on where it was."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.resources.fleets.test_packaging import fetched, verified
from tests.support.fleets import Fleet, compiled_archive, stage
from tests.support.processes import until

LARGE = {"model.onnx": os.urandom(24 << 20)}


@pytest.fixture
def fleet(fresh_server: Callable[..., Server]) -> Fleet:
    return Fleet(fresh_server())


def large_compilation(fleet: Fleet) -> str:
    """The name of a compilation whose packaging takes a while."""
    small = fleet.compile_by_hand()
    archive = compiled_archive({"compiled.json": _card(fleet, small), **LARGE})
    fleet.s3.put_object(Bucket=fleet.bucket, Key=f"compiled/{small}-rasp4b.tar.gz", Body=archive)
    return small


def _card(fleet: Fleet, compilation: str) -> bytes:
    import io
    import tarfile

    body = fleet.s3.get_object(Bucket=fleet.bucket, Key=f"compiled/{compilation}-rasp4b.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        member = archive.extractfile("compiled.json")
        assert member is not None
        return member.read()


def test_in_mid_packaging(fleet: Fleet, tmp_path: Path) -> None:
    compilation = large_compilation(fleet)
    work = fleet.server.state / "edge" / "packaging"
    jobs = []
    for version in ("1.0", "2.0", "3.0"):
        jobs.append(fleet.start_packaging(version, compilation=compilation))
        until(lambda: work.is_dir() and any(work.iterdir()))
        fleet.restart()
    manifests = [verified(fleet, fetched(fleet, job, tmp_path)) for job in jobs]
    assert [manifest.version for manifest in manifests] == ["1.0", "2.0", "3.0"]
    numbers = [manifest.sequence for manifest in manifests]
    assert numbers == sorted(set(numbers))
    until(lambda: not any(work.iterdir()))


def test_while_devices_are_told(fleet: Fleet) -> None:
    names = [f"cam-{number:03}" for number in range(80)]
    fleet.register(*names)
    plan = fleet.plan()
    fleet.start(plan)
    until(lambda: fleet.told(names[0]) is not None)
    fleet.restart()
    fleet.await_status(plan, "INPROGRESS")
    assert fleet.devices(plan).keys() == set(names)
    for name in names:
        fleet.answer(name, fleet.told(name))
    assert fleet.await_status(plan, "DEPLOYED")["EdgeDeploymentSuccessInStage"] == len(names)


def test_while_devices_deploy_and_go_back(fleet: Fleet) -> None:
    fleet.register("cam-1", "cam-2", "cam-3")
    plan = fleet.plan(stage("all", policy="ROLLBACK_ON_FAILURE"))
    fleet.start(plan)
    fleet.answer("cam-1", fleet.await_command("cam-1"))
    fleet.restart()
    command = fleet.await_command("cam-2")
    fleet.answer("cam-2", command, "FAIL")
    fleet.restart()
    undo = fleet.await_command("cam-1", "UNDEPLOY")
    fleet.restart()
    assert fleet.told("cam-1") == undo
    fleet.answer("cam-1", undo)
    status = fleet.await_status(plan, "FAILED")
    assert "1 went back" in status["EdgeDeploymentStatusMessage"]
