"""One round of active learning as a pure step: ask people, train, label by machine what is justified, repeat.

The validation set is a lottery: the items in a random order that only the seed decides, its first `drawn` tickets ask for
a label whatever the head thinks. So it stays a uniform sample of all items, however the other questions are chosen. Its labels
train the head too: what counts as said about a validation item is said by a head that did not see its label
(cross-validation), so none is wasted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from tobo.labelling.active import auto_label, choosing, seeding
from tobo.labelling.active.auto_label import Threshold
from tobo.labelling.active.head import Floats, Head, Ints, scale, train

MOST_ASKED = 1000
"""Items a round where the settings name no number."""


@dataclass(frozen=True)
class Settings:
    """`accuracy` that machine labels have to reach, with a `risk` of being told so wrongly, in all `rounds` together.

    `first` and `batch` items are asked for in the first and in each later round; None: 5 % of all, at least 20 and 10, at
    most MOST_ASKED. `checked` is the share of a round's questions that the lottery draws. No more than `budget` items are ever asked for.
    """

    accuracy: float = 0.95
    risk: float = 0.05
    rounds: int = 10
    first: int | None = None
    batch: int | None = None
    checked: float = 0.25
    budget: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class State:
    """All that goes from a round to the next one: `asked` items in order, and the lottery's tickets `drawn` so far."""

    settings: Settings = field(default_factory=Settings)
    round: int = 0
    asked: tuple[int, ...] = ()
    drawn: int = 0


@dataclass(frozen=True)
class MachineLabel:
    """A class number and its calibrated probability."""

    label: int
    confidence: float


Machine = dict[int, MachineLabel]
Choice = Callable[[Ints, int], Ints]
"""So many of these items."""


@dataclass(frozen=True)
class Report:
    """What a round has reached: counts of items, and what is known about the accuracy.

    `saved` is machine / (human + machine). `threshold` is what justifies the machine's labels, with how many it was
    checked on and its lower bound; None: none is justified, and `why` says so. `whole` is the head's accuracy over all items,
    measured on the validation set, with a two-sided Clopper-Pearson interval at level 1 - risk; None without one.
    """

    items: int
    human: int
    machine: int
    validated: int
    saved: float
    threshold: Threshold | None
    whole: tuple[float, float, float] | None
    why: str


@dataclass(frozen=True)
class Round:
    """`ask` people for these items; `machine` labels of items nobody was asked for, each round's in the place of the last one's;
    go on with `state` once people have answered. With nothing to ask for, the job is done. `head` is what was trained."""

    ask: tuple[int, ...]
    machine: Machine
    report: Report
    state: State
    head: Head | None


def plan(state: State, features: Floats, human_labels: Mapping[int, int]) -> Round:
    """The next round. The same state, features and labels give the same one, on any day and after any crash.

    `features` (items, dimensions); `human_labels` the class number of each item that people have labelled, also of items that
    no round asked for. An item that was asked for and has no label is one that people could not label: it is not asked for
    again and no machine labels it. Raises ValueError for an item that is not there, and for no items.
    """
    if features.ndim != 2 or not len(features):
        raise ValueError(f"Features have the shape {features.shape}; wanted: at least one item, and two dimensions.")
    strange = [item for item in human_labels if not 0 <= item < len(features)]
    if strange:
        raise ValueError(f"Item {strange[0]} has a label, but there are only {len(features)} items.")
    settings, known = state.settings, np.array(sorted(human_labels), np.int64)
    open_items = np.setdiff1d(np.arange(len(features)), np.concatenate([known, np.array(state.asked, np.int64)]))
    lottery = np.random.default_rng((settings.seed, 1)).permutation(len(features))
    if not len(known):
        report = Report(len(features), 0, 0, 0, 0.0, None, None, "Nobody has labelled an item yet.")
        return _asked(state, lottery, open_items, {}, report, _diverse(state, features), None)
    labels = np.array([human_labels[int(item)] for item in known], np.int64)
    scaling = scale(features)
    head = train(features[known], labels, scaling, settings.seed)
    machine, report = _machine(state, features, known, labels, open_items, lottery[: state.drawn], head)
    rest = np.array([item for item in open_items.tolist() if item not in machine], np.int64)

    def useful(left: Ints, count: int) -> Ints:
        random = np.random.default_rng((settings.seed, 2, state.round))
        return choosing.batch(head, features, scaling, known, left, count, random)

    return _asked(state, lottery, rest, machine, report, useful, head)


