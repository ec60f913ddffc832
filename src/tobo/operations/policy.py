"""Who may do what: IAM's evaluation of policy statements (IAM User Guide, "Policy evaluation logic")."""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Decision = str
"""allowed, explicitDeny or implicitDeny: the words of SimulatePrincipalPolicy."""


@dataclass(frozen=True)
class Statement:
    """One statement; patterns with * and ?. `not_actions`/`not_resources` mean everything but."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    not_actions: bool = False
    not_resources: bool = False

    def matches(self, action: str, resource: str) -> bool:
        """Actions match without regard to case, resources with."""
        named = any(_pattern(p.lower()).match(action.lower()) for p in self.actions)
        placed = any(_pattern(p).match(resource) for p in self.resources)
        return named != self.not_actions and placed != self.not_resources


def read_policy(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """The statements of a policy document. One with a Condition is kept only when it denies: what we cannot check is not allowed."""
    found: list[Statement] = []
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Condition") and statement.get("Effect") != "Deny":
            continue
        found.append(
            Statement(
                effect=statement.get("Effect", "Deny"),
                actions=_texts(statement.get("Action", statement.get("NotAction", []))),
                resources=_texts(statement.get("Resource", statement.get("NotResource", "*"))),
                not_actions="NotAction" in statement,
                not_resources="NotResource" in statement,
            )
        )
    return tuple(found)


def decide(statements: Iterable[Statement], action: str, resource: str) -> Decision:
    """An explicit Deny wins over every Allow; without either the answer is no."""
    decision = "implicitDeny"
    for statement in statements:
        if statement.matches(action, resource):
            if statement.effect == "Deny":
                return "explicitDeny"
            decision = "allowed"
    return decision


def _texts(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@lru_cache(4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(text.replace("[", "[[]")))
