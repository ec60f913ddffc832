"""Two clients that end the same thing at the same moment: the second one finds it ending, which is what it wanted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tobo import resources
from tobo.kit.arn import Namespace
from tobo.kit.clock import SetClock
from tobo.operations.context import Context, service_principal
from tobo.settings import Settings
from tobo.store.base import Event, Key, Row
from tobo.store.sql import SqlStore

resources.load()
SPACE = Namespace("111122223333", "eu-central-1")
FOUND = {"SecondaryStatusTransitions": [{"Status": "Training", "StartTime": 1.0, "StatusMessage": ""}]}


class Interrupting:
    """A clock whose first reader, who has read the row and is about to write it, is overtaken by `deed`."""

    def __init__(self, deed: Callable[[], object]) -> None:
        self.deeds = [deed]

    def now(self) -> float:
        while self.deeds:
            self.deeds.pop()()
        return SetClock().now()


@pytest.mark.parametrize(
    ("operation", "member", "kind", "state", "ending"),
    [
        ("StopTrainingJob", "TrainingJobName", "training-job", "Training", "Stopping"),
        ("StopProcessingJob", "ProcessingJobName", "processing-job", "Processing", "Stopping"),
        ("StopTransformJob", "TransformJobName", "transform-job", "Transforming", "Stopping"),
        ("StopCompilationJob", "CompilationJobName", "compilation-job", "Compiling", "Stopping"),
        (
            "StopHyperParameterTuningJob",
            "HyperParameterTuningJobName",
            "hyper-parameter-tuning-job",
            "Tuning",
            "Stopping",
        ),
        ("StopEdgePackagingJob", "EdgePackagingJobName", "edge-packaging-job", "Packaging", "Stopping"),
        ("DeleteEndpoint", "EndpointName", "endpoint", "InService", "Deleting"),
    ],
)
def test_the_second_to_end_a_thing_changes_nothing(
    tmp_path: Path, operation: str, member: str, kind: str, state: str, ending: str
) -> None:
    store, none = SqlStore(f"sqlite:///{tmp_path / 'store.db'}"), cast(Any, None)
    first = Context(Settings(tmp_path), SetClock(), store, none, none, none, none, none, none)
    key = Key(SPACE, kind, "one")
    store.insert(Row(key, "arn", {}, FOUND, "InProgress", state, 1.0, 1.0), Event(1.0, "created", state))

    def end(context: Context) -> Any:
        return context.call(service_principal(SPACE.account), SPACE.region, "sagemaker", operation, **{member: "one"})

    try:
        assert end(replace(first, clock=Interrupting(lambda: end(first)))) == {}
        row = store.get(key)
        assert row is not None and row.state == ending
    finally:
        store.close()
