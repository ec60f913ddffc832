"""Polygons: outlines that several workers drew into one picture; of those of one thing the best agreeing is taken."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tobo.labelling.quality import clusters
from tobo.labelling.quality.clusters import Consolidated, Standing, Stands, split

THRESHOLD = 0.5
"""From which IoU on two polygons mean the same thing."""

RASTER = 512
"""Pixels of the longer side of the raster that two polygons are compared on: IoU to about half a percent."""


@dataclass(frozen=True, slots=True, order=True)
class Polygon:
    """One worker's outline: corners (x, y) in pixels, three at least, not closed."""

    worker: str
    label: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class AgreedPolygon(Stands):
    """A worker's outline that agrees best with the others' of the same thing, and how they stand to it."""

    points: tuple[tuple[float, float], ...]
    standing: Standing


Polygons = Consolidated[AgreedPolygon]


def consolidate(polygons: Sequence[Polygon], workers: int | None = None, threshold: float = THRESHOLD) -> Polygons:
    """Polygons of one picture by IoU clustering, as boxes are; `workers` who answered, with a polygon or without.

    A vote of pixels would make an outline of stairs that nobody drew: the cluster's polygon with the largest mean IoU
    with the others is taken as it is, of equals the first. Confidence is the share of workers times that mean.
    ValueError where `workers` is less than the polygons have, or a polygon has less than three corners.
    """
    polygons = sorted(polygons)  # the same polygons are the same answer, whoever came first
    names, labels = [polygon.worker for polygon in polygons], [polygon.label for polygon in polygons]
    among = clusters.count_workers(names, workers)
    overlaps = _overlaps([polygon.points for polygon in polygons])
    found = []
    for members in clusters.cluster(overlaps, names, labels, threshold):
        inside = overlaps[np.ix_(members, members)]
        best = int(inside.sum(1).argmax())
        overlap = float(np.delete(inside[best], best).mean()) if len(members) > 1 else 1.0
        standing = clusters.standing({names[at]: labels[at] for at in members}, among, overlap)
        found.append(AgreedPolygon(polygons[members[best]].points, standing))
    return split(found)


def iou(first: Sequence[tuple[float, float]], second: Sequence[tuple[float, float]]) -> float:
    """Intersection over union of two outlines, on a raster of RASTER pixels; 0 where their frames do not meet.

    ValueError where one has less than three corners.
    """
    for points in (first, second):
        if len(points) < 3:
            raise ValueError(f"A polygon needs three corners at least, this one has {len(points)}: {list(points)!r}.")
    one, two = np.array(first, np.float64), np.array(second, np.float64)
    if (np.minimum(one.max(0), two.max(0)) <= np.maximum(one.min(0), two.min(0))).any():
        return 0.0
    low, high = np.minimum(one.min(0), two.min(0)), np.maximum(one.max(0), two.max(0))
    scale = RASTER / float((high - low).max())
    size = np.ceil((high - low) * scale).astype(int) + 1
    drawn = [_drawn((points - low) * scale, (int(size[0]), int(size[1]))) for points in (one, two)]
    union = int((drawn[0] | drawn[1]).sum())
    return int((drawn[0] & drawn[1]).sum()) / union if union else 0.0


def _drawn(points: npt.NDArray[np.float64], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    image = Image.new("1", size)
    ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in points], fill=1)
    return np.asarray(image)


def _overlaps(outlines: Sequence[tuple[tuple[float, float], ...]]) -> npt.NDArray[np.float64]:
    found = np.eye(len(outlines))
    for one in range(len(outlines)):
        for two in range(one + 1, len(outlines)):
            found[one, two] = found[two, one] = iou(outlines[one], outlines[two])
    return found
