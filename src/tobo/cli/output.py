"""What commands print: tables on a terminal, tab-separated lines in a pipe, JSON where it is asked for."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

_MARKS = {"Completed": "green", "InService": "green", "Failed": "red", "Stopped": "yellow", "Stopping": "yellow"}


def show(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table; in a pipe its rows alone, with tabs between the cells."""
    rows = [[plain(cell.replace("\t", " ").replace("\n", " ")) for cell in row] for row in rows]
    if not console.is_terminal:
        for row in rows:
            print("\t".join(row))
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(_colored(cell) for cell in row))
    console.print(table)


def show_json(value: Any) -> None:
    """One JSON text, times in ISO 8601."""
    print(json.dumps(value, indent=2, default=_time))


def show_json_line(value: Any) -> None:
    """One of many, on a line of its own."""
    print(json.dumps(value, default=_time), flush=True)


def time_of(moment: datetime | None) -> str:
    """Local time to the second, "" for none."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is of the transport."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def plain(text: str) -> str:
    """A text of somebody unknown without what steers a terminal: its lines stay, all else that is not printed goes."""
    return "".join(letter for letter in text if letter == "\n" or letter.isprintable())


def _colored(cell: str) -> str:
    color = _MARKS.get(cell)
    return f"[{color}]{cell}[/]" if color else escape(cell)


def _time(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone().isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON")
