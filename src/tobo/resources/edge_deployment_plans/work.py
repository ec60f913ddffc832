"""What the controller does for a stage; each command is safe to repeat."""

from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.deploying import Deployment, record_deployment
from tobo.operations.edge import OPEN, STAGE, TOLD, device_arn, devices_of, is_newest, move, told_in
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.operations.nudging import nudge_devices
from tobo.resources.edge_deployment_plans import states
from tobo.resources.edge_deployment_plans.plan import KIND, deployment_name, policy_of, selected, stage_of
from tobo.resources.edge_deployment_plans.telling import already_there, bundles, tell
from tobo.store.base import Key, Row

LOOK_SECONDS = 5.0
"""An answer wakes its stage; this is for answers whose wake was lost, and for time-outs."""


def select(context: Context, row: Row) -> Outcome:
    """Chooses the devices, puts the bundles where they may read them, and writes what each is told."""
    plan = _plan(context, row)
    stage = stage_of(plan, row.asked["StageName"])
    fleet = plan.asked["DeviceFleetName"]
    devices = {device.asked["DeviceName"]: device for device in devices_of(context, row.key.space, fleet)}
    names = selected(stage, list(devices))
    if not names:
        raise Fault("ValidationException", f"The stage selects none of the {len(devices)} devices of '{fleet}'.")
    models = bundles(context, plan)
    already: dict[str, str] = {}
    for name in names:
        by = already_there(context, plan, devices[name])
        if by is not None:
            already[name] = by
        else:
            tell(context, plan, row, devices[name], models, policy_of(stage))
    return Happened("selected", {"_already": already})


def nudge(context: Context, row: Row) -> Outcome:
    """Tells those who have something new to poll at once; devices poll anyway."""
    nudge_devices(
        context, [told for told in told_in(context, row.key.space, deployment_name(row)) if told.state in OPEN]
    )
    return Done()


def watch(context: Context, row: Row) -> Outcome:
    """Until every device has answered, one has failed that must not, or time is up for the silent ones."""
    limit = context.settings.deployment_timeout_seconds
    now = context.clock.now()
    waiting = failed = total = 0
    due = LOOK_SECONDS
    for told in told_in(context, row.key.space, deployment_name(row)):
        total += 1
        late = told.state == "Waiting" and now - told.created >= limit
        if late and not move(context, told, "timed_out", f"The device did not answer within {limit:g} s."):
            return Again(0.05)  # it has answered at the last moment
        if told.state == "Waiting" and not late:
            waiting += 1
            due = min(due, told.created + limit - now)
        failed += late or told.status == "FAILED"
    message = f"{failed} of {total} devices failed; ListStageDevices says why." if failed else ""
    if failed and _policy(context, row) == "ROLLBACK_ON_FAILURE":
        return Happened("broken", message=f"{message} The others go back.")
    if waiting:
        return Again(max(due, 0.05))
    return Happened("finished", message=message) if failed else Happened("deployed")


def undeploy(context: Context, row: Row) -> Outcome:
    """Who has deployed goes back, unless it has been given something newer; who has not is told nothing any more."""
    for told in told_in(context, row.key.space, deployment_name(row)):
        if told.state != "Deployed" or is_newest(context, told):
            move(context, told, "undeploy", "Another device of the stage failed.")
    return Done()


def watch_back(context: Context, row: Row) -> Outcome:
    """Until all have gone back. A silent device's command stays open: it goes back when it is there again."""
    rows = list(told_in(context, row.key.space, deployment_name(row)))
    open_ones = [told for told in rows if told.state == "RollingBack"]
    late = context.clock.now() - context.settings.deployment_timeout_seconds
    if any(told.modified > late for told in open_ones):
        return Again(LOOK_SECONDS)
    back = sum(told.state == "RolledBack" for told in rows)
    failed = sum(told.status == "FAILED" for told in rows)
    message = f"{failed} of {len(rows)} devices failed, {back} went back"
    silent = f", {len(open_ones)} did not answer yet" if open_ones else ""
    return Happened("rolled_back", message=f"{message}{silent}; ListStageDevices says why.")


def withdraw(context: Context, row: Row) -> Outcome:
    """Who has not answered yet is told nothing any more."""
    for told in told_in(context, row.key.space, deployment_name(row)):
        move(context, told, "stop", "The stage was stopped.")
    return Done()


def halt(context: Context, row: Row) -> Outcome:
    """It has stopped."""
    return Happened("halted")


def record(context: Context, row: Row) -> Outcome:
    """A device has what it was told to have: in lineage, from its bundles to the device."""
    fleet, device, space = row.asked["DeviceFleetName"], row.asked["DeviceName"], row.key.space
    record_deployment(
        context,
        space,
        Deployment(
            name=f"{row.key.name}-{row.id}",
            models=[model["packaged"] for model in row.asked["Models"] if "packaged" in model],
            kind="Device",
            place_name=f"{fleet}-{device}",
            place_arn=device_arn(space, fleet, device),
        ),
    )
    return Done()


def _plan(context: Context, row: Row) -> Row:
    """A plan cannot be deleted while a stage of it is under way."""
    plan = context.store.get(Key(row.key.space, KIND, row.asked["EdgeDeploymentPlanName"]))
    assert plan is not None
    return plan


def _policy(context: Context, row: Row) -> str:
    return policy_of(stage_of(_plan(context, row), row.asked["StageName"]))


MACHINE = register(
    Machine(
        kind=STAGE,
        table=states.STAGE,
        statuses=states.STAGE_STATUS,
        commands=(select, nudge, watch, undeploy, watch_back, withdraw, halt),
        on_step=lambda row, step, now, message: states.stage_step(step.state, now, message, row.found),
    )
)

DEVICES = register(
    Machine(
        kind=TOLD,
        table=states.DEVICE,
        statuses=states.DEVICE_STATUS,
        commands=(record,),
        on_step=lambda row, step, now, message: states.device_step(step.state, message),
    )
)
