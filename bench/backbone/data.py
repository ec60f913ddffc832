"""The three data sets: drawn marbles, hand signs, crops of printed circuit boards; 500 to learn from, 500 unseen."""

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tobo.line import marbles

SHARED = Path(os.environ.get("TOBO_SHARED", Path(__file__).parents[3] / "shared"))
NAMES = ("marbles", "sign_digits", "deeppcb_crops")
KNOWN, UNSEEN = 500, 500
POOL = 1000
"""Training pictures among which each seed picks its KNOWN."""


class Pictures(NamedTuple):
    """`pixels` uint8 [n, size, size, 3] and `classes` int64 [n]."""

    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]

    def picked(self, seed: int) -> NDArray[np.int64]:
        """The rows of KNOWN of them, chosen by a seed."""
        return np.random.default_rng(seed).permutation(len(self.classes))[:KNOWN]


def there(shared: Path = SHARED) -> tuple[str, ...]:
    """The data sets that can be measured here: marbles are drawn, the others are looked for in `shared`/data."""
    return tuple(name for name in NAMES if name == "marbles" or (shared / "data" / name).is_dir())


@cache
def load(name: str, size: int, shared: Path = SHARED) -> tuple[Pictures, Pictures]:
    """The pool of training pictures and the unseen ones, each the same on every call."""
    if name == "marbles":
        return _marbles(POOL, 1, size), _marbles(UNSEEN, 2, size)
    folder = shared / "data" / name
    return _folders(folder / "train", POOL, size), _folders(folder / "test", UNSEEN, size)


def _marbles(count: int, seed: int, size: int) -> Pictures:
    drawn = [(photo.pixels, int(photo.label == "ko")) for photo in marbles.photos(count, seed=seed, size=size)]
    return Pictures(np.stack([pixels for pixels, _ in drawn]), np.array([label for _, label in drawn]))


def _folders(folder: Path, count: int, size: int) -> Pictures:
    """Random pictures of a folder with one folder a class."""
    names = sorted(each.name for each in folder.iterdir())
    files = [(file, number) for number, name in enumerate(names) for file in sorted((folder / name).iterdir())]
    order = np.random.default_rng(7).permutation(len(files))[:count]
    pixels = []
    for index in order:
        with Image.open(files[index][0]) as picture:
            shown = picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
            pixels.append(np.asarray(shown))
    return Pictures(np.stack(pixels), np.array([files[index][1] for index in order]))


def balanced_accuracy(said: NDArray[np.int64], true: NDArray[np.int64]) -> float:
    """The mean of the classes' recalls."""
    return float(np.mean([(said[true == each] == each).mean() for each in np.unique(true)]))
