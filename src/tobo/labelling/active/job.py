"""The process that plans one round of a labelling job: features and people's labels in, questions and machine labels out.

It finds in kit/learning.py's `question`: `settings` (members of rounds.Settings), `round` and `drawn` (of rounds.State),
`asked` (numbers of items that were asked for and have no label) and `labels` (number of an item -> class number).
"""

import json
from dataclasses import asdict

import numpy as np

from tobo.kit import learning
from tobo.kit.guest import run_guest
from tobo.kit.paths import MlPaths
from tobo.labelling.active import rounds
from tobo.labelling.active.head import Head, Ints


def main() -> None:
    """The entry: plans as TOBO_ML_ROOT's input says; writes output/failure and exits 1 where it cannot."""
    run_guest(lambda: plan_round(MlPaths.from_environment()))


def plan_round(paths: MlPaths) -> None:
    """Plans one round. Items without features, as those whose picture is broken, are left out of it."""
    told = json.loads(learning.question(paths).read_text())
    features = np.load(learning.features(paths), mmap_mode="r")
    numbers: Ints = np.load(learning.numbers(paths))
    row_of = {number: row for row, number in enumerate(numbers.tolist())}
    labels = {row_of[number]: label for text, label in told["labels"].items() if (number := int(text)) in row_of}
    asked = tuple(row_of[number] for number in told["asked"] if number in row_of)
    state = rounds.State(rounds.Settings(**told["settings"]), told["round"], asked, told["drawn"])
    made = rounds.plan(state, features, labels)
    answer = {
        "ask": numbers[list(made.ask)].tolist(),
        "machine": [[int(numbers[row]), said.label, said.confidence] for row, said in made.machine.items()],
        "drawn": made.state.drawn,
        "head": made.head is not None,
        "report": asdict(made.report),
    }
    number = made.state.round
    if made.head is not None:
        _write_head(paths, number, made.head)
    file = learning.plan(paths, number)
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(answer))
    partial.replace(file)
    print(f"Round {number}: {len(made.ask)} are asked of people. {made.report.why}", flush=True)


def _write_head(paths: MlPaths, number: int, head: Head) -> None:
    np.savez(
        learning.head(paths, number),
        weight=head.weight / np.float32(head.temperature),
        bias=head.bias / np.float32(head.temperature),
        classes=head.classes,
    )
