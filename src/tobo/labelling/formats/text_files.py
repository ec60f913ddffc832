"""Text and JSON files: read as UTF-8 or refused by name, written whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any

from tobo.labelling.formats.refusal import Place, Unsayable


def read_text(file: Path) -> str:
    """Raises Malformed where the file cannot be opened or is not UTF-8 text."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        Place(str(file)).refuse(f"cannot be read ({error.strerror or error}).")
    except UnicodeDecodeError as error:
        Place(str(file), f"byte {error.start}").refuse("not UTF-8 text; save the file as UTF-8.")


def read_lines(file: Path) -> list[tuple[int, str]]:
    """(number from 1, text) of the lines that are not blank."""
    lines = (line.removesuffix("\r") for line in read_text(file).split("\n"))
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def read_json(file: Path) -> Any:
    """Raises Malformed with the line where the text is not JSON."""
    return parse_json(read_text(file), Place(str(file)))


def parse_json(text: str, place: Place) -> Any:
    """Raises Malformed naming the place, with the line inside a text of several."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = place.inside(f"line {error.lineno}") if not place.at else place
        at.refuse(f"not JSON ({error.msg} at column {error.colno}).")
    except RecursionError:
        place.refuse("not JSON that can be read (nested too deep).")
    except ValueError:
        place.refuse("not JSON that can be read (a number of more digits than a computer takes).")


def write_text(target: Path, text: str) -> None:
    """A new file; raises Unsayable where something is there already or the text has no UTF-8 form."""
    if target.exists():
        raise Unsayable(f"'{target}' exists; name a target that does not.")
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise Unsayable(
            f"{error.object[error.start : error.start + 20]!r} is not Unicode text; rename the picture or class."
        ) from None
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    partial.write_bytes(data)
    partial.replace(target)


def new_folder(target: Path) -> Path:
    """An empty folder, made where it is not there; raises Unsayable where something is in it."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Unsayable(f"'{target}' exists and is not an empty folder; name a target that does not exist.")
    target.mkdir(parents=True, exist_ok=True)
    return target
