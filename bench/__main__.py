"""`python -m bench [name ...]`: runs all measurements, or those that are named, and prints one table."""

import importlib
import sys
import time
import traceback

from rich.console import Console

from bench.rows import Row, show

NAMES = (
    "micro",
    "marbles",
    "twin",
    "idle",
    "echo",
    "updates",
    "overload",
    "resnet",
    "objects",
    "describe",
    "search",
    "first_step",
    "head",
    "edge",
    "console",
    "notebooks",
    "labelling",
    "tuning",
    "strategies",
    "transform",
    "compile",
    "consensus",
    "metering",
    "alarms",
)
LONG = ("backbone", "sorting", "active_learning")
"""Run only when named: 20 minutes, 5 and 30."""


def main(names: list[str]) -> int:
    """The exit code: 1 where a measurement could not be made; a missed aim is no failure."""
    unknown = set(names) - {*NAMES, *LONG}
    if unknown:
        print(f"No measurement is called {', '.join(sorted(unknown))}; there are {', '.join((*NAMES, *LONG))}.")
        return 2
    progress = Console(stderr=True)
    rows: list[Row] = []
    failed = False
    for name in names or NAMES:
        begin = time.monotonic()
        try:
            rows += importlib.import_module(f"bench.{name}").run()
        except Exception:
            failed = True
            traceback.print_exc()
            rows.append(Row(name, None, "", note="could not be measured"))
        progress.print(f"{name}: {time.monotonic() - begin:.1f} s")
    show(rows)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
