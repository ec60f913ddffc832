"""Row: one measured figure beside its floor or peer and its aim, and the table of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """`ours` and `theirs` in `unit`. `aim` bounds `ours`, or `aim_ratio` ours / theirs: from above, or below (`at_least`)."""

    what: str
    ours: float | None
    unit: str
    peer: str = ""
    theirs: float | None = None
    aim: float | None = None
    aim_ratio: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.ours is not None and self.theirs else None

    @property
    def met(self) -> bool | None:
        """None where there is no aim, or nothing to hold against it."""
        if self.aim is not None:
            value, bound = self.ours, self.aim
        elif self.aim_ratio is not None:
            value, bound = self.ratio, self.aim_ratio
        else:
            return None
        if value is None:
            return None
        return value >= bound if self.at_least else value <= bound

    def cells(self) -> tuple[str, ...]:
        sign = "≥" if self.at_least else "≤"
        aim = f"{sign} {self.aim_ratio:g} x" if self.aim_ratio is not None else ""
        if self.aim is not None:
            aim = f"{sign} {self.aim:g}"
        met = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[self.met]
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else ""
        return (self.what, _number(self.ours), self.unit, self.peer, _number(self.theirs), ratio, aim, met, self.note)


def show(rows: Iterable[Row]) -> None:
    """One table on stdout."""
    table = Table(title="tobo bench")
    for heading in ("what", "tobo", "unit", "beside", "its", "ratio", "aim", "met", "note"):
        table.add_column(heading, justify="right" if heading in ("tobo", "its", "ratio", "aim") else "left")
    for row in rows:
        table.add_row(*row.cells())
    Console(width=170).print(table)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
