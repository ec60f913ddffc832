"""Filter patterns for unstructured log events: terms, "quoted phrases", ?any of these, -none of these.

Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax". Matching is case-sensitive, anywhere in the message.
"""

import re
from dataclasses import dataclass

from tobo.resources.logs.names import invalid

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s"]+))(?=\s|$)')


@dataclass(frozen=True)
class Pattern:
    """What a message must have: all of `every`, one of `some` (if there are any and no `every`), none of `none`."""

    every: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    def matches(self, message: str) -> bool:
        if any(term in message for term in self.none):
            return False
        if self.every:
            return all(term in message for term in self.every)
        return not self.some or any(term in message for term in self.some)


def read_pattern(text: str) -> Pattern:
    """Raises Fault InvalidParameterException for a pattern that cannot be read, and for kinds that are not built."""
    text = text.strip()
    for start, kind in (("{", "JSON"), ("[", "space-delimited"), ("%", "regular expression")):
        if text.startswith(start):
            raise invalid(
                f"The filter pattern '{text}' is a {kind} pattern, which tobo does not read; use terms and phrases."
            )
    found: dict[str, list[str]] = {"": [], "?": [], "-": []}
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None:
            raise invalid(
                f"The filter pattern '{text}' cannot be read from character {at + 1} on; is a quotation mark open?"
            )
        quoted = match["quoted"]
        found[match["sign"]].append(match["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        at = match.end()
    return Pattern(tuple(found[""]), tuple(found["?"]), tuple(found["-"]))
