"""Labelling jobs that learn, for tests: pictures that a small head tells apart, and people who answer round after round."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.conftest import Server
from tests.support.jobs import CLASSES, photo
from tests.support.labelling import LEARNING, labeler, labeling_job, say


def eyes(task: Mapping[str, Any]) -> dict[str, str]:
    """What a worker sees on a `photo`, whose key is its number."""
    return {"label": CLASSES[number_of(json.loads(task["Source"])) % 2]}


def number_of(line: Mapping[str, Any]) -> int:
    return int(line["source-ref"].rsplit("/", 1)[-1].split(".")[0])


def photos(count: int) -> dict[str, bytes]:
    return {f"photos/{number:03}.jpg": photo(number) for number in range(count)}


def learning_job(server: Server, bucket: str, machine: float = 0.6, **changes: Any) -> dict[str, Any]:
    """A machine whose labels are to be right to 60 % needs some 20 validation items, not 145."""
    return labeling_job(
        server, bucket, labels=CLASSES, machine=machine, LabelingJobAlgorithmsConfig=LEARNING, **changes
    )


def answer_until(
    server: Server, arn: str, clients: list[Any], done: Callable[[dict[str, Any]], bool], sees: Any = eyes
) -> dict[str, Any]:
    """Workers answer what they are given until `done` says so of the learning; that is given."""
    root, deadline = labeler(server), time.monotonic() + 180
    while not done(told := root.describe_learning(LabelingJobArn=arn)):
        assert time.monotonic() < deadline, told
        for client in clients:
            try:
                for task in client.claim_tasks(LabelingJobArn=arn, MaxResults=100)["Tasks"]:
                    say(client, arn, task, sees(task))
            except client.exceptions.TaskGone:
                pass  # it has ended between two looks
        time.sleep(0.05)
    return dict(told)


def over(told: Mapping[str, Any]) -> bool:
    return bool(told["Phase"] == "Over")


def name_of(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
