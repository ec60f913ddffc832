"""Labels that active learning needs for the accuracy of all labels, beside random sampling, on two sets of real pictures.

Frozen features of the weights that tobo ships (all depths, 128 px, `bench/backbone`), the data's own test pictures held
out, five seeds. A share of labels reaches the accuracy of all labels where the head trained on it, on the mean of the seeds, is at
most HALF_POINT below the head trained on all of them, there and at every larger share that was measured.
`python -m bench.active_learning` prints the curves; what was measured is kept in $TOBO_BENCH_CACHE.
"""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from bench.backbone import frozen
from bench.rows import Row
from tobo.algorithms.image_classification import shipped
from tobo.labelling.active import rounds, seeding
from tobo.labelling.active.choosing import batch as useful_batch
from tobo.labelling.active.head import Floats, Head, Ints, Scale, scale, train
from tobo.resources.labeling_jobs.learning import SETTINGS

SHARED = Path(os.environ.get("TOBO_SHARED", Path(__file__).parents[2] / "shared"))
KEPT = Path(os.environ.get("TOBO_BENCH_CACHE", Path.home() / ".cache" / "tobo" / "bench"))
NAMES = ("sign_digits", "deeppcb_crops")
SIZE, SEEDS = 128, 5
HALF_POINT = 0.005
WANTED, MACHINE_SEEDS = 0.95, 3
"""Accuracy of a machine's labels, and jobs that are played for it: some 10 CPU-s each on hand signs, 60 on circuit boards."""

STEP = 0.05
"""Share of the pool that a round asks for."""
LAST = {"random": 1.0}
"""Share at which a curve ends; .6 where nothing is said."""


class Data(NamedTuple):
    """Features float32 (items, f) and classes (items,) of the pool and of the pictures held out."""

    pool: Floats
    classes: Ints
    unseen: Floats
    truth: Ints

    def accuracy(self, head: Head) -> float:
        """On the pictures held out."""
        said = head.classes[head.probabilities(self.unseen).argmax(1)]
        return float((said == self.truth).mean())


Choice = Callable[[Data, Scale, Head, Ints, Ints, int, np.random.Generator], Ints]
"""(data, scaling, head, known, open, count, random) -> so many of the open items."""


def run() -> list[Row]:
    """One row a data set and strategy, and two for what a machine labels in a job as labelling jobs run it."""
    if not all((SHARED / "data" / name).is_dir() for name in NAMES):
        return [Row("active learning", None, "%", note=f"no {' or '.join(NAMES)} in {SHARED / 'data'} (TOBO_SHARED)")]
    rows = []
    for name in NAMES:
        full = float(np.mean([measured(name, "all", seed)["accuracy"] for seed in range(SEEDS)]))
        needed = {strategy: reached(curve(name, strategy), full) for strategy in STRATEGIES}
        beside = needed["random"]
        for strategy, share in needed.items():
            if strategy != "random":
                note = f"all labels {full:.3f}; {'not reached' if share is None else ''}"
                rows.append(
                    Row(
                        f"{name}: labels needed, {strategy}",
                        _percent(share),
                        "%",
                        "random",
                        _percent(beside),
                        aim=50,
                        note=note,
                    )
                )
        rows += _machine_rows(name)
    return rows


def _machine_rows(name: str) -> list[Row]:
    """The share of the labels that a machine gives, and of these the right ones; the mean of the seeds."""
    jobs = [measured(name, f"job {WANTED}", seed) for seed in range(MACHINE_SEEDS)]
    given = [job for job in jobs if job["machine"]]
    saved = float(np.mean([job["machine"] / (job["machine"] + job["human"]) for job in jobs]))
    right = float(np.mean([job["right"] for job in given])) if given else None
    note = "" if given else jobs[0]["why"]
    return [
        Row(f"{name}: labels by machine, wanted right {WANTED:.0%}", 100 * saved, "%", note=note),
        Row("of these right", _percent(right), "%", aim=100 * WANTED, at_least=True),
    ]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def reached(points: dict[float, float], full: float) -> float | None:
    """The share from which on a curve stays at most HALF_POINT below `full`; None where its end is below."""
    found = None
    for share, accuracy in sorted(points.items(), reverse=True):
        if accuracy < full - HALF_POINT:
            break
        found = share
    return found


def curve(name: str, strategy: str) -> dict[float, float]:
    """Share of labels -> mean accuracy over the seeds."""
    found = [measured(name, strategy, seed)["curve"] for seed in range(SEEDS)]
    return {float(share): float(np.mean([each[share] for each in found])) for share in found[0]}


def measured(name: str, strategy: str, seed: int) -> dict[str, Any]:
    """What one run gave; kept, so that it is measured once."""
    file = KEPT / f"active-{name}-{strategy.replace(' ', '_')}-{seed}.json"
    if not file.exists():
        data = load(name)
        if strategy == "all":
            found: dict[str, Any] = {"accuracy": data.accuracy(train(data.pool, data.classes, _scaling(name), seed))}
        elif strategy == "the product":
            found = {"curve": _rounds(data, rounds.Settings(accuracy=0.999, rounds=20, seed=seed))}
        elif strategy.startswith("job"):
            found = _job(data, float(strategy.split()[1]), seed)
        else:
            found = {"curve": _learned(data, _scaling(name), STRATEGIES[strategy], seed, LAST.get(strategy, 0.6))}
        file.write_text(json.dumps(found))
    return json.loads(file.read_text())  # type: ignore[no-any-return]


