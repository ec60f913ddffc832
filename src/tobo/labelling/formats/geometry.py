"""What shapes enclose: bounds, areas, corners of turned boxes, bitmaps of regions."""

import math

import numpy as np

from tobo.labelling.dataset import Box, Point, Polygon, Region, Shape
from tobo.labelling.formats import runs
from tobo.labelling.formats.runs import Bitmap


def bounds(shape: Shape) -> tuple[float, float, float, float]:
    """(left, top, width, height) of the upright rectangle around a shape; of a region around its pixels."""
    if isinstance(shape, Box):
        return shape.left, shape.top, shape.width, shape.height
    if isinstance(shape, Polygon):
        xs, ys = zip(*(point for part in shape.parts for point in part), strict=True)
        return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    inside = bitmap(shape)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not rows.size:
        return shape.left, shape.top, 0, 0
    left, top = int(columns[0]), int(rows[0])
    return shape.left + left, shape.top + top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1


def box_around(shape: Shape) -> Box:
    """The box around a shape, of the same class and origin."""
    return Box(*bounds(shape), shape.name, shape.confidence, shape.human)


def area(shape: Shape) -> float:
    """Square pixels inside."""
    if isinstance(shape, Box):
        return shape.width * shape.height
    if isinstance(shape, Region):
        return sum(shape.runs[1::2])
    return sum(_enclosed(part) for part in shape.parts)


def turned(box: Box, degrees: float, about: Point) -> Polygon:
    """A box turned clockwise (as seen, for y grows downwards) by so many degrees about a point."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    moved = tuple(
        (
            round(about[0] + (x - about[0]) * cosine - (y - about[1]) * sine, 4),
            round(about[1] + (x - about[0]) * sine + (y - about[1]) * cosine, 4),
        )
        for x, y in corners(box)
    )
    return Polygon((moved,), box.name, box.confidence, box.human)


def corners(box: Box) -> tuple[Point, ...]:
    """Clockwise from the upper left."""
    right, bottom = box.left + box.width, box.top + box.height
    return (box.left, box.top), (right, box.top), (right, bottom), (box.left, bottom)


def bitmap(region: Region) -> Bitmap:
    """The region's box, (height, width); raises ValueError where the runs do not fill it."""
    return runs.decode(region.runs, region.width * region.height).reshape(region.height, region.width)


def cropped(whole: Bitmap, name: str, confidence: float | None, human: bool | None, crowd: bool = False) -> Region:
    """The region of a picture's True pixels, in the smallest box around them."""
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    if not rows.size:
        return Region(0, 0, 0, 0, (), name, confidence, human, crowd)
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    inside = runs.encode(whole[top:bottom, left:right].ravel())
    return Region(left, top, right - left, bottom - top, inside, name, confidence, human, crowd)


def _enclosed(part: tuple[Point, ...]) -> float:
    """Gauss's shoelace formula."""
    following = (*part[1:], part[0])
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(part, following, strict=True))) / 2
