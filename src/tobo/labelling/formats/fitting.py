"""Fitting labels to what a format can say, and saying what is lost on the way.

What a format says is a set of words: `label` (one class a picture), `labels` (several), `boxes`, `polygons`, `mixed`
(with boxes), `parts` (polygons of several), `regions`, `crowd`, `mask`, `confidence`, `origin` (a person or a machine),
`job` (which and when).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from tobo.labelling.dataset import Box, DataObject, Dataset, Label, Loss, Mask, Polygon, Region, Shape
from tobo.labelling.formats.geometry import area, box_around, cropped
from tobo.labelling.formats.manifest_attributes import BACKGROUND
from tobo.labelling.formats.pictures import locate
from tobo.labelling.formats.refusal import Malformed

Step = Callable[[Dataset, frozenset[str]], tuple[Dataset, list[Loss]]]


def fit(dataset: Dataset, says: frozenset[str]) -> tuple[Dataset, tuple[Loss, ...]]:
    """The labels as far as the format says them: shapes become boxes where it has no others, masks become regions."""
    losses: list[Loss] = []
    steps: tuple[Step, ...] = (_fit_masks, _fit_labels, _fit_shapes, _fit_marks)
    for step in steps:
        dataset, found = step(dataset, says)
        losses += found
    return dataset, tuple(losses)


def _fit_masks(dataset: Dataset, says: frozenset[str]) -> tuple[Dataset, list[Loss]]:
    masked = [item for item in dataset.objects if item.mask is not None]
    if not masked or "mask" in says:
        return dataset, []
    lost = [item for item in masked if "regions" not in says or not _found(dataset, item)]
    kept = len(masked) - len(lost)
    objects = tuple(_unmasked(dataset, item, "regions" in says) for item in dataset.objects)
    losses = [Loss(f"{kept} masks become one region a class.", grave=False)] if kept else []
    if lost:
        why = "were not found" if "regions" in says else "have no form in it"
        losses.append(Loss(f"{len(lost)} masks are lost: they {why}."))
    return replace(dataset, objects=objects), losses


def _found(dataset: Dataset, item: DataObject) -> bool:
    """Whether the mask's PNG lies here."""
    return item.mask is not None and locate(dataset.root, item.mask.source) is not None


def _unmasked(dataset: Dataset, item: DataObject, regions: bool) -> DataObject:
    file = locate(dataset.root, item.mask.source) if item.mask and regions else None
    if item.mask is None or file is None:
        return replace(item, mask=None)
    mask = item.mask
    try:
        with Image.open(file) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Malformed(f"{file}: not a mask that can be read ({error}); replace it or leave it out.") from None
    found: list[Shape] = []
    for name, color in mask.colors:
        inside = (pixels == tuple(bytes.fromhex(color[1:]))).all(axis=2)
        if name != BACKGROUND and inside.any():
            found.append(cropped(inside, name, mask.confidence, mask.human))
    height, width = pixels.shape[:2]
    return replace(item, mask=None, width=width, height=height, shapes=(*(item.shapes or ()), *found))


def _fit_labels(dataset: Dataset, says: frozenset[str]) -> tuple[Dataset, list[Loss]]:
    labelled = sum(bool(item.labels) for item in dataset.objects)
    if "label" not in says:
        losses = [Loss(f"The classes of {labelled} whole pictures are lost: it has shapes alone.")] if labelled else []
        return replace(
            dataset, multi=False, objects=tuple(replace(item, labels=None) for item in dataset.objects)
        ), losses
    if not dataset.multi or "labels" in says:
        return dataset, []
    odd = sum(item.labels is not None and len(item.labels) != 1 for item in dataset.objects)
    objects = tuple(
        replace(item, labels=item.labels if item.labels and len(item.labels) == 1 else None) for item in dataset.objects
    )
    losses = (
        [Loss(f"The classes of {odd} pictures are lost: they are none or several, and it says one.")] if odd else []
    )
    return replace(dataset, multi=False, objects=objects), losses


