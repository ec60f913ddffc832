"""Likeness: when two answers to an item are the same one, for counting how often a worker is right."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tobo.labelling.quality import boxes, polygons
from tobo.resources.labeling_jobs.consolidation import class_map
from tobo.resources.labeling_jobs.task_types import Shape

OVERLAP = 0.5
"""Intersection over union of two outlines, or of a class in two masks, from which on they are the same."""

Answer = Mapping[str, Any]


def alike(shape: Shape, one: Answer, other: Answer, labels: Sequence[str]) -> bool:
    """Whether they say the same: classes exactly, spans to the letter, boxes, polygons and masks by their overlap."""
    return _BY_SHAPE[shape](one, other, labels)


def _classes(one: Answer, other: Answer, labels: Sequence[str]) -> bool:
    return set(one["labels"]) == set(other["labels"])


def _boxes(one: Answer, other: Answer, labels: Sequence[str]) -> bool:
    return boxes.alike(_drawn(one), _drawn(other), OVERLAP)


def _polygons(one: Answer, other: Answer, labels: Sequence[str]) -> bool:
    """As many, each with a partner of its label that no other one has."""
    left = list(other["polygons"])
    for polygon in one["polygons"]:
        partner = next(
            (
                each
                for each in left
                if each["label"] == polygon["label"] and polygons.iou(_points(polygon), _points(each)) >= OVERLAP
            ),
            None,
        )
        if partner is None:
            return False
        left.remove(partner)
    return not left


def _mask(one: Answer, other: Answer, labels: Sequence[str]) -> bool:
    first, second = class_map(one, labels), class_map(other, labels)
    if first.shape != second.shape:
        return False
    for number in range(1, len(labels) + 1):
        mine, yours = first == number, second == number
        either = (mine | yours).sum()
        if either and (mine & yours).sum() < OVERLAP * either:
            return False
    return True


def _spans(one: Answer, other: Answer, labels: Sequence[str]) -> bool:
    return _marked(one) == _marked(other)


_BY_SHAPE: Mapping[Shape, Callable[[Answer, Answer, Sequence[str]], bool]] = {
    "class": lambda one, other, labels: bool(one["label"] == other["label"]),
    "classes": _classes,
    "boxes": _boxes,
    "polygons": _polygons,
    "mask": _mask,
    "spans": _spans,
}


def _drawn(answer: Answer) -> list[boxes.Box]:
    return [
        boxes.Box("", box["label"], box["left"], box["top"], box["width"], box["height"])
        for box in answer["boundingBoxes"]
    ]


def _points(polygon: Mapping[str, Any]) -> list[tuple[float, float]]:
    return [(vertex["x"], vertex["y"]) for vertex in polygon["vertices"]]


def _marked(answer: Answer) -> set[tuple[int, int, str]]:
    return {(one["startOffset"], one["endOffset"], one["label"]) for one in answer["entities"]}
