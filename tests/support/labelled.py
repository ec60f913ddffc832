"""Labelled data sets of the tests: drawn by hypothesis, and a few by hand with names that are hard to carry."""

from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tobo.labelling.dataset import Box, DataObject, Dataset, Label, Point, Polygon, Region, Shape
from tobo.labelling.formats import geometry

NAMES = ("ok", '<b>ko</b> & "more"', "חריטה", "كسر 3", "a, b; c: d", "'quoted' #1", "{curly}: [x]", "no", "1e3")
"""Markup, right-to-left writing, and what YAML, XML, JSON and tabs might trip over."""
MANY = tuple(f"class {number:03}" for number in range(300))
WIDTH, HEIGHT = 320, 240


def _share(limit: int) -> st.SearchStrategy[float]:
    return st.integers(0, limit * 100).map(lambda value: value / 100)


def _box(left: float, top: float, across: float, down: float, name: str) -> Box:
    """`across` and `down` are shares of what is left of the picture."""
    width = max(0.01, round((WIDTH - left) * across, 2))
    return Box(left, top, width, max(0.01, round((HEIGHT - top) * down, 2)), name)


boxes = st.builds(_box, _share(WIDTH - 1), _share(HEIGHT - 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from(NAMES))
points: st.SearchStrategy[Point] = st.tuples(_share(WIDTH), _share(HEIGHT))


def polygons(parts: int = 1) -> st.SearchStrategy[Polygon]:
    part = st.lists(points, min_size=3, max_size=8, unique=True).map(tuple)
    return st.builds(Polygon, st.lists(part, min_size=1, max_size=parts).map(tuple), st.sampled_from(NAMES))


def _region(bits: list[list[bool]], left: int, top: int, name: str) -> Region:
    whole = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    inside = np.array(bits, dtype=np.bool_)
    inside[0, 0] = True
    whole[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return geometry.cropped(whole, name, None, None)


_bits = st.integers(1, 12).flatmap(
    lambda width: st.lists(st.lists(st.booleans(), min_size=width, max_size=width), min_size=1, max_size=12)
)
regions = st.builds(_region, _bits, st.integers(0, WIDTH - 12), st.integers(0, HEIGHT - 12), st.sampled_from(NAMES))
"""Some pixels somewhere in the picture."""


def shaped(shape: st.SearchStrategy[Shape]) -> st.SearchStrategy[Dataset]:
    """Data sets of pictures of 320 x 240 pixels with such shapes."""
    many = st.lists(st.lists(shape, max_size=4).map(tuple), min_size=1, max_size=4)
    return many.map(
        lambda lists: Dataset(
            tuple(sorted(NAMES)),
            tuple(
                DataObject(f"photos/{number}.png", WIDTH, HEIGHT, shapes=shapes) for number, shapes in enumerate(lists)
            ),
        )
    )


def classified(multi: bool, names: tuple[str, ...] = NAMES) -> Dataset:
    """Two pictures a class, in the order of the names; with `multi` of every class and the next, the first of none."""
    ordered = tuple(sorted(names))
    objects = []
    for number in range(2 * len(ordered)):
        place = number // 2
        chosen = {place, (place + 1) % len(ordered)} if multi else {place}
        labels = tuple(Label(ordered[index]) for index in sorted(chosen)) if number or not multi else ()
        objects.append(DataObject(f"photos/{number}.png", labels=labels))
    return Dataset(ordered, tuple(objects), multi)


def draw_pictures(dataset: Dataset, root: Path) -> None:
    """A picture for each object, with its boxes drawn."""
    for item in dataset.objects:
        file = root / item.source
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (item.width or WIDTH, item.height or HEIGHT), "white")
        pen = ImageDraw.Draw(picture)
        for shape in item.shapes or ():
            left, top, width, height = geometry.bounds(shape)
            pen.rectangle((left, top, left + width, top + height), outline="red")
        picture.save(file)
