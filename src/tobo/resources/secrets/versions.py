"""The versions of a secret and the labels that move between them. Pure.

A version is {"Id", "Created", "Stages": labels, "Sealed": encrypted value, "Binary": whether it is bytes}; the list is in
the order in which they were put. Each label is at one version at a time. Source: Secrets Manager User Guide, "Secret
versions".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tobo.kit.fault import Fault

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
MOST_UNLABELLED = 20
"""Versions without a label that are kept, the youngest; AWS keeps 100 versions in all, and drops those older than a day."""

Versions = Sequence[Mapping[str, Any]]


def added(versions: Versions, new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """With a new version; the labels that it has leave the others, and what was current becomes the previous one."""
    kept = [dict(version) for version in versions]
    for version in kept:
        was_current = CURRENT in version["Stages"]
        version["Stages"] = [stage for stage in version["Stages"] if stage not in new["Stages"]]
        if CURRENT in new["Stages"]:
            version["Stages"] = [stage for stage in version["Stages"] if stage != PREVIOUS]
            if was_current:
                version["Stages"].append(PREVIOUS)
    loose = [version["Id"] for version in kept if not version["Stages"]][:-MOST_UNLABELLED]
    return [version for version in kept if version["Id"] not in loose] + [dict(new)]


def moved(versions: Versions, stage: str, to: str | None, away: str | None) -> list[dict[str, Any]]:
    """With a label moved: from `away`, which must have it where it is given, to `to`. Raises Fault InvalidParameterException."""
    holder = next((version["Id"] for version in versions if stage in version["Stages"]), None)
    if away != holder and (away is not None or (holder is not None and holder != to)):
        raise Fault(
            "InvalidParameterException",
            f"The label {stage} is at version '{holder}'; give it as RemoveFromVersionId to take it away there.",
        )
    if stage == CURRENT and to is None:
        raise Fault("InvalidParameterException", f"{CURRENT} can be moved and not removed; give MoveToVersionId.")
    if to is not None:
        find(versions, to, None)
    kept = [dict(version) for version in versions]
    for version in kept:
        stages = [each for each in version["Stages"] if each != stage]
        if stage == CURRENT and holder != to:
            stages = [each for each in stages if each != PREVIOUS] + ([PREVIOUS] if version["Id"] == holder else [])
        version["Stages"] = stages + ([stage] if version["Id"] == to else [])
    return kept


def find(versions: Versions, version_id: str | None, stage: str | None) -> Mapping[str, Any]:
    """The version of an id, of a label, or of both; the current one without either. Raises Fault ResourceNotFoundException."""
    wanted = stage or (CURRENT if version_id is None else None)
    for version in versions:
        if version_id in (None, version["Id"]) and (wanted is None or wanted in version["Stages"]):
            return version
    what = " ".join(
        filter(None, (f"version '{version_id}'" if version_id else "", f"label {wanted}" if wanted else ""))
    )
    raise Fault(
        "ResourceNotFoundException", f"The secret has no value for {what}; ListSecretVersionIds tells what it has."
    )
