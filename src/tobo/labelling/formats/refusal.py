"""Refusals: Malformed for a file that cannot be read, Unsayable for labels that a format has no words for."""

import math
import reprlib
import unicodedata
from dataclasses import dataclass
from typing import Any, NoReturn

_SHORT = reprlib.Repr()
"""A bad value as a sentence repeats it: some of it, however large or deep it is."""
_SHORT.maxstring = _SHORT.maxother = 80


class Malformed(ValueError):
    """A file does not hold what its format says; the sentence names file, place, value and mend."""


class Unsayable(ValueError):
    """The wanted format cannot hold these labels, or the target cannot be written; the sentence says what would help."""


@dataclass(frozen=True)
class Place:
    """Where in a file something stands, to be named when it is wrong."""

    file: str
    at: str = ""

    def inside(self, at: str) -> "Place":
        """A place in it, such as a member of an object."""
        return Place(self.file, f"{self.at}, {at}" if self.at else at)

    def refuse(self, sentence: str) -> NoReturn:
        """Raises Malformed with this place in front."""
        raise Malformed(f"{self.file}, {self.at}: {sentence}" if self.at else f"{self.file}: {sentence}")

    def number(self, value: object, what: str) -> float:
        """A finite number, also where it is written as text."""
        found = _number(value)
        if found is None:
            self.refuse(f"{what} is {shown(value)}; expected a number.")
        return found

    def whole(self, value: object, what: str, least: int = 0) -> int:
        """A whole number, at least `least`."""
        found = _number(value)
        if found is None or not found.is_integer() or found < least:
            self.refuse(f"{what} is {shown(value)}; expected a whole number from {least}.")
        return int(found)

    def positive(self, value: object, what: str) -> float:
        """A number above 0."""
        found = self.number(value, what)
        if found <= 0:
            self.refuse(f"{what} is {shown(value)}; expected a number above 0.")
        return found

    def size(self, value: object, what: str) -> int | None:
        """A picture's width or height; None where it is missing or 0, which files write for unknown."""
        return None if value is None else self.whole(value, what) or None

    def confidence(self, value: object) -> float | None:
        """0..1, or None where it is missing."""
        if value is None:
            return None
        found = self.number(value, "the confidence")
        if not 0 <= found <= 1:
            self.refuse(f"the confidence is {shown(value)}; expected a number from 0 to 1.")
        return found

    def name(self, value: object) -> str:
        """A class's name: one line of text that is not empty, without blanks around it."""
        found = value.strip() if isinstance(value, str) else ""
        if not found:
            self.refuse(f"the class's name is {shown(value)}; expected text that is not empty.")
        if any(unicodedata.category(character) in ("Cc", "Cs") or character in "\ufffe\uffff" for character in found):
            self.refuse(
                f"the class's name is {shown(value)}; control characters cannot stand in a name, take them out."
            )
        return found

    def text(self, value: object, what: str) -> str:
        """Text that is not empty."""
        if not isinstance(value, str) or not value.strip():
            self.refuse(f"{what} is {shown(value)}; expected text that is not empty.")
        return value

    def members(self, value: object, what: str) -> dict[str, Any]:
        """A JSON object."""
        if not isinstance(value, dict):
            self.refuse(f"{what} is {shown(value)}; expected a JSON object.")
        return value

    def items(self, value: object, what: str) -> list[Any]:
        """A JSON array."""
        if not isinstance(value, list):
            self.refuse(f"{what} is {shown(value)}; expected a JSON array.")
        return value


def shown(value: object) -> str:
    """A value as a sentence repeats it, shortened; "missing" for None."""
    if value is None:
        return "missing"
    return _SHORT.repr(value)


def _number(value: object) -> float | None:
    if not isinstance(value, (int, float, str)) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
