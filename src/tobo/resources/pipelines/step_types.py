"""The types of steps: which operations make, follow and stop what a step is about, and how its end is told.

Source: SageMaker Developer Guide, "Pipelines steps"; the JSON schema of pipeline definitions, version 2020-12-01.
`LabelingJob` is tobo's own: it waits for a labelling job that is there already.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """What steps of one type are about. `noun` is the operations' word, `metadata` the member of a step's Metadata.

    `status` is the member of Describe that tells how it goes, "" where it is done once it is made. `named`: the step
    chooses its name, of at most `longest` characters. `stops`: there is a Stop operation.
    """

    noun: str
    metadata: str
    status: str = ""
    named: bool = True
    stops: bool = False
    longest: int = 63

    @property
    def operations(self) -> tuple[str, ...]:
        """What a step asks for that changes something, or, where it only waits, what it looks at."""
        if self.noun == "LabelingJob":
            return ("DescribeLabelingJob",)
        return (f"Create{self.noun}", f"Update{self.noun}") if self.noun == "Endpoint" else (f"Create{self.noun}",)

    @property
    def name(self) -> str:
        return f"{self.noun}Name"

    @property
    def arn(self) -> str:
        return f"{self.noun}Arn"


def _job(noun: str, metadata: str = "", longest: int = 63) -> Resource:
    return Resource(noun, metadata or noun, f"{noun}Status", stops=True, longest=longest)


RESOURCES: Mapping[str, Resource] = {
    "Training": _job("TrainingJob"),
    "Processing": _job("ProcessingJob"),
    "Transform": _job("TransformJob"),
    "Tuning": _job("HyperParameterTuningJob", "TuningJob", longest=32),
    "Model": Resource("Model", "Model"),
    "RegisterModel": Resource("ModelPackage", "RegisterModel", named=False),
    "EndpointConfig": Resource("EndpointConfig", "EndpointConfig"),
    "Endpoint": Resource("Endpoint", "Endpoint", "EndpointStatus", named=False),
    "LabelingJob": Resource("LabelingJob", "Job", "LabelingJobStatus", named=False),
}
"""By the type that a definition says."""

MAKING_NOTHING = ("Condition", "Fail", "Callback")
"""Steps that the execution does by itself."""

KEYS = frozenset({"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"})
"""Of a step of any type."""

MORE_KEYS: Mapping[str, frozenset[str]] = {
    "Processing": frozenset({"PropertyFiles"}),
    "Callback": frozenset({"SqsQueueUrl", "OutputParameters"}),
}
"""Of a step of one type besides."""

OVER = frozenset({"Succeeded", "Failed", "Stopped"})
"""StepStatus of a step that is over."""

ENDS: Mapping[str, str] = {
    "Completed": "Succeeded",
    "InService": "Succeeded",
    "Failed": "Failed",
    "UpdateRollbackFailed": "Failed",
    "OutOfService": "Failed",
    "Stopped": "Stopped",
}
"""What the statuses of resources mean for a step; any other one means that it goes on."""
