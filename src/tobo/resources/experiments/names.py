"""Names of experiments, trials and components: without regard to case, as the SDKs write them in small letters now and then.

A name's ARN is in small letters, so that is what a name is looked up by.
"""

from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import sagemaker_arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.rows import add_row, made_by
from tobo.store.base import Row

NOUNS = {
    "experiment": "Experiment",
    "experiment-trial": "Trial",
    "experiment-trial-component": "Trial component",
}
"""By kind, as sentences name them."""


def known(call: Call, kind: str, name: str) -> Row:
    """Raises Fault ResourceNotFound."""
    row = call.context.store.find_arn(sagemaker_arn(call.space, kind, name))
    if row is None:
        raise Fault("ResourceNotFound", f"{NOUNS[kind]} '{name}' does not exist; create it first.")
    return row


def add(call: Call, kind: str, name: str, asked: Mapping[str, Any], found: Mapping[str, Any]) -> Row:
    """A new row with its maker. Raises Fault ValidationException where the name is taken, in whatever letters."""

    def taken(arn: str) -> Fault:
        return validation(f"{NOUNS[kind]} names are unique in an account and region, and {arn} already exists.")

    arn = sagemaker_arn(call.space, kind, name)
    if call.context.store.find_arn(arn) is not None:
        raise taken(arn)
    return add_row(call, kind, name, {"DisplayName": name, **asked}, taken, found={"CreatedBy": made_by(call), **found})


def gone(arn: str) -> Fault:
    """What is said of a row that was deleted between two looks."""
    return Fault("ResourceNotFound", f"'{arn}' does not exist any more.")
