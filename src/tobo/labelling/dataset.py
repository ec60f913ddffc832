"""Labelled pictures in memory, whatever file they come from or go to.

Coordinates are pixels of the stored picture, from its upper left corner, as real numbers: a box that covers the first
pixel alone is (0, 0, 1, 1).
"""

from dataclasses import dataclass
from pathlib import Path

Point = tuple[float, float]
"""(x, y) in pixels."""


@dataclass(frozen=True)
class Label:
    """A class of the whole picture. `confidence` is 0..1; `human` False where a machine said it; None: unknown."""

    name: str
    confidence: float | None = None
    human: bool | None = None


@dataclass(frozen=True)
class Box:
    """An upright rectangle around one object of class `name`."""

    left: float
    top: float
    width: float
    height: float
    name: str
    confidence: float | None = None
    human: bool | None = None


@dataclass(frozen=True)
class Polygon:
    """The outline of one object of class `name`: closed, of one part or, where something covers it, of several."""

    parts: tuple[tuple[Point, ...], ...]
    name: str
    confidence: float | None = None
    human: bool | None = None


@dataclass(frozen=True)
class Region:
    """The pixels of one object of class `name`, inside a box of whole pixels.

    `runs` are lengths of runs, row by row, of pixels outside and inside in turn; the first is outside and may be 0.
    `crowd` says that it covers a group of objects (COCO's iscrowd).
    """

    left: int
    top: int
    width: int
    height: int
    runs: tuple[int, ...]
    name: str
    confidence: float | None = None
    human: bool | None = None
    crowd: bool = False


Shape = Box | Polygon | Region


@dataclass(frozen=True)
class Mask:
    """A class for every pixel: `source` is a PNG file, `colors` its (class name, "#rrggbb") pairs in order."""

    source: str
    colors: tuple[tuple[str, str], ...]
    confidence: float | None = None
    human: bool | None = None


@dataclass(frozen=True)
class DataObject:
    """One picture and what is known about it.

    `source` is a path below the dataset's root, or an s3:// address. `width` and `height` are pixels, None: unknown.
    `labels` and `shapes` are None where nobody was asked, and empty where the answer was "none".
    `made` is when (ISO 8601) and `job` by which labelling job the labels were made, where that is known.
    """

    source: str
    width: int | None = None
    height: int | None = None
    labels: tuple[Label, ...] | None = None
    shapes: tuple[Shape, ...] | None = None
    mask: Mask | None = None
    made: str | None = None
    job: str | None = None


@dataclass(frozen=True)
class Loss:
    """What does not come along, in one sentence; `grave` where labels themselves are lost or changed."""

    sentence: str
    grave: bool = True


@dataclass(frozen=True)
class Dataset:
    """Labelled pictures. `classes` are ordered: a class's index is its place.

    `multi` says that a picture may have several labels. `root` is the folder below which relative sources lie.
    `left_out` tells what the reader could not take from its file.
    """

    classes: tuple[str, ...]
    objects: tuple[DataObject, ...]
    multi: bool = False
    root: Path | None = None
    left_out: tuple[Loss, ...] = ()
