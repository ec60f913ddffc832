"""Scalars from text (XML, forms, headers, labels): shape and text -> value."""

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from botocore.model import Shape

from tobo.wire.reading.malformed import Malformed
from tobo.wire.timestamps import read_timestamp

_BITS = {"integer": 31, "long": 63}


def whole(type_name: str, value: int) -> int:
    """`value` if an `integer` (32 bits) or a `long` (64 bits) can hold it; raises Malformed where not."""
    if not -(1 << _BITS[type_name]) <= value < (1 << _BITS[type_name]):
        raise Malformed(f"{value} is out of the range of {type_name}.")
    return value


def blob(text: str) -> bytes:
    """Base64 -> bytes; raises Malformed where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("A blob is not base64.") from None


def moment(value: Any) -> datetime:
    """Text, number or datetime -> aware datetime; raises Malformed where it is no time."""
    try:
        return read_timestamp(value)
    except ValueError:
        raise Malformed(f"'{str(value)[:100]}' is not a timestamp.") from None


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise Malformed(f"'{text[:100]}' is not a boolean; expected true or false.")
    return text.lower() == "true"


def _whole(type_name: str) -> Callable[[str], int]:
    def reader(text: str) -> int:
        try:
            # int() takes underscores and the digits of all scripts, and refuses thousands of digits with a ValueError.
            if not text.isascii() or "_" in text:
                raise ValueError
            return whole(type_name, int(text))
        except ValueError:
            raise Malformed(f"'{text[:100]}' is not of type {type_name}.") from None

    return reader


def real(text: str) -> float:
    """A decimal number, NaN, Infinity or -Infinity; raises Malformed where it is none."""
    try:
        value = float(text)
    except ValueError:
        raise Malformed(f"'{text[:100]}' is not a number.") from None
    if math.isinf(value) and "inf" not in text.lower():
        raise Malformed(f"'{text[:100]}' is out of the range of double.")
    return value


_TEXTS: Mapping[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "integer": _whole("integer"),
    "long": _whole("long"),
    "float": real,
    "double": real,
    "timestamp": moment,
    "blob": blob,
}


def read_text(shape: Shape, text: str) -> Any:
    """The value of a scalar shape; raises Malformed where the text is not of its type."""
    reader = _TEXTS.get(shape.type_name)
    return text if reader is None else reader(text.strip())