def _fit_shapes(dataset: Dataset, says: frozenset[str]) -> tuple[Dataset, list[Loss]]:
    shapes = [shape for item in dataset.objects for shape in item.shapes or ()]
    if not shapes and "boxes" not in says:
        return replace(dataset, objects=tuple(replace(item, shapes=None) for item in dataset.objects)), []
    losses: list[Loss] = []

    def count(sentence: str, lost: list[Shape], grave: bool = True) -> None:
        if lost:
            losses.append(Loss(f"{len(lost)} {sentence}", grave))

    polygons: list[Shape] = [shape for shape in shapes if isinstance(shape, Polygon)]
    regions = [shape for shape in shapes if isinstance(shape, Region)]
    crowds: list[Shape] = [shape for shape in regions if shape.crowd or not area(shape)]
    if "boxes" not in says:
        count("boxes, polygons and regions are lost: it has classes of whole pictures alone.", shapes)
    elif "polygons" not in says:
        count("polygons become the boxes around them.", polygons)
    elif "parts" not in says:
        split: list[Shape] = [one for one in polygons if isinstance(one, Polygon) and len(one.parts) > 1]
        count("polygons of several parts become one polygon for each part.", split)
    if "polygons" in says and "mixed" not in says and polygons:
        count("boxes become polygons of four corners.", [shape for shape in shapes if isinstance(shape, Box)])
    if "boxes" in says and "regions" not in says:
        count("regions become the boxes around them.", [shape for shape in regions if shape not in crowds])
        count("regions that are empty or cover a crowd are lost.", crowds)
    elif "boxes" in says and "crowd" not in says:
        count("regions that are empty or cover a crowd are lost.", crowds)
    objects = tuple(
        item if item.shapes is None else replace(item, shapes=_shapes_said(item.shapes, says))
        for item in dataset.objects
    )
    return replace(dataset, objects=objects), losses


def _shapes_said(shapes: tuple[Shape, ...], says: frozenset[str]) -> tuple[Shape, ...] | None:
    return tuple(said for shape in shapes for said in _said(shape, says)) if "boxes" in says else None


def _said(shape: Shape, says: frozenset[str]) -> Iterator[Shape]:
    """What becomes of one shape."""
    if isinstance(shape, Region):
        if "crowd" in says:
            yield shape
        elif not shape.crowd and area(shape):
            yield shape if "regions" in says else box_around(shape)
    elif isinstance(shape, Polygon) and "polygons" not in says:
        around = box_around(shape)
        if around.width and around.height:
            yield around
    elif isinstance(shape, Polygon) and "parts" not in says:
        yield from (replace(shape, parts=(part,)) for part in shape.parts)
    else:
        yield shape


def _fit_marks(dataset: Dataset, says: frozenset[str]) -> tuple[Dataset, list[Loss]]:
    marks = [mark for item in dataset.objects for mark in marks_of(item)]
    losses: list[Loss] = []
    confident = sum(mark.confidence is not None for mark in marks)
    if confident and "confidence" not in says:
        losses.append(Loss(f"The confidence of {confident} labels is lost.", grave=False))
    by_machine = sum(mark.human is False for mark in marks)
    if by_machine and "origin" not in says:
        losses.append(Loss(f"That {by_machine} labels are a machine's is lost.", grave=False))
    known = sum(bool(item.made or item.job) for item in dataset.objects)
    if known and "job" not in says:
        losses.append(Loss(f"When and by which job {known} pictures were labelled is lost.", grave=False))
    return dataset, losses


def marks_of(item: DataObject) -> Iterator[Label | Box | Polygon | Region | Mask]:
    """Everything that is said about a picture."""
    yield from item.labels or ()
    yield from item.shapes or ()
    if item.mask is not None:
        yield item.mask