def _machine(
    state: State, features: Floats, known: Ints, labels: Ints, open_items: Ints, drawn: Ints, head: Head
) -> tuple[Machine, Report]:
    """The machine's labels of `open_items`, and the report that justifies them."""
    settings = state.settings
    validated = np.flatnonzero(np.isin(known, drawn))
    risk = settings.risk / settings.rounds
    found: Threshold | None = None
    whole, machine = None, Machine()
    if head.held_out is None or not len(validated):
        why = "There are too few labels to hold any out."
    else:
        said = head.held_out[validated]
        right = head.classes[said.argmax(1)] == labels[validated]
        whole = _interval(int(right.sum()), len(right), settings.risk)
        probabilities = head.probabilities(features, open_items)
        sure = probabilities.max(1)
        found = auto_label.threshold(said.max(1), right, sure, settings.accuracy, risk)
        why = _reason(found, len(validated), settings, risk)
        if found is not None:
            machine = {
                int(open_items[row]): MachineLabel(int(head.classes[probabilities[row].argmax()]), float(sure[row]))
                for row in np.flatnonzero(sure >= found.confidence)
            }
    total = len(known) + len(machine)
    saved = len(machine) / total
    return machine, Report(len(features), len(known), len(machine), len(validated), saved, found, whole, why)


def _reason(found: Threshold | None, validated: int, settings: Settings, risk: float) -> str:
    if found is not None:
        return (
            f"Above a confidence of {found.confidence:.3f}, {found.right} of {found.checked} validation items were right: "
            f"at least {found.bound:.1%} are, at a risk of {settings.risk:g}."
        )
    least = auto_label.needed(settings.accuracy, risk)
    if validated < least:
        return f"{validated} validation items justify no threshold; an accuracy of {settings.accuracy:g} needs {least} or more."
    return f"On {validated} validation items no confidence justifies an accuracy of {settings.accuracy:g}."


def _interval(right: int, count: int, risk: float) -> tuple[float, float, float]:
    """Measured accuracy and its two-sided interval."""
    low, high = auto_label.lower_bound(right, count, risk / 2), auto_label.upper_bound(right, count, risk / 2)
    return right / count, low, high


def _diverse(state: State, features: Floats) -> Choice:
    """The first sample's choice."""

    def choose(left: Ints, count: int) -> Ints:
        points = seeding.directions(features, scale(features), state.settings.seed)
        return left[seeding.diverse(points[left], count, np.random.default_rng((state.settings.seed, 0)))]

    return choose


def _asked(
    state: State, lottery: Ints, rest: Ints, machine: Machine, report: Report, choice: Choice, head: Head | None
) -> Round:
    """The round that asks for tickets of the lottery, and for some of `rest`, which nobody and no machine has labelled."""
    settings = state.settings
    count = _count(state, report.items, len(rest))
    free, asked, tickets = {*rest.tolist(), *machine}, list[int](), state.drawn
    # A ticket whose item has its label already joins the validation set for nothing; a machine's label does not count.
    while tickets < len(lottery) and len(asked) < round(count * settings.checked):
        if (item := int(lottery[tickets])) in free:
            asked.append(item)
        tickets += 1
    left = np.setdiff1d(rest, np.array(asked, np.int64))
    asked += choice(left, min(count - len(asked), len(left))).tolist()
    kept = {item: label for item, label in machine.items() if item not in set(asked)}
    report = replace(report, machine=len(kept), saved=len(kept) / max(report.human + len(kept), 1))
    return Round(tuple(asked), kept, report, State(settings, state.round + 1, (*state.asked, *asked), tickets), head)


def _count(state: State, items: int, rest: int) -> int:
    """How many to ask for: none where no round, no budget or no item is left."""
    settings = state.settings
    if state.round >= settings.rounds:
        return 0
    wanted = settings.first if state.round == 0 else settings.batch
    if wanted is None:
        wanted = min(max(items // 20, 20 if state.round == 0 else 10), MOST_ASKED)
    budget = items if settings.budget is None else max(settings.budget - len(state.asked), 0)
    return min(wanted, budget, rest)
