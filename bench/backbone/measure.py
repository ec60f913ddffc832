"""The table: random, shipped and ImageNet weights, each frozen (last layer, all depths) and fine-tuned."""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch

from bench.backbone import frozen, tuned
from bench.backbone.data import SHARED, there
from bench.rows import Row
from tobo.algorithms.image_classification import shipped

FROZEN_SIZE, TUNED_SIZE, SEEDS = 128, 96, 5
FROZEN, TUNED = ("last layer", "all depths"), f"fine-tuned, {tuned.EPOCHS} epochs"
AIMS = {"marbles": 95.0, "sign_digits": 92.0, "deeppcb_crops": 75.0}
"""Percent of the gap between random and ImageNet weights, frozen at all depths."""

Results = dict[str, dict[str, list[float]]]
"""Kind -> data set -> balanced accuracies, one a seed."""


def run() -> list[Row]:
    """Rows for the bench's table; without ImageNet's weights there is nothing to be held against."""
    imagenet = SHARED / "weights" / "mobilenetv2_100.safetensors"
    ours = shipped.file("mobilenetv2_100")
    sources = {"random": None, "shipped": ours, **({"imagenet": imagenet} if imagenet.is_file() else {})}
    table = {name: measure(name, file, FROZEN_SIZE, TUNED_SIZE, SEEDS) for name, file in sources.items()}
    show(table)
    rows = [Row("features of all depths, 96 px, one thread", frozen.milliseconds(ours, 96), "CPU-ms", aim=7)]
    return rows + [
        _row(name, kind, {source: found[kind][name] for source, found in table.items()})
        for name in there()
        for kind in (*FROZEN, TUNED)
    ]


def _row(name: str, kind: str, found: dict[str, list[float]]) -> Row:
    """Accuracy beside ImageNet's; the aim is on the gap for all depths, on the difference for fine-tuning."""
    ours, imagenet = median(found["shipped"]), median(found["imagenet"]) if "imagenet" in found else None
    note = f"random {median(found['random']):.3f}; spread {min(found['shipped']):.3f} to {max(found['shipped']):.3f}"
    aim = None
    if imagenet is not None:
        low = median(found["random"])
        note += f"; {100 * (ours - low) / (imagenet - low):.0f} % of the gap"
        if kind == "all depths":
            aim = low + AIMS[name] / 100 * (imagenet - low)
        elif kind == TUNED:
            aim = imagenet - 0.02
    return Row(f"{name}, {kind}", ours, "", "ImageNet weights", imagenet, aim=aim, at_least=True, note=note)


def measure(
    name: str,
    file: Path | None,
    frozen_size: int,
    tuned_size: int,
    seeds: int,
    kept: Path | None = None,
    kinds: Sequence[str] = (*FROZEN, TUNED),
) -> Results:
    """All that can be measured of one set of weights; what `kept` (a JSON file) has already is not measured again."""
    known = json.loads(kept.read_text()) if kept is not None and kept.exists() else {}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file is not None else "random"
    results: Results = {kind: {} for kind in kinds}
    for data in there():
        for kind in kinds:
            size = tuned_size if kind == TUNED else frozen_size
            key = f"{digest} {data} {kind} {size} px {seeds} seeds"
            if key not in known:
                print(f"{name}: {data}, {kind}", flush=True)
                if kind == TUNED:
                    known[key] = tuned.accuracies(file, data, size, seeds)
                else:
                    for each, found in frozen.accuracies(file, data, size, seeds).items():
                        known[f"{digest} {data} {each} {size} px {seeds} seeds"] = found
                if kept is not None:
                    kept.write_text(json.dumps(known, indent=1))
            results[kind][data] = known[key]
    return results


def show(table: dict[str, Results]) -> None:
    """Median and spread of every cell."""
    for kind in next(iter(table.values())):
        print(f"\n{kind}")
        for name, results in table.items():
            cells = (
                f"{data} {median(values):.3f} ({min(values):.3f} to {max(values):.3f})"
                + _gap(table, kind, data, median(values))
                for data, values in results[kind].items()
            )
            print(f"  {name:10}", "  ".join(cells))


def _gap(table: dict[str, Results], kind: str, data: str, value: float) -> str:
    if "random" not in table or "imagenet" not in table:
        return ""
    low, high = median(table["random"][kind][data]), median(table["imagenet"][kind][data])
    return f" {100 * (value - low) / (high - low):.0f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure weights beside each other.")
    parser.add_argument("weights", nargs="+", help="`random`, or name=file.safetensors; `imagenet=...` is the ceiling")
    parser.add_argument("--results", type=Path, help="a JSON file that keeps what was measured")
    parser.add_argument("--kinds", default="last layer,all depths", help=f"also: {TUNED.replace(',', '')}")
    parser.add_argument("--size", type=int, default=FROZEN_SIZE, help="pixels, frozen")
    parser.add_argument("--tuned-size", type=int, default=TUNED_SIZE)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    kinds = tuple(TUNED if each.startswith("fine") else each for each in asked.kinds.split(","))
    table = {}
    for each in asked.weights:
        name, _, file = each.partition("=")
        table[name] = measure(
            name, Path(file) if file else None, asked.size, asked.tuned_size, asked.seeds, asked.results, kinds
        )
    show(table)
