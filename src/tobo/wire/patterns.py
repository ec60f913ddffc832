"""The models' regular expressions: written for Java, compiled for the `regex` package.

In Java, unlike here, \\w \\d \\s and the POSIX classes are ASCII, `.` stops at five line ends, and characters above
U+FFFF are written as two surrogates (java.util.regex.Pattern).
"""

from collections.abc import Callable
from functools import cache

import regex

_TOKEN = regex.compile(r"\\u[dD][89abAB]\p{XDigit}{2}\\u[dD][c-fC-F]\p{XDigit}{2}|\\p\{\w+\}|\\.|.", regex.DOTALL)

_LAST = "\U0010ffff"
_RANGES = {
    r"\d": "0-9",
    r"\D": f"\x00-/:-{_LAST}",
    r"\w": "a-zA-Z0-9_",
    r"\W": rf"\x00-/:-@\[-\^`\{{-{_LAST}",
    r"\s": r"\t-\r\x20",
    r"\S": rf"\x00-\x08\x0e-\x1f!-{_LAST}",
    r"\p{ASCII}": r"\x00-\x7f",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{Alpha}": "a-zA-Z",
    r"\p{Digit}": "0-9",
    r"\p{Graph}": "!-~",
    r"\p{Lower}": "a-z",
    r"\p{Print}": r"\x20-~",
    r"\p{Punct}": r"!-/:-@\[-`\{-~",
    r"\p{Space}": r"\t-\r\x20",
    r"\p{Upper}": "A-Z",
    r"\p{XDigit}": "0-9a-fA-F",
}
_DOT = "[^\\n\\r\\u0085\\u2028\\u2029]"

_PATIENCE = 0.5
"""Seconds after which a text counts as not matching."""

_REPEATED_GROUP = regex.compile(r"\)[*+{]")
_SAFE_LENGTH = 1024
_SAFE_LENGTH_OF_REPEATED_GROUPS = 24
"""Characters up to which no pattern needs long; above it a clock is set, which costs more than a usual match."""


def matches_pattern(java: str, text: str) -> bool:
    """Whether the whole text matches, as Java's `matches` says; a text that takes too long to say does not."""
    match, safe_length = _matcher(java)
    if len(text) <= safe_length:
        return match(text) is not None
    try:
        return match(text, timeout=_PATIENCE) is not None
    except TimeoutError:
        return False


@cache
def _matcher(java: str) -> tuple[Callable[..., regex.Match[str] | None], int]:
    """(the compiled pattern's fullmatch, the length up to which it is surely fast)."""
    safe_length = _SAFE_LENGTH_OF_REPEATED_GROUPS if _REPEATED_GROUP.search(java) else _SAFE_LENGTH
    return regex.compile(translate(java)).fullmatch, safe_length


def translate(java: str) -> str:
    """The same expression for the `regex` package."""
    parts: list[str] = []
    inside = False
    for token in _TOKEN.findall(java):
        if token in _RANGES:
            parts.append(_RANGES[token] if inside else f"[{_RANGES[token]}]")
        elif len(token) == 12:  # two surrogates: one character
            high, low = int(token[2:6], 16), int(token[8:12], 16)
            parts.append(regex.escape(chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))))
        elif token == r"\z":
            parts.append(r"\Z")
        elif token == "[" and inside:
            parts.append(r"\[")
        elif token == "." and not inside:
            parts.append(_DOT)
        else:
            inside = token == "[" or (inside and token != "]")
            parts.append(token)
    return "".join(parts)
