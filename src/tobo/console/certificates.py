"""Parity certificates (docs/compile.md): what pages show of one, whoever wrote it."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

_PAIRS = ("accuracy", "bytes", "cpu_ms")
_FIGURES = ("accuracy", "flipped", "largest_difference", "bytes", "cpu_ms")


def certificate_of(text: str | bytes | None) -> dict[str, Any] | None:
    """A certificate that parts/certificate.html can show; None for anything else, such as another tool's JSON."""
    try:
        found = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and _is_whole(found) else None


def _is_whole(found: Mapping[str, Any]) -> bool:
    samples, forms, rejected = found.get("samples"), found.get("forms"), found.get("rejected")
    return (
        isinstance(samples, dict)
        and isinstance(samples.get("origin"), str)
        and _are_numbers((samples.get("count"), found.get("tolerance")))
        and _are_numbers((found.get("flipped"), found.get("largest_difference")))
        and all(_is_pair(found.get(name)) for name in _PAIRS)
        and isinstance(forms, list)
        and isinstance(rejected, list)
        and all(_is_form(each) for each in (*forms, *rejected))
        and all(isinstance(each.get("reason"), str) for each in rejected)
    )


def _is_pair(value: Any) -> bool:
    return isinstance(value, dict) and _are_numbers((value.get("before"), value.get("after")))


def _is_form(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("form"), str)
        and isinstance(value.get("not_run", ""), str)
        and _are_numbers(value.get(name) for name in _FIGURES)
    )


def _are_numbers(values: Iterable[Any]) -> bool:
    """Finite ones, or none where something was not measured."""
    return all(value is None or (isinstance(value, int | float) and math.isfinite(value)) for value in values)
