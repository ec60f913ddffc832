"""From what several workers say of an item to what is taken for true, with how much of them stands behind it (0 to 1)."""

import base64
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tobo.labelling.quality import boxes, masks, polygons, spans
from tobo.labelling.quality.votes import Ballot, Vote, majority, multi_majority
from tobo.resources.labeling_jobs.answers import FORM
from tobo.resources.labeling_jobs.task_types import Shape


class Said(NamedTuple):
    """A worker's answer as answers.py read it."""

    worker: str
    answer: Mapping[str, Any]


class Agreed(NamedTuple):
    """`answer` in the workers' shape; `confidences` one an object of it (a class, a box), `confidence` the item's."""

    answer: dict[str, Any]
    confidence: float
    confidences: tuple[float, ...]


def consolidate(shape: Shape, said: Sequence[Said], labels: Sequence[str]) -> Agreed:
    """`said` has one answer at least. What one worker alone says has confidence 1: nobody differs."""
    return _BY_SHAPE[shape](said, labels)


def _class(said: Sequence[Said], labels: Sequence[str]) -> Agreed:
    found = majority([Vote("", worker, answer["label"]) for worker, answer in said], labels)[""]
    return Agreed({"label": found.label}, found.confidence, (found.confidence,))


def _classes(said: Sequence[Said], labels: Sequence[str]) -> Agreed:
    found = multi_majority([Ballot("", worker, frozenset(answer["labels"])) for worker, answer in said])[""]
    kept = [label for label in labels if label in found.labels]
    return Agreed({"labels": kept}, found.confidence, tuple(found.shares[label] for label in kept))


def _boxes(said: Sequence[Said], labels: Sequence[str]) -> Agreed:
    drawn = [
        boxes.Box(worker, box["label"], box["left"], box["top"], box["width"], box["height"])
        for worker, answer in said
        for box in answer["boundingBoxes"]
    ]
    found = boxes.consolidate(drawn, len(said))
    kept = [
        {
            "left": round(box.left),
            "top": round(box.top),
            "width": max(round(box.width), 1),
            "height": max(round(box.height), 1),
            "label": box.standing.label,
        }
        for box in found.kept
    ]
    answer = {"boundingBoxes": kept, "inputImageProperties": said[0].answer["inputImageProperties"]}
    return Agreed(answer, found.confidence, tuple(box.standing.confidence for box in found.kept))


def _polygons(said: Sequence[Said], labels: Sequence[str]) -> Agreed:
    drawn = [
        polygons.Polygon(worker, one["label"], tuple((vertex["x"], vertex["y"]) for vertex in one["vertices"]))
        for worker, answer in said
        for one in answer["polygons"]
    ]
    found = polygons.consolidate(drawn, len(said))
    kept = [
        {"label": one.standing.label, "vertices": [{"x": round(x, 2), "y": round(y, 2)} for x, y in one.points]}
        for one in found.kept
    ]
    answer = {"polygons": kept, "inputImageProperties": said[0].answer["inputImageProperties"]}
    return Agreed(answer, found.confidence, tuple(one.standing.confidence for one in found.kept))


def _mask(said: Sequence[Said], labels: Sequence[str]) -> Agreed:
    """Classes are counted from 1, 0 is what nobody painted."""
    found = masks.consolidate([class_map(answer, labels) for _, answer in said])
    there = [number for number in sorted(found.confidences) if number]
    mappings = {labels[number - 1]: {"color": _color(said, labels[number - 1])} for number in there}
    answer = {
        "labeledImage": {"pngImageData": base64.b64encode(painted(found.classes, labels, mappings)).decode()},
        "labelMappings": mappings,
        "inputImageProperties": said[0].answer["inputImageProperties"],
    }
    return Agreed(answer, found.confidence, tuple(found.confidences[number] for number in there))


def _spans(said: Sequence[Said], labels: Sequence[str]) -> Agreed:
    marked = [
        spans.Span(worker, one["label"], one["startOffset"], one["endOffset"])
        for worker, answer in said
        for one in answer["entities"]
    ]
    found = spans.consolidate(marked, len(said))
    kept = [{"startOffset": one.start, "endOffset": one.end, "label": one.standing.label} for one in found.kept]
    return Agreed({"entities": kept}, found.confidence, tuple(one.standing.confidence for one in found.kept))


def _fields(said: Sequence[Said], labels: Sequence[str]) -> Agreed:
    """Every worker's form, in the shape in which Ground Truth hands answers to a function, where there is none."""
    answers = [
        {"workerId": worker, "annotationData": {"content": json.dumps(answer[FORM], ensure_ascii=False)}}
        for worker, answer in said
    ]
    return Agreed({"annotationsFromAllWorkers": answers}, 1.0, ())


_BY_SHAPE: Mapping[Shape, Callable[[Sequence[Said], Sequence[str]], Agreed]] = {
    "class": _class,
    "classes": _classes,
    "boxes": _boxes,
    "polygons": _polygons,
    "mask": _mask,
    "spans": _spans,
    "fields": _fields,
}


def class_map(answer: Mapping[str, Any], labels: Sequence[str]) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """[height, width] of a mask: 0, or the label's place among `labels` counted from 1."""
    png = base64.b64decode(answer["labeledImage"]["pngImageData"])
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        pixels = np.asarray(image.convert("RGBA"))
    found = np.zeros(pixels.shape[:2], np.uint16)
    for label, how in answer["labelMappings"].items():
        color = np.frombuffer(bytes.fromhex(how["color"][1:]), np.uint8)
        found[(pixels[..., :3] == color).all(-1) & (pixels[..., 3] > 127)] = labels.index(label) + 1
    return found


def painted(classes: np.ndarray[Any, Any], labels: Sequence[str], mappings: Mapping[str, Mapping[str, str]]) -> bytes:
    """The PNG of a class map; what is nobody's is transparent."""
    pixels = np.zeros((*classes.shape, 4), np.uint8)
    for label, how in mappings.items():
        pixels[classes == labels.index(label) + 1] = (*bytes.fromhex(how["color"][1:]), 255)
    out = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(out, "PNG")
    return out.getvalue()


def _color(said: Sequence[Said], label: str) -> str:
    """The first worker's that used it."""
    return next(str(answer["labelMappings"][label]["color"]) for _, answer in said if label in answer["labelMappings"])
