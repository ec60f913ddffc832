"""tobo edge as a user runs it: a device enrolled, its folder used, a plan deployed, a key rotated."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.cli.test_commands import tobo
from tests.conftest import Server
from tests.support.fleets import Fleet, client, stage

from tobo.operations.signing import public_keys


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environment = {"TOBO_TLS_PORT": "0"}
    server = Server(tmp_path_factory.mktemp("edge") / "state", environment)
    try:
        yield server.start()
    finally:
        server.end()


@pytest.fixture
def fleet(served: Server) -> Fleet:
    return Fleet(served)


def edge(fleet: Fleet, *arguments: str) -> str:
    """What `tobo edge` prints."""
    ran = tobo("edge", *arguments, "--state", str(fleet.server.state))
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def credentials(folder: Path) -> tuple[int, Any]:
    """As the device asks for them, with nothing but its folder."""
    card = json.loads((folder / "device.json").read_text())
    address = urlsplit(card["credentials"])
    trust = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    trust.load_cert_chain(folder / "device.pem", folder / "device.key")
    connection = http.client.HTTPSConnection(address.hostname or "", address.port, context=trust, timeout=10)
    try:
        connection.request("GET", address.path, headers={"x-amzn-iot-thingname": card["thing"]})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_an_enrolled_device_has_what_it_needs(fleet: Fleet, tmp_path: Path) -> None:
    folder = tmp_path / "enrolled"
    told = edge(fleet, "enroll", fleet.name, "cam-1", "--into", str(folder), "--target", "rasp4b")
    assert "is enrolled" in told
    card = json.loads((folder / "device.json").read_text())
    address = card["endpoint"]
    assert card == {
        "format": 1,
        "account": fleet.server.account,
        "region": "us-east-1",
        "fleet": fleet.name,
        "device": "cam-1",
        "target": "rasp4b",
        "endpoint": address,
        "credentials": f"{address}/role-aliases/SageMakerEdge-{fleet.name}/credentials",
        "thing": f"{fleet.name}:cam-1",
        "mqtt": None,
    }
    assert address.startswith("https://127.0.0.1:")
    assert (folder / "device.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "signing.pem").read_text().count("BEGIN PUBLIC KEY") >= 1
    assert credentials(folder)[0] == 200
    device = fleet.sagemaker.describe_device(DeviceName="cam-1", DeviceFleetName=fleet.name)
    assert device["IotThingName"] == card["thing"]


def test_the_whole_door_is_open_over_tls_with_the_devices_credentials(fleet: Fleet, tmp_path: Path) -> None:
    folder = tmp_path / "enrolled"
    edge(fleet, "enroll", fleet.name, "cam-1", "--into", str(folder))
    _, answer = credentials(folder)
    found = answer["credentials"]
    device = client(
        fleet.server,
        "sagemaker-edge",
        endpoint_url=json.loads((folder / "device.json").read_text())["endpoint"],
        verify=str(folder / "authority.pem"),
        aws_access_key_id=found["accessKeyId"],
        aws_secret_access_key=found["secretAccessKey"],
        aws_session_token=found["sessionToken"],
    )
    assert device.get_deployments(DeviceName="cam-1", DeviceFleetName=fleet.name)["Deployments"] == []


def test_enrolling_again_revokes_the_old_certificate(fleet: Fleet, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        edge(fleet, "enroll", fleet.name, "cam-1", "--into", str(folder))
    assert (credentials(old)[0], credentials(new)[0]) == (403, 200)


def test_a_fleet_is_made_where_there_is_none(fleet: Fleet, tmp_path: Path) -> None:
    name = f"{fleet.name}-new"
    edge(fleet, "enroll", name, "cam-1", "--into", str(tmp_path / "x"), "--output", f"s3://{name}/home")
    made = fleet.sagemaker.describe_device_fleet(DeviceFleetName=name)
    assert made["OutputConfig"] == {"S3OutputLocation": f"s3://{name}/home"}
    assert fleet.s3.list_objects_v2(Bucket=name)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "192.0.2.7.invalid"), "does not answer as it should"),
        (("--authority", "/nowhere.pem"), "/nowhere.pem cannot be read"),
    ],
)
def test_enrolments_that_end_with_a_sentence(
    fleet: Fleet, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    state = ("--state", str(fleet.server.state))
    ran = tobo("edge", "enroll", fleet.name, "cam-1", "--into", str(tmp_path / "x"), *arguments, *state)
    assert ran.returncode == 1 and said in ran.stderr and "Traceback" not in ran.stderr


def test_names_that_are_too_long_for_a_certificate(fleet: Fleet, tmp_path: Path) -> None:
    ran = tobo("edge", "enroll", "f" * 40, "d" * 40, "--into", str(tmp_path), "--state", str(fleet.server.state))
    assert ran.returncode == 1 and "longer than 64" in ran.stderr


def test_fleets_and_devices_are_shown(fleet: Fleet) -> None:
    fleet.register("cam-1", "cam-2")
    fleet.beat("cam-2", Models=[{"ModelName": "marbles", "ModelVersion": "1.0"}])
    lines = [line.split("\t") for line in edge(fleet, "list").splitlines()]
    assert [fleet.name, "2", "1", "marbles 1.0"] in lines
    rows = [line.split("\t") for line in edge(fleet, "status", fleet.name).splitlines()]
    assert rows[0] == ["cam-1", "", "", ""] and rows[1][0] == "cam-2" and rows[1][2:] == ["1.0", "marbles 1.0"]
    report = json.loads(edge(fleet, "status", fleet.name, "--json"))
    assert report["DeviceStats"] == {"ConnectedDeviceCount": 1, "RegisteredDeviceCount": 2}


def test_a_plan_is_deployed_stage_by_stage(fleet: Fleet) -> None:
    fleet.register("cam-1", "cam-2")
    plan = fleet.plan(stage("first", 50), stage("all"))
    over = threading.Event()

    def answer() -> None:
        while not over.is_set():
            for device in ("cam-1", "cam-2"):
                if (command := fleet.told(device)) is not None:
                    fleet.answer(device, command)
            time.sleep(0.05)

    answering = threading.Thread(target=answer)
    answering.start()
    try:
        told = edge(fleet, "deploy", plan)
    finally:
        over.set()
        answering.join()
    assert told.splitlines() == [
        "first is DEPLOYED: 1 deployed, 0 pending, 0 failed.",
        "all is DEPLOYED: 2 deployed, 0 pending, 0 failed.",
    ]


def test_a_stage_that_fails_ends_the_command(fleet: Fleet) -> None:
    plan = fleet.plan()
    ran = tobo("edge", "deploy", plan, "--state", str(fleet.server.state))
    assert ran.returncode == 1 and "all is FAILED" in ran.stdout and "selects none" in ran.stdout


def test_the_key_is_rotated(fleet: Fleet) -> None:
    state, account = fleet.server.state, fleet.server.account
    before = public_keys(state, account)
    edge(fleet, "rotate-key")
    after = public_keys(state, account)
    assert after[1:] == before and after[0] not in before