def _learned(data: Data, scaling: Scale, choose: Choice, seed: int, last: float) -> dict[str, float]:
    """Accuracies after each step of a strategy that begins with a diverse sample, or at random."""
    random, count = np.random.default_rng(seed), len(data.pool)
    order = random.permutation(count)
    if choose is not _at_random:
        order = seeding.diverse(seeding.directions(data.pool, scaling, seed), round(STEP * count), random)
    known, found = order[: round(STEP * count)], dict[str, float]()
    head = train(data.pool[known], data.classes[known], scaling, seed)
    for step in range(1, round(last / STEP) + 1):
        wanted = round(step * STEP * count) - len(known)
        if wanted:
            left = np.setdiff1d(np.arange(count), known)
            known = np.concatenate([known, choose(data, scaling, head, known, left, wanted, random)])
        if step > 12 and step % 2:
            continue  # random sampling alone goes this far, and needs no head to choose
        if wanted:
            head = train(data.pool[known], data.classes[known], scaling, seed)
        found[f"{step * STEP:.2f}"] = data.accuracy(head)
    return found


def _rounds(data: Data, settings: rounds.Settings) -> dict[str, float]:
    """The same for the product's rounds, a quarter of whose questions are for the validation set."""
    found: dict[str, float] = {}
    state, labels = rounds.State(settings), dict[int, int]()
    while state.round <= round(0.6 / STEP):
        made = rounds.plan(state, data.pool, labels)
        if made.head is not None:
            found[f"{state.round * STEP:.2f}"] = data.accuracy(made.head)
        state = made.state
        labels.update({item: int(data.classes[item]) for item in made.ask})
    return found


def _job(data: Data, wanted: float, seed: int) -> dict[str, Any]:
    """A labelling job until all is labelled: by whom, and how many of the machine's labels are right."""
    state, labels = rounds.State(replace(SETTINGS, accuracy=wanted, seed=seed)), dict[int, int]()
    while (made := rounds.plan(state, data.pool, labels)).ask:
        state = made.state
        labels.update({item: int(data.classes[item]) for item in made.ask})
    right = [data.classes[item] == said.label for item, said in made.machine.items()]
    return {
        "human": len(data.pool) - len(right),
        "machine": len(right),
        "right": float(np.mean(right)) if right else None,
        "why": made.report.why,
    }


def _at_random(
    data: Data, scaling: Scale, head: Head, known: Ints, left: Ints, count: int, random: np.random.Generator
) -> Ints:
    return random.choice(left, count, replace=False)


def _margin(
    data: Data, scaling: Scale, head: Head, known: Ints, left: Ints, count: int, random: np.random.Generator
) -> Ints:
    """The least difference of the two likeliest classes."""
    best = np.sort(head.probabilities(data.pool, left), 1)
    return left[np.argsort(best[:, -1] - best[:, -2], kind="stable")[:count]]


def _badge(
    data: Data, scaling: Scale, head: Head, known: Ints, left: Ints, count: int, random: np.random.Generator
) -> Ints:
    """k-means++ on the gradients of the last layer (Ash et al. 2020, arXiv:1906.03671): (p - said) x features."""
    errors = head.probabilities(data.pool, left)
    errors[np.arange(len(left)), errors.argmax(1)] -= 1
    points = seeding.directions(data.pool[left], scaling)
    gradients = (errors[:, :, None] * points[:, None, :]).reshape(len(left), -1)
    return left[seeding.diverse(gradients, count, random)]


def _useful(
    data: Data, scaling: Scale, head: Head, known: Ints, left: Ints, count: int, random: np.random.Generator
) -> Ints:
    return useful_batch(head, data.pool, scaling, known, left, count, random)


STRATEGIES: dict[str, Choice] = {
    "random": _at_random,
    "the product": _useful,
    "margin": _margin,
    "BADGE": _badge,
    "useful batches": _useful,
}
"""`the product` is `rounds.plan` with its validation set; the last is what it asks for without one."""


@cache
def load(name: str) -> Data:
    """Features, computed once and kept in KEPT."""
    KEPT.mkdir(parents=True, exist_ok=True)
    file = KEPT / f"active-{name}-{SIZE}.npz"
    if not file.exists():
        network = frozen.network(shipped.file("mobilenetv2_100"))
        folder, found = SHARED / "data" / name, list[NDArray[np.generic]]()
        for part in ("train", "test"):
            classes = sorted(each.name for each in (folder / part).iterdir())
            files = [
                (file, number)
                for number, each in enumerate(classes)
                for file in sorted((folder / part / each).iterdir())
            ]
            found += [frozen.features(network, np.stack([_pixels(each) for each, _ in files])).numpy()]
            found += [np.array([number for _, number in files], np.int64)]
        np.savez(file, *found)
    with np.load(file) as kept:
        return Data(*(kept[f"arr_{number}"] for number in range(4)))


def _pixels(file: Path) -> NDArray[np.uint8]:
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR))


@cache
def _scaling(name: str) -> Scale:
    return scale(load(name).pool)


def main() -> None:
    torch.set_num_threads(1)
    for name in NAMES:
        full = [measured(name, "all", seed)["accuracy"] for seed in range(SEEDS)]
        print(f"\n{name}: all labels {np.mean(full):.4f} ({min(full):.4f} to {max(full):.4f})", flush=True)
        for strategy in STRATEGIES:
            points = curve(name, strategy)
            cells = "  ".join(f"{100 * share:.0f} %: {accuracy:.3f}" for share, accuracy in points.items())
            print(f"  {strategy}: reached at {reached(points, float(np.mean(full)))}; {cells}", flush=True)
        for seed in range(MACHINE_SEEDS):
            print(f"  a job, seed {seed}: {measured(name, f'job {WANTED}', seed)}", flush=True)


if __name__ == "__main__":
    main()
