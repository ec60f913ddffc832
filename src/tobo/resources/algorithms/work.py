"""What the controller does for an algorithm: the jobs of its validation; each command is safe to repeat."""

from tobo.operations import validating
from tobo.operations.context import Context
from tobo.operations.machine import Done, Happened, Machine, Outcome, register
from tobo.operations.made_algorithms import MadeAlgorithm, with_defaults
from tobo.operations.validating import TRAINING, TRANSFORM, clean, profile_of
from tobo.resources.algorithms import states
from tobo.resources.algorithms.api import KIND
from tobo.store.base import Row

_TAKEN = ("InputDataConfig", "OutputDataConfig", "ResourceConfig", "StoppingCondition")
"""Members of the profile's TrainingJobDefinition that CreateTrainingJob has, too."""


def train(context: Context, row: Row) -> Outcome:
    """The profile's training job, of the algorithm's image: a job can name only an algorithm that is Completed."""
    made = MadeAlgorithm(row.key.name, row.asked["TrainingSpecification"])
    definition = profile_of(row)["TrainingJobDefinition"]
    specification = {
        "TrainingImage": made.image,
        "TrainingInputMode": definition["TrainingInputMode"],
        "MetricDefinitions": [{"Name": metric.name, "Regex": metric.regex} for metric in made.declared.metrics],
    }
    validating.create_training_job(
        context,
        row,
        AlgorithmSpecification=specification,
        HyperParameters=with_defaults(made.declared, definition.get("HyperParameters", {})),
        **{member: definition[member] for member in _TAKEN},
    )
    return Happened("started")


def await_training(context: Context, row: Row) -> Outcome:
    """Follows the training job; its end is the validation's where the profile has no transform job."""
    transforms = "TransformJobDefinition" in profile_of(row)
    return validating.follow(context, row, TRAINING, "trained" if transforms else "validated")


def transform(context: Context, row: Row) -> Outcome:
    """The profile's transform job, with what the training job has made."""
    job = context.as_house(
        row.key.space, "sagemaker", "DescribeTrainingJob", TrainingJobName=validating.job_name(row, TRAINING)
    )
    [container] = row.asked["InferenceSpecification"]["Containers"]
    artefact = {"ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    validating.create_transform_job(context, row, {**container, **artefact})
    return Done()


def await_transform(context: Context, row: Row) -> Outcome:
    """Follows the transform job."""
    return validating.follow(context, row, TRANSFORM, "validated")


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(train, await_training, transform, await_transform, clean),
        on_step=lambda row, step, now, message: validating.moved(row.found, step.state, message),
    )
)
