"""Draws the pictures of every class into a cache on disk, on several processes.

A cache is a folder with `planes.npy` (uint8 [pictures, 3, size, size]: cover, mix, light; a class's pictures lie
together) and `cache.json`, which is written last and says what is in it.
"""

import argparse
import json
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tools.pretrain import formulas


class Cache(NamedTuple):
    """A finished cache. `dark` bool [classes]: figures must stay darker than their ground; `kinds` [classes]."""

    planes: NDArray[np.uint8]
    dark: NDArray[np.bool_]
    kinds: NDArray[np.int64]
    classes: int
    per_class: int
    description: dict[str, Any]


def read(folder: Path) -> Cache:
    """Opens a cache without reading it; raises FileNotFoundError where it is not finished, ValueError where it is old."""
    description = json.loads((folder / "cache.json").read_text())
    if description["formulas"] != formulas.VERSION:
        raise ValueError(
            f"'{folder}' was drawn by version {description['formulas']} of the formulas, which are at "
            f"{formulas.VERSION} now; draw it anew."
        )
    which = formulas.classes(description["part"])
    dark = np.array([formulas.FAMILIES[each.family].dark for each in which])
    planes = np.load(folder / "planes.npy", mmap_mode="r")
    return Cache(planes, dark, np.array(formulas.kinds(which)), len(which), description["per_class"], description)


def generate(folder: Path, per_class: int, size: int, seed: int, part: float = 1.0, processes: int = 1) -> Cache:
    """Draws `per_class` pictures of each class (or of a part of the classes) and opens the cache."""
    folder.mkdir(parents=True, exist_ok=True)
    which = formulas.classes(part)
    file = folder / "planes.npy"
    shape = (len(which) * per_class, 3, size, size)
    np.lib.format.open_memmap(file, "w+", np.uint8, shape).flush()
    tasks = [(file, number, each, per_class, size, seed) for number, each in enumerate(which)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for _ in pool.imap_unordered(_draw_class, tasks, chunksize=4):
            pass
    description = {
        "formulas": formulas.VERSION,
        "seed": seed,
        "part": part,
        "per_class": per_class,
        "size": size,
        "classes": len(which),
    }
    partial = folder / f"cache.json.{os.getpid()}"
    partial.write_text(json.dumps(description))
    partial.replace(folder / "cache.json")
    return read(folder)


def _draw_class(task: tuple[Path, int, formulas.Class, int, int, int]) -> None:
    file, number, which, per_class, size, seed = task
    planes = np.load(file, mmap_mode="r+")
    for picture in range(per_class):
        drawn = np.stack(formulas.draw(which, picture, seed, size))
        planes[number * per_class + picture] = np.rint(np.clip(drawn, 0, 1) * 255)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a cache of formula pictures.")
    parser.add_argument("cache", type=Path)
    parser.add_argument("--per-class", type=int, default=50)
    parser.add_argument("--size", type=int, default=96, help="pixels; the trainer crops from it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", type=float, default=1.0, help="part of the classes to draw")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    started = time.monotonic()
    cache = generate(asked.cache, asked.per_class, asked.size, asked.seed, asked.part, asked.processes)
    seconds = time.monotonic() - started
    print(f"{len(cache.planes)} pictures of {cache.classes} classes in {seconds:.0f} s")


if __name__ == "__main__":
    main()
