"""The end of the story: confusion matrix, accuracy, milliseconds a photo."""

import statistics
from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from tobo.cli.story.serving import Answer

SHOWN = 24
"""Photos on the contact sheet at most."""


def confusion(answers: Sequence[Answer], classes: tuple[str, ...]) -> list[list[int]]:
    """Counts [truth][prediction], both in the order of `classes`."""
    counts = [[0] * len(classes) for _ in classes]
    for answer in answers:
        counts[classes.index(answer.picture.label)][classes.index(answer.predicted)] += 1
    return counts


def confusion_table(answers: Sequence[Answer], classes: tuple[str, ...]) -> Table:
    """The confusion matrix for the terminal, with each class's share of right answers."""
    table = Table(box=box.SIMPLE)
    table.add_column("truth \\ prediction")
    for label in classes:
        table.add_column(escape(label), justify="right")
    table.add_column("right", justify="right")
    for index, (label, row) in enumerate(zip(classes, confusion(answers, classes), strict=True)):
        share = f"{row[index] / sum(row):.1%}" if sum(row) else "-"
        table.add_row(escape(label), *(str(count) for count in row), share)
    return table


def accuracy(answers: Sequence[Answer]) -> float:
    """Share of right answers; `answers` must not be empty."""
    return sum(answer.right for answer in answers) / len(answers)


def milliseconds(answers: Sequence[Answer]) -> tuple[float, float]:
    """(median, the time that 95 % stay below) of a call, as the client sees it."""
    times = sorted(answer.milliseconds for answer in answers)
    return statistics.median(times), times[min(len(times) - 1, int(0.95 * len(times)))]


def worth_seeing(answers: Sequence[Answer]) -> tuple[str, list[Answer]]:
    """(what they are, the photos for the contact sheet): the surest mistakes first, or the least certain photos."""
    wrong = sorted((answer for answer in answers if not answer.right), key=lambda answer: -answer.score)
    if wrong:
        return "mistakes", wrong[:SHOWN]
    return "least certain photos (there was no mistake)", sorted(answers, key=lambda answer: answer.score)[:12]
