"""tobo edge: devices enrolled, fleets looked at, stages deployed, a broker set up, the signing key rotated."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tobo.cli.client import REFUSED, fail, speaking
from tobo.cli.output import show, show_json, time_of, without_metadata
from tobo.settings import Settings

POLL_SECONDS = 0.5
MOVING = ("STARTING", "INPROGRESS", "STOPPING")

app = typer.Typer(help="Devices at the edge: enroll them, look at fleets, deploy.", no_args_is_help=True)

StateOption = Annotated[Path | None, typer.Option(help="The server's state folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
FleetArgument = Annotated[str, typer.Argument(help="The fleet's name.")]


@app.command()
def enroll(
    fleet: FleetArgument,
    device: Annotated[str, typer.Argument(help="The device's name.")],
    into: Annotated[Path, typer.Option(help="The folder that the device gets; made, readable by its owner only.")],
    target: Annotated[str, typer.Option(help="What its models are compiled for.")] = "rasp4b",
    host: Annotated[
        str | None, typer.Option(help="The name or address by which the device reaches this server.")
    ] = None,
    output: Annotated[str | None, typer.Option(help="s3://bucket/prefix of a new fleet.")] = None,
    authority: Annotated[Path | None, typer.Option(help="What the TLS server is checked against.")] = None,
    state: StateOption = None,
) -> None:
    """Makes a device of a fleet: thing, certificate and registration, and the folder with which it starts.

    The fleet is made where there is none. A device that is enrolled again gets a new certificate; its old ones are revoked.
    """
    from tobo.cli.enrollment import Wanted, enroll_device

    with speaking(state) as server:
        wanted = Wanted(fleet, device, target, into.expanduser().absolute(), host, output, authority)
        address = enroll_device(server, Settings.read(state=state).state, wanted)
    print(f"{device} of {fleet} is enrolled: copy {into} to it. Its credentials come from {address}.")


@app.command("list")
def list_fleets(as_json: JsonOption = False, state: StateOption = None) -> None:
    """Lists the fleets: devices, how many are connected, models."""
    with speaking(state) as server:
        sagemaker = server.client("sagemaker")
        pages = sagemaker.get_paginator("list_device_fleets").paginate()
        names = [one["DeviceFleetName"] for page in pages for one in page["DeviceFleetSummaries"]]
        reports = [without_metadata(sagemaker.get_device_fleet_report(DeviceFleetName=name)) for name in names]
    if as_json:
        show_json(reports)
        return
    rows = [
        (
            report["DeviceFleetName"],
            str(report["DeviceStats"]["RegisteredDeviceCount"]),
            str(report["DeviceStats"]["ConnectedDeviceCount"]),
            ", ".join(f"{model['ModelName']} {model['ModelVersion']}" for model in report["ModelStats"]),
        )
        for report in reports
    ]
    show(Console(highlight=False), ("fleet", "devices", "connected", "models"), rows)


@app.command()
def status(fleet: FleetArgument, as_json: JsonOption = False, state: StateOption = None) -> None:
    """Tells of each device of a fleet: last heartbeat, agent, models; and whose scores drift."""
    with speaking(state) as server:
        sagemaker = server.client("sagemaker")
        report = without_metadata(sagemaker.get_device_fleet_report(DeviceFleetName=fleet))
        pages = sagemaker.get_paginator("list_devices").paginate(DeviceFleetName=fleet)
        devices = sorted((one for page in pages for one in page["DeviceSummaries"]), key=lambda one: one["DeviceName"])
    if as_json:
        show_json({**report, "Devices": devices})
        return
    rows = [
        (
            one["DeviceName"],
            time_of(one.get("LatestHeartbeat")),
            one.get("AgentVersion", ""),
            ", ".join(f"{model['ModelName']} {model['ModelVersion']}" for model in one["Models"]),
        )
        for one in devices
    ]
    console = Console(highlight=False)
    show(console, ("device", "heartbeat", "agent", "models"), rows)
    if report.get("Description"):
        print(report["Description"])


@app.command()
def deploy(
    plan: Annotated[str, typer.Argument(help="The edge deployment plan.")],
    stage: Annotated[
        str | None, typer.Option(help="Only this stage; else all that are left, one after another.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Starts stages of a plan and follows each to its end; exits 1 at the first that does not end DEPLOYED."""
    with speaking(state) as server:
        sagemaker = server.client("sagemaker")
        stages = sagemaker.describe_edge_deployment_plan(EdgeDeploymentPlanName=plan)["Stages"]
        names = [one["StageName"] for one in stages if one["DeploymentStatus"]["StageStatus"] != "DEPLOYED"]
        for name in names if stage is None else [stage]:
            sagemaker.start_edge_deployment_stage(EdgeDeploymentPlanName=plan, StageName=name)
            ended = _follow(sagemaker, plan, name)
            print(f"{name} is {_told(ended)}")
            if ended["StageStatus"] != "DEPLOYED":
                raise typer.Exit(REFUSED)


@app.command()
def broker(
    into: Annotated[Path, typer.Option(help="The folder for mosquitto's files; made.")],
    host: Annotated[str, typer.Option(help="The name or address by which devices reach the broker.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8883,
    state: StateOption = None,
) -> None:
    """Writes a configuration for mosquitto: TLS, certificates of the devices' authority, a topic for each device."""
    from tobo.cli.broker import write_broker
    from tobo.gateway.account import first_account

    settings = first_account(Settings.read(state=state))
    assert settings.account_id is not None
    file = write_broker(into.expanduser().absolute(), settings.state, settings.account_id, host, port)
    print(f"Start the broker with `mosquitto -c {file}`, and the server with TOBO_MQTT=mqtts://{host}:{port}.")


@app.command("rotate-key")
def rotate_key(state: StateOption = None) -> None:
    """Draws a new key that signs bundles from now on; devices trust it once they have asked for their registration."""
    from tobo.gateway.account import first_account
    from tobo.operations.signing import public_keys, rotate

    settings = first_account(Settings.read(state=state))
    assert settings.account_id is not None
    rotate(settings.state, settings.account_id)
    print(
        f"A new key signs; bundles of {len(public_keys(settings.state, settings.account_id)) - 1} older ones are trusted, too."
    )


def _follow(sagemaker: Any, plan: str, stage: str) -> dict[str, Any]:
    """The DeploymentStatus of a stage once it is over."""
    with Console(stderr=True).status(f"Deploying {stage}"):
        while True:
            stages = sagemaker.describe_edge_deployment_plan(EdgeDeploymentPlanName=plan)["Stages"]
            found = next((one["DeploymentStatus"] for one in stages if one["StageName"] == stage), None)
            if found is None:
                fail(f"The stage {stage} was deleted.")
            if found["StageStatus"] not in MOVING:
                return dict(found)
            time.sleep(POLL_SECONDS)


def _told(ended: dict[str, Any]) -> str:
    counts = ", ".join(
        f"{ended[f'EdgeDeployment{what}InStage']} {word}"
        for what, word in (("Success", "deployed"), ("Pending", "pending"), ("Failed", "failed"))
    )
    message = ended.get("EdgeDeploymentStatusMessage", "")
    return f"{ended['StageStatus']}: {counts}. {message}".rstrip()
