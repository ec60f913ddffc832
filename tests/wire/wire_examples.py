"""Examples made from a service model: every member present, every constraint met, recursion cut at its second turn."""

import re
import re._parser as expressions  # type: ignore[import-not-found]  # the standard library's own parser of expressions
from datetime import UTC, datetime
from functools import cache
from itertools import chain, count
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tobo.wire.patterns import matches_pattern, translate

MOMENT = datetime(2026, 7, 1, 12, 30, 45, 123000, tzinfo=UTC)
SECOND = MOMENT.replace(microsecond=0)

# Texts for patterns with \p{...}, which the standard library cannot parse, or with look-around, which the maker ignores.
_TEXTS = (
    "a",
    "example",
    "Example-1",
    "s3://bucket/key",
    "https://example.com/a",
    "arn:aws:iam::123456789012:role/tobo",
)


def example(shape: Shape | None) -> dict[str, Any]:
    """A value with all members; {} where there is no shape."""
    return {} if shape is None else Examples().of(shape)


class Examples:
    """One run: free texts are numbered, so that values which change places are noticed."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._open: list[str] = []

    def of(self, shape: Shape) -> Any:
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        if isinstance(shape, ListShape):
            low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 2)
            return [self.of(shape.member) for _ in range(max(low, min(high, 2)))]
        if isinstance(shape, MapShape):
            low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 2)
            keys = distinct_texts(shape.key, max(low, min(high, 2)))
            return {key: self.of(shape.value) for key in keys}
        return self._scalar(shape)

    def _structure(self, shape: StructureShape) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._open.append(shape.name)
        for name, member in shape.members.items():
            if not self._turns_back(member) and not (shape.is_tagged_union and found):
                found[name] = self._member(member)
        self._open.pop()
        return found

    def _turns_back(self, shape: Shape) -> bool:
        """Whether a structure that is being made would be in it once more."""
        if isinstance(shape, ListShape):
            return self._turns_back(shape.member)
        return self._turns_back(shape.value) if isinstance(shape, MapShape) else shape.name in self._open

    def _member(self, shape: Shape) -> Any:
        location = shape.serialization.get("location")
        if shape.type_name == "timestamp":
            # Headers carry whole seconds, whatever their form.
            return SECOND if location == "header" or shape.serialization.get("timestampFormat") == "rfc822" else MOMENT
        if location == "headers":
            return {"colour": "blue", "lot": "7"}
        return self.of(shape)

    def _scalar(self, shape: Shape) -> Any:
        kind = shape.type_name
        if kind == "timestamp":
            return MOMENT
        if kind == "boolean":
            return True
        if kind == "blob":
            return b"\x00\xffblob".ljust(shape.metadata.get("min", 0), b".")
        if kind in ("integer", "long"):
            return int(self._number(shape, 7))
        if kind in ("float", "double"):
            return float(self._number(shape, 0.5))
        return self._text(shape)

    def _number(self, shape: Shape, wished: float) -> float:
        return min(max(wished, shape.metadata.get("min", wished)), shape.metadata.get("max", wished * 1e9))

    def _text(self, shape: Shape) -> str:
        number = next(self._numbers)
        enum = shape.metadata.get("enum")
        if enum:
            return str(enum[number % len(enum)])
        if "hostLabel" in shape.serialization:
            return "example"
        free = not {"pattern", "min", "max"} & shape.metadata.keys()
        if free and shape.serialization.get("location") != "header":
            return f"<a & \"b\"> 'ö' \u20ac+%2F= {number}"
        text = text_of(shape)
        return f"{text}{number}" if fits(f"{text}{number}", *_bounds(shape)) else text


def distinct_texts(shape: Shape, wanted: int) -> list[str]:
    """Keys of a map: as many different texts as the shape has, `wanted` at most."""
    enum = shape.metadata.get("enum")
    if enum:
        return [str(text) for text in enum[:wanted]]
    first = text_of(shape)
    longer = [first + first[-1] * more for more in range(1, wanted)]
    return [first, *(text for text in longer if fits(text, *_bounds(shape)))]


def text_of(shape: Shape) -> str:
    """A text that the shape accepts, not empty if possible."""
    return _text_within(*_bounds(shape))


def _bounds(shape: Shape) -> tuple[str | None, int, int]:
    return shape.metadata.get("pattern"), int(shape.metadata.get("min", 0)), int(shape.metadata.get("max", 1 << 20))


@cache
def _text_within(pattern: str | None, low: int, high: int) -> str:
    if pattern is None:
        return "example".ljust(low, "e")[:high]
    texts = [*_TEXTS, "a" * low, "1" * low]
    try:
        parsed = expressions.parse(translate(pattern))
        texts = [_written(parsed, width) for width in (1, 2, 4, 9, low, 0)] + texts
    except re.error:
        pass
    return next((text for text in texts if text and fits(text, pattern, low, high)), "example")


def fits(text: str, pattern: str | None, low: int, high: int) -> bool:
    """Whether length and pattern allow the text."""
    return low <= len(text) <= high and (pattern is None or matches_pattern(pattern, text))


def _written(parsed: Any, width: int) -> str:
    """A text that a parsed expression matches; open repeats are taken `width` times if they allow it."""
    parts: list[str] = []
    for operation, argument in parsed:
        name = str(operation)
        if name == "LITERAL":
            parts.append(chr(argument))
        elif name == "NOT_LITERAL":
            parts.append("a" if argument != ord("a") else "b")
        elif name == "ANY":
            parts.append("a")
        elif name == "IN":
            parts.append(_letter(argument))
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, inner = argument
            parts.append(_written(inner, width) * max(low, min(high, width)))
        elif name == "SUBPATTERN":
            parts.append(_written(argument[3], width))
        elif name == "BRANCH":
            parts.append(_written(argument[1][0], width))
    return "".join(parts)


def _letter(choices: Any) -> str:
    """A letter of a class, a readable one if there is any."""
    parts: list[str] = []
    for operation, argument in choices:
        if str(operation) == "RANGE":
            parts.append(f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}")
        else:
            parts.append("^" if str(operation) == "NEGATE" else re.escape(chr(argument)))
    matches = re.compile(f"[{''.join(parts)}]").match
    return next(letter for letter in map(chr, chain(b"a1A", range(32, 127), range(0x110000))) if matches(letter))
