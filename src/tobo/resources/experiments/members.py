"""Which component belongs to which trial: AssociateTrialComponent, DisassociateTrialComponent.

A component knows its trials (`_parents`, which Search filters by); the way back is a row a pair, whose name begins with
the experiment and the trial, so that the index of names finds the components of either.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from tobo.kit.arn import sagemaker_arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.registry import operation
from tobo.operations.rows import change_row
from tobo.resources.experiments.names import known
from tobo.store.base import AlreadyExists, Conflict, Key, Query, Row, every_row

KIND = "experiment-trial-member"
COMPONENT = "experiment-trial-component"

_PAGE = 1000
_MOST_TRIALS = 50
"""Trials that one component may belong to; AWS has such a bound, too."""


def component_arn(call: Call, asked: Mapping[str, Any]) -> str:
    """The ARN that operations on a component are allowed on; the name may be an ARN already."""
    return sagemaker_arn(call.space, COMPONENT, asked["TrialComponentName"].rsplit("/", 1)[-1])


@operation("sagemaker", "AssociateTrialComponent", resource=component_arn)
def associate(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Associating twice changes nothing. Raises Fault ResourceNotFound."""
    trial, parent = _trial(call, asked["TrialName"])

    def change(row: Row) -> dict[str, Any]:
        others = [other for other in row.found["_parents"] if other != parent]
        if len(others) >= _MOST_TRIALS:
            raise validation(f"Trial component '{row.key.name}' belongs to {len(others)} trials; it can be in no more.")
        return {"found": {**row.found, "_parents": [*others, parent]}}

    row = change_row(call, lambda: known(call, COMPONENT, asked["TrialComponentName"]), "associated", change)
    pair = _pair(parent, row.key.name)
    with contextlib.suppress(AlreadyExists):
        call.context.store.insert(
            Row(
                key=Key(call.space, KIND, pair),
                arn=f"{trial['TrialArn']} {row.arn}",
                asked={"TrialName": parent["TrialName"], "TrialComponentName": row.key.name},
                found={},
                status="Associated",
                state="Associated",
                created=call.now,
                modified=call.now,
            )
        )
    return {"TrialComponentArn": row.arn, "TrialArn": trial["TrialArn"]}


@operation("sagemaker", "DisassociateTrialComponent", resource=component_arn)
def disassociate(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceNotFound where they are not associated."""
    trial, parent = _trial(call, asked["TrialName"])

    def change(row: Row) -> dict[str, Any]:
        if parent not in row.found["_parents"]:
            raise Fault(
                "ResourceNotFound",
                f"Trial component '{row.key.name}' does not belong to the trial '{parent['TrialName']}'.",
            )
        return {"found": {**row.found, "_parents": [other for other in row.found["_parents"] if other != parent]}}

    row = known(call, COMPONENT, asked["TrialComponentName"])
    member = call.context.store.get(Key(call.space, KIND, _pair(parent, row.key.name)))
    if member is not None:
        with contextlib.suppress(Conflict):  # somebody else did
            call.context.store.delete(member)
    row = change_row(call, lambda: known(call, COMPONENT, asked["TrialComponentName"]), "disassociated", change)
    return {"TrialComponentArn": row.arn, "TrialArn": trial["TrialArn"]}


def members_of(call: Call, experiment: str, trial: str | None = None) -> Iterator[str]:
    """Names of the components of a trial, or of every trial of an experiment (then perhaps more than once)."""
    prefix = f"{experiment} {trial} " if trial else f"{experiment} "
    query = Query(call.space, KIND, name_prefix=prefix, sort_by="Name", descending=False, limit=_PAGE)
    return (row.asked["TrialComponentName"] for row in every_row(call.context.store, query))


def _trial(call: Call, name: str) -> tuple[Mapping[str, Any], dict[str, str]]:
    """The trial, and what its components note of it."""
    trial = call.call("sagemaker", "DescribeTrial", TrialName=name)
    return trial, {"TrialName": trial["TrialName"], "ExperimentName": trial["ExperimentName"]}


def _pair(parent: Mapping[str, str], component: str) -> str:
    """Names have no blanks (their pattern), so a blank parts them."""
    return f"{parent['ExperimentName']} {parent['TrialName']} {component}"
