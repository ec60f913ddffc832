"""Rules of composite alarms: an expression over the states of other alarms. Pure.

Source: CloudWatch API Reference, PutCompositeAlarm, "AlarmRule": ALARM(name), OK(name), INSUFFICIENT_DATA(name), TRUE, FALSE, AND, OR,
NOT and parentheses; a name is that of an alarm or its ARN, in double quotes where it has other letters than words have. AND
binds closer than OR.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tobo.kit.fault import Fault

LONGEST = 10_240
MOST_CHILDREN = 100

_TOKEN = re.compile(r'\s*(?:(?P<name>"[^"]*"|[^\s()"]+)|(?P<sign>[()]))')
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_DEPTH = 50

StateOf = Callable[[str], str]
"""An alarm's state by its name."""


@dataclass(frozen=True)
class Rule:
    """`children` are the alarms' names in the order of the text; `holds` tells whether the rule is true of their states."""

    children: tuple[str, ...]
    holds: Callable[[StateOf], bool]


def read_rule(text: str) -> Rule:
    """Raises Fault ValidationError that says what is wrong, and where."""
    if len(text) > LONGEST:
        raise _refused(f"it has {len(text)} characters; {LONGEST} are the most")
    reader = _Reader(_tokens(text))
    holds = reader.alternatives(0)
    if reader.rest:
        raise _refused(f"'{reader.rest[0]}' is behind its end")
    children = tuple(dict.fromkeys(reader.children))
    if len(children) > MOST_CHILDREN:
        raise _refused(f"it names {len(children)} alarms; {MOST_CHILDREN} are the most")
    return Rule(children, holds)


class _Reader:
    """Takes tokens from the front."""

    def __init__(self, tokens: list[str]) -> None:
        self.rest = tokens
        self.children: list[str] = []

    def alternatives(self, depth: int) -> Callable[[StateOf], bool]:
        parts = [self._together(depth)]
        while self._took("OR"):
            parts.append(self._together(depth))
        return lambda state: any(part(state) for part in parts)

    def _together(self, depth: int) -> Callable[[StateOf], bool]:
        parts = [self._one(depth)]
        while self._took("AND"):
            parts.append(self._one(depth))
        return lambda state: all(part(state) for part in parts)

    def _one(self, depth: int) -> Callable[[StateOf], bool]:
        if depth > _DEPTH:
            raise _refused(f"it is nested deeper than {_DEPTH}")
        if self._took("NOT"):
            inner = self._one(depth + 1)
            return lambda state: not inner(state)
        if self._took("("):
            inner = self.alternatives(depth + 1)
            self._need(")")
            return inner
        word = self._next("a state, NOT or a parenthesis")
        if word in ("TRUE", "FALSE"):
            return lambda state: word == "TRUE"
        if word not in _STATES:
            raise _refused(f"'{word[:60]}' is none of {', '.join((*_STATES, 'TRUE', 'FALSE', 'NOT'))}")
        self._need("(")
        name = alarm_named(self._next("an alarm's name"))
        self._need(")")
        self.children.append(name)
        return lambda state: state(name) == word

    def _took(self, token: str) -> bool:
        if self.rest and self.rest[0] == token:
            self.rest = self.rest[1:]
            return True
        return False

    def _need(self, token: str) -> None:
        found = self._next(f"'{token}'")
        if found != token:
            raise _refused(f"'{found[:60]}' is where '{token}' belongs")

    def _next(self, what: str) -> str:
        if not self.rest:
            raise _refused(f"it ends where {what} belongs")
        first, self.rest = self.rest[0], self.rest[1:]
        return first


def alarm_named(text: str) -> str:
    """The name in a rule's name or ARN."""
    name = text.strip('"')
    return name.split(":alarm:", 1)[1] if name.startswith("arn:") and ":alarm:" in name else name


def _tokens(text: str) -> list[str]:
    found, at = list[str](), 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise _refused(f"'{text[at : at + 20]}' cannot be read")
        found.append(match["name"] or match["sign"])
        at = match.end()
    return found


def _refused(what: str) -> Fault:
    return Fault("ValidationError", f"AlarmRule is no rule: {what}.")
