"""Boxes: what several workers drew into one picture, consolidated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tobo.labelling.quality import clusters
from tobo.labelling.quality.clusters import Consolidated, Standing, Stands, split

THRESHOLD = 0.5
"""From which IoU on two boxes mean the same thing: PASCAL VOC's (Everingham et al., IJCV 88, 2010)."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """One worker's box in pixels, as in Ground Truth's manifests: `left` and `top` are its corner nearest to the origin."""

    worker: str
    label: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class AgreedBox(Stands):
    """A box that workers drew together, in pixels, and how they stand to it."""

    left: float
    top: float
    width: float
    height: float
    standing: Standing


Boxes = Consolidated[AgreedBox]


def consolidate(boxes: Sequence[Box], workers: int | None = None, threshold: float = THRESHOLD) -> Boxes:
    """Boxes of one picture by IoU clustering, one of a worker in each cluster; `workers` who answered, with a box or without.

    Each edge is the median of its cluster's, the label its workers' majority, the confidence the share of workers who
    gave it times the mean IoU of the boxes with the agreed one. ValueError where `workers` is less than the boxes have.
    """
    boxes = sorted(boxes)  # the same boxes are the same answer, whoever came first
    names, labels = [box.worker for box in boxes], [box.label for box in boxes]
    among = clusters.count_workers(names, workers)
    edges = _edges(boxes)
    found = []
    for members in clusters.cluster(iou(edges, edges), names, labels, threshold):
        middle = np.median(edges[members], axis=0)
        overlap = float(iou(edges[members], middle[None]).mean())
        standing = clusters.standing({names[at]: labels[at] for at in members}, among, overlap)
        left, top, right, bottom = middle.tolist()
        found.append(AgreedBox(left, top, right - left, bottom - top, standing))
    return split(found)


def alike(first: Sequence[Box], second: Sequence[Box], threshold: float = THRESHOLD) -> bool:
    """Whether two answers to a picture are the same: as many boxes, each with its partner of the same label and IoU."""
    if len(first) != len(second):
        return False
    names = ["first"] * len(first) + ["second"] * len(second)
    both = [*first, *second]
    edges = _edges(both)
    labels = [box.label for box in both]
    overlaps = iou(edges, edges) * np.equal.outer(np.array(labels, object), np.array(labels, object))
    return all(len(pair) == 2 for pair in clusters.cluster(overlaps.astype(np.float64), names, labels, threshold))


def iou(first: Floats, second: Floats) -> Floats:
    """[n, m] intersection over union of edges [n, 4] and [m, 4] (left, top, right, bottom); 0 of boxes without an area."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(2)
    union = _area(first)[:, None] + _area(second)[None] - common
    found: Floats = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return found


def _area(edges: Floats) -> Floats:
    area: Floats = np.clip(edges[:, 2:] - edges[:, :2], 0, None).prod(1)
    return area


def _edges(boxes: Sequence[Box]) -> Floats:
    rows = [(box.left, box.top, box.left + box.width, box.top + box.height) for box in boxes]
    return np.array(rows, np.float64).reshape(-1, 4)
