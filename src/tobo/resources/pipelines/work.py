"""What the controller does for an execution: one look at all its steps, again and again; safe to repeat at any point."""

from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.resources.pipelines import states
from tobo.resources.pipelines.api import EXECUTION
from tobo.resources.pipelines.run import Run
from tobo.resources.pipelines.running import begin, follow, planned, stop
from tobo.store.base import Row

POLL_SECONDS = 0.2
"""Between two looks at what runs."""

PATIENT_SECONDS = 2.0
"""Where nothing but people is waited for, which may take days."""


def join_trial(context: Context, row: Row) -> Outcome:
    """The experiment and the trial that the jobs of the steps are recorded in, made where they are not there."""
    run, config = Run.of(context, row), row.asked.get("_experiment", {})
    if config:
        experiment, trial = config["ExperimentName"], config["TrialName"]
        _make_sure(run, "Experiment", experiment)
        _make_sure(run, "Trial", trial, ExperimentName=experiment)
    return Done()


def run_steps(context: Context, row: Row) -> Outcome:
    """Follows what runs, begins what is planned, and plans what can begin; after a failure only what runs goes on."""
    run = Run.of(context, row)
    before = [dict(record) for record in run.records]
    for record in run.running():
        if "_name" in record:
            follow(run, record)
        elif "Callback" not in record["Metadata"]:
            begin(run, record)
    running = run.running()
    failed = [record for record in run.records if record["StepStatus"] in ("Failed", "Stopped")]
    new = [] if failed else [planned(run, step) for step in run.ready()[: max(_width(row) - len(running), 0)]]
    if new:
        run.records += new
        return Again(0.0, run.found)
    if running:
        seconds = POLL_SECONDS if any(not run.waits_for_people(record) for record in running) else PATIENT_SECONDS
        return Again(seconds, run.found if run.records != before else None)
    if failed:
        first = failed[0]
        reason = first.get("FailureReason") or f"it was {first['StepStatus'].lower()}"
        return Happened("failed", run.found, f"Step failure: the step '{first['StepName']}' failed: {reason}")
    return Happened("succeeded", run.found)


def stop_steps(context: Context, row: Row) -> Outcome:
    """Until nothing runs any more."""
    run = Run.of(context, row)
    before = [dict(record) for record in run.records]
    for record in run.running():
        stop(run, record)
    if not run.running():
        return Happened("stopped", run.found)
    return Again(POLL_SECONDS, run.found if run.records != before else None)


def _width(row: Row) -> int:
    width: int = row.asked.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps", 50)
    return width


def _make_sure(run: Run, noun: str, name: str, **more: str) -> None:
    try:
        run.sagemaker(f"Describe{noun}", **{f"{noun}Name": name})
    except Fault:
        run.sagemaker(f"Create{noun}", **{f"{noun}Name": name}, **more)


MACHINE = register(
    Machine(
        kind=EXECUTION,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(run_steps, stop_steps, join_trial),
        on_step=lambda row, step, now, message: states.on_step(step.state, message),
    )
)
