"""Two models on the same pictures: who is right where, and whether the difference could be chance."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import comb
from typing import Any

from tobo.kit.guest import UserError

SIGNIFICANT = 0.05
"""The p-value below which "better" is said; the usual one."""

MOST_CHANGED = 1000
"""Pictures that a comparison names."""

Decided = Mapping[str, str]
"""Class names by picture."""


def mcnemar(only_current: int, only_new: int) -> float:
    """The exact two-sided p-value of McNemar's test, to four digits: were both as good, each of the pictures on which exactly one is
    right would be a coin's throw. Source: McNemar, Psychometrika 12 (1947); exact form: Fagerland et al., BMC Medical
    Research Methodology 13:91 (2013), equation 3."""
    thrown = only_current + only_new
    tail = sum(comb(thrown, k) for k in range(min(only_current, only_new) + 1))
    return float(f"{min(1.0, float(Fraction(2 * tail, 2**thrown))):.4g}")


def compare(truth: Decided, current: Decided, new: Decided, names: Sequence[str]) -> dict[str, Any]:
    """The comparison as a document (docs/loop.md has its members). Raises UserError where a picture has no answer."""
    for which, decided in (("current", current), ("new", new)):
        if missing := sorted(truth.keys() - decided.keys()):
            raise UserError(f"The {which} model has no answer for {len(missing)} pictures, among them {missing[0]}.")
    right = {picture: (current[picture] == name, new[picture] == name) for picture, name in sorted(truth.items())}
    only_current = sum(one == (True, False) for one in right.values())
    only_new = sum(one == (False, True) for one in right.values())
    p_value = mcnemar(only_current, only_new)
    changed = [
        {"picture": picture, "truth": truth[picture], "current": current[picture], "new": new[picture]}
        for picture, one in right.items()
        if one[0] != one[1]
    ]
    figures = {"current": _figures(truth, current, names), "new": _figures(truth, new, names)}
    document = {
        "pictures": len(truth),
        "classes": list(names),
        **figures,
        "both_right": sum(one == (True, True) for one in right.values()),
        "both_wrong": sum(one == (False, False) for one in right.values()),
        "only_current_right": only_current,
        "only_new_right": only_new,
        "p_value": p_value,
        "not_worse": only_new >= only_current,
        "better": only_new > only_current and p_value < SIGNIFICANT,
        "changed": changed[:MOST_CHANGED],
        # what Model Monitor and the registry of AWS read (Developer Guide, "Model Quality Metrics")
        "multiclass_classification_metrics": {
            "accuracy": {"value": figures["new"]["accuracy"], "standard_deviation": "NaN"}
        },
    }
    return {**document, "verdict": verdict(document)}


def verdict(document: Mapping[str, Any]) -> str:
    """One sentence, as careful as the numbers are."""
    only_new, only_current = document["only_new_right"], document["only_current_right"]
    p_value = document["p_value"]
    chance = f"p = {p_value:.2g}" if p_value >= 0.0001 else "p < 0.0001"
    if only_new == only_current:
        return f"Equally good on {document['pictures']} pictures: each alone is right on {only_new}."
    which = "new" if only_new > only_current else "current"
    counts = f"of {only_new + only_current} pictures on which exactly one is right, the new model is on {only_new}"
    if p_value < SIGNIFICANT:
        return f"The {which} model is better: {counts} ({chance})."
    return f"The {which} model got more right, but it may be chance: {counts} ({chance})."


def _figures(truth: Decided, decided: Decided, names: Sequence[str]) -> dict[str, Any]:
    """`confusion`: rows are true classes, columns what was said; a class that the model does not know stands in none."""
    place = {name: index for index, name in enumerate(names)}
    confusion = [[0] * len(names) for _ in names]
    for picture, name in truth.items():
        confusion[place[name]][place[decided[picture]]] += 1
    right = sum(confusion[index][index] for index in range(len(names)))
    recall = {name: confusion[i][i] / sum(confusion[i]) for name, i in place.items() if sum(confusion[i])}
    return {"right": right, "accuracy": round(right / max(len(truth), 1), 6), "recall": recall, "confusion": confusion}
