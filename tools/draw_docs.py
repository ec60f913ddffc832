"""Draws the pages of docs/ that come from the code: coverage.md from the dispatch table, states.md from the state tables.

`python tools/draw_docs.py` writes them; tests/docs/test_docs.py fails where they are not what the code says.
"""

from pathlib import Path

from tobo import resources
from tobo.operations.machine import MACHINES
from tobo.operations.registry import TABLE
from tobo.wire.models import service_model

DOCS = Path(__file__).parent.parent / "docs"


def coverage() -> str:
    """Which operations execute, by service; every other one answers 400 "not implemented"."""
    resources.load()
    services = sorted({service for service, _ in TABLE})
    lines = [
        "# What is built",
        "",
        "Drawn from the dispatch table by `make docs`. An operation that is not built answers 400 `NotImplemented`.",
        "",
        "| service | built | of | operations |",
        "|---|---|---|---|",
    ]
    for service in services:
        names = sorted(name for of, name in TABLE if of == service)
        lines.append(
            f"| {service} | {len(names)} | {len(service_model(service).operation_names)} | {', '.join(names)} |"
        )
    lines += ["", "## What is not built of SageMaker", ""]
    for service in ("sagemaker", "sagemaker-runtime"):
        missing = [name for name in service_model(service).operation_names if (service, name) not in TABLE]
        lines += [f"`{service}`: {', '.join(sorted(missing)) or 'nothing'}.", ""]
    return "\n".join(lines)


def states() -> str:
    """A Mermaid state diagram of each machine."""
    resources.load()
    lines = [
        "# How resources move",
        "",
        "Drawn from the state tables by `make docs`; an edge names its event and then the commands it starts.",
    ]
    for kind, machine in sorted(MACHINES.items()):
        lines += ["", f"## {kind}", "", "```mermaid", "stateDiagram-v2"]
        for (state, event), step in machine.table.items():
            commands = f" / {', '.join(step.commands)}" if step.commands else ""
            lines.append(f"    {state} --> {step.state}: {event}{commands}")
        lines += ["```", "", "| state | AWS status |", "|---|---|"]
        lines += [f"| {state} | {status} |" for state, status in machine.statuses.items()]
    return "\n".join([*lines, ""])


PAGES = {"coverage.md": coverage, "states.md": states}

if __name__ == "__main__":
    for name, draw in PAGES.items():
        (DOCS / name).write_text(draw())
