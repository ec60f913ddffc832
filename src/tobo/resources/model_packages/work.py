"""What the controller does for a model package: the job of its validation; each command is safe to repeat."""

from tobo.operations import validating
from tobo.operations.context import Context
from tobo.operations.machine import Happened, Machine, Outcome, register
from tobo.operations.validating import TRANSFORM, clean
from tobo.resources.model_packages import states
from tobo.resources.model_packages.groups import PACKAGE
from tobo.store.base import Row


def transform(context: Context, row: Row) -> Outcome:
    """The profile's transform job, with a model of the package's container: the package itself is not Completed yet."""
    [container] = row.asked["InferenceSpecification"]["Containers"]
    validating.create_transform_job(context, row, container)
    return Happened("started")


def await_transform(context: Context, row: Row) -> Outcome:
    """Follows the transform job."""
    return validating.follow(context, row, TRANSFORM, "validated")


MACHINE = register(
    Machine(
        kind=PACKAGE,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(transform, await_transform, clean),
        on_step=lambda row, step, now, message: validating.moved(row.found, step.state, message),
    )
)
