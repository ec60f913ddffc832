"""What a stage tells its devices: which bundles, from where, and who is not to be told."""

from collections.abc import Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault
from tobo.kit.s3_uri import parse_s3_uri
from tobo.objects.base import ObjectInfo
from tobo.operations.context import Context
from tobo.operations.edge import BUNDLES, TOLD, fleet_folder, move, told_to
from tobo.resources.edge_deployment_plans.plan import deployment_name
from tobo.resources.edge_deployment_plans.states import DEVICE_STATUS
from tobo.store.base import AlreadyExists, Event, Key, Row


def bundles(context: Context, plan: Row) -> list[dict[str, Any]]:
    """Of each model of the plan {handle, uri, sha1, sequence}; the bundle lies at `uri` then, named by its content.

    The fleet's own folder is what its devices' credentials may read, and there nothing is overwritten. Raises Fault where
    a bundle is gone, or is not the one that was packaged.
    """
    space = plan.key.space

    def ask(name: str, **members: str) -> Any:
        return context.as_house(space, "sagemaker", name, **members)

    fleet = plan.asked["DeviceFleetName"]
    location = ask("DescribeDeviceFleet", DeviceFleetName=fleet)["OutputConfig"]["S3OutputLocation"]
    found = []
    for model in plan.asked["ModelConfigs"]:
        job = ask("DescribeEdgePackagingJob", EdgePackagingJobName=model["EdgePackagingJobName"])
        uri = fleet_folder(location, fleet, BUNDLES, f"{job['_digest']}.tar.gz")
        packaged = parse_s3_uri(job["ModelArtifact"], "ModelArtifact")
        source = context.objects.head(space, packaged.bucket, packaged.key)
        if source.etag != job["_etag"]:
            raise Fault(
                "ValidationException",
                f"{packaged} is not what the edge packaging job '{model['EdgePackagingJobName']}' put there; package "
                "the model again.",
            )
        context.objects.copy(space, source, ObjectInfo(uri.bucket, uri.key, 0, "", 0.0, headers=source.headers))
        found.append(
            {
                "handle": model["ModelHandle"],
                "uri": str(uri),
                "packaged": job["ModelArtifact"],
                "sha1": job["_sha1"],
                "sequence": job["_sequence"],
                "name": job["ModelName"],
                "version": job["ModelVersion"],
            }
        )
    return found


def already_there(context: Context, plan: Row, device: Row) -> str | None:
    """The stage of this plan by which a device has the plan's models, and nothing newer; None where it has not.

    What it was told before it was registered, or changed, may have been another card's.
    """
    newest = next(told_to(context, plan.key.space, plan.asked["DeviceFleetName"], device.asked["DeviceName"]), None)
    if newest is None or newest.state != "Deployed" or newest.found["_plan"] != plan.id:
        return None
    return str(newest.asked["StageName"]) if newest.created >= device.modified else None


def tell(
    context: Context, plan: Row, stage: Row, device: Row, models: Sequence[Mapping[str, Any]], policy: str
) -> None:
    """Writes what a device is told, once; what it was told before counts no more. A downgrade fails at once."""
    space, now = plan.key.space, context.clock.now()
    fleet, name = plan.asked["DeviceFleetName"], device.asked["DeviceName"]
    refusal = _downgrade(context, device, models)
    state = "Failed" if refusal else "Waiting"
    row = Row(
        key=Key(space, TOLD, f"{deployment_name(stage)}/{name}"),
        arn=f"{device.arn}/deployment",
        asked={
            **stage.asked,
            **{member: device.asked[member] for member in ("Description",) if member in device.asked},
            "DeviceFleetName": fleet,
            "DeviceName": name,
            "FailureHandlingPolicy": policy,
            "Models": list(models),
        },
        found={"_plan": plan.id, "_message": refusal},
        status=DEVICE_STATUS[state],
        state=state,
        created=now,
        modified=now,
    )
    try:
        row = context.store.insert(row, Event(now, "told", state, refusal))
    except AlreadyExists:
        known = context.store.get(row.key)
        if known is None:
            return
        row = known
    for before in told_to(context, space, fleet, name):
        if before.id < row.id:
            move(context, before, "superseded", f"'{deployment_name(stage)}' has been given to the device since.")


def _downgrade(context: Context, device: Row, models: Sequence[Mapping[str, Any]]) -> str:
    """Why a device would refuse a model: what it has of that handle is newer. "" where it would not."""
    has: dict[str, Mapping[str, Any]] = {}
    for told in told_to(context, device.key.space, device.asked["DeviceFleetName"], device.asked["DeviceName"]):
        if told.state == "Deployed" and told.created >= device.modified:
            for model in told.asked["Models"]:
                has.setdefault(model["handle"], model)
    for model in models:
        newer = has.get(model["handle"])
        if newer is not None and newer["sequence"] > model["sequence"]:
            return (
                f"Downgrade: the device has bundle {newer['sequence']} of '{model['handle']}', which is newer than "
                f"{model['sequence']}; package the older model again to go back to it."
            )
    return ""
