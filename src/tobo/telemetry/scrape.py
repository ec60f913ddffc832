"""Algorithm metrics out of log lines: a definition's expression finds the line, its first group is the value."""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

from tobo.kit.fault import validation
from tobo.telemetry.base import LogEvent

LONGEST_LINE = 4096
"""Characters of a line that are searched; what a metric line says, it says early."""

_PATIENCE = 0.1
"""Seconds that one search may take; a healthy expression takes microseconds."""


class Scraped(NamedTuple):
    """One value; `at` in epoch seconds."""

    at: float
    name: str
    value: float


def scrape(lines: Iterable[LogEvent], definitions: Sequence[tuple[str, str]]) -> list[Scraped]:
    """Values of (name, regular expression) definitions in the lines' order; what is no finite number is skipped.

    A definition that runs away on a line (catastrophic backtracking) is given up for the rest of the lines.
    Raises Fault ValidationException as `check_definitions` does.
    """
    searching = dict(enumerate(check_definitions(definitions)))
    found = []
    for line in lines:
        text = line.message[:LONGEST_LINE]
        for number, pattern in list(searching.items()):
            try:
                match = pattern.search(text, timeout=_PATIENCE)
            except TimeoutError:
                del searching[number]
                continue
            value = _number(match[1]) if match else None
            if value is not None:
                found.append(Scraped(line.timestamp / 1000, definitions[number][0], value))
    return found


def check_definitions(definitions: Sequence[tuple[str, str]]) -> list["regex.Pattern[str]"]:
    """The compiled expressions; raises Fault ValidationException naming one that cannot be read or has no group."""
    compiled = []
    for name, expression in definitions:
        try:
            pattern = _compiled(expression)
        except regex.error as error:
            raise validation(
                f"The regular expression '{expression}' of metric definition '{name}' cannot be read: {error}."
            ) from None
        if not pattern.groups:
            raise validation(
                f"The regular expression '{expression}' of metric definition '{name}' has no group; "
                "put parentheses around the value."
            )
        compiled.append(pattern)
    return compiled


@lru_cache(256)
def _compiled(expression: str) -> "regex.Pattern[str]":
    return regex.compile(expression)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
