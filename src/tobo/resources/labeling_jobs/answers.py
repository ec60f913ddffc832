"""What workers say, in the shapes that Ground Truth's crowd elements give: read and checked before it is kept."""

import base64
import binascii
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PIL import Image

from tobo.kit.fault import validation
from tobo.resources.labeling_jobs.task_types import Shape, TaskType
from tobo.resources.labeling_jobs.templates import Template

FORM = "answerContent"
"""The member of an answer that has the whole form of a job's own template; Ground Truth's word for it."""

MOST_SHAPES = 10_000
"""Of one answer."""

MOST_PIXELS = 100_000_000
"""Of one picture; what pillow itself takes for an attack lies above."""


def read_answer(body: str, shape: Shape, labels: Sequence[str]) -> dict[str, Any]:
    """The answer with nothing but what its shape has; raises Fault ValidationException that names what is wrong."""
    return _READ[shape](_object(body), labels)


def read_form(body: str, template: Template, kind: TaskType, labels: Sequence[str]) -> dict[str, Any]:
    """What a form of the job's own template says, under FORM, beside what it says of the task itself.

    Raises Fault ValidationException where it says nothing of that.
    """
    told = _object(body)
    if template.field and template.field not in told:
        raise validation(f"The answer has no '{template.field}', which is what the template's form asks for.")
    its = read_answer(json.dumps(told[template.field]), kind.shape, labels) if template.field else {}
    return {**its, FORM: told}


def _object(body: str) -> dict[str, Any]:
    """Raises Fault ValidationException, also for the numbers that JSON has not (NaN)."""
    try:
        told = json.loads(body, parse_constant=_no_number)
    except ValueError:
        raise validation(f"The answer is not JSON: {body[:80]}.") from None
    if not isinstance(told, dict):
        raise validation(f"The answer is no JSON object: {body[:80]}.")
    return told


def _no_number(name: str) -> float:
    raise ValueError(name)


def _class(told: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    return {"label": _label(told.get("label"), labels, "label")}


def _classes(told: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    given = {_label(label, labels, "labels") for label in _list(told, "labels")}
    return {"labels": [label for label in labels if label in given]}


def _boxes(told: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    width, height = _size(told)
    boxes = []
    for number, box in enumerate(_list(told, "boundingBoxes"), 1):
        place = f"box {number}"
        if not isinstance(box, dict):
            raise validation(f"{place} is no object with left, top, width, height and label.")
        left, top, wide, high = (
            _number(box.get(name), f"{name} of {place}") for name in ("left", "top", "width", "height")
        )
        if not (left >= 0 and top >= 0 and wide > 0 and high > 0 and left + wide <= width and top + high <= height):
            raise validation(
                f"{place} ({left:g}, {top:g}, {wide:g} x {high:g}) is not within the {width} x {height} picture."
            )
        where = {"left": round(left), "top": round(top), "width": max(round(wide), 1), "height": max(round(high), 1)}
        boxes.append(where | {"label": _label(box.get("label"), labels, place)})
    return {"boundingBoxes": boxes, "inputImageProperties": {"width": width, "height": height}}


def _polygons(told: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    width, height = _size(told)
    polygons = []
    for number, polygon in enumerate(_list(told, "polygons"), 1):
        place = f"polygon {number}"
        vertices = polygon.get("vertices") if isinstance(polygon, dict) else None
        if not isinstance(vertices, list) or not 3 <= len(vertices) <= MOST_SHAPES:
            raise validation(f"{place} needs three vertices or more.")
        points = []
        for vertex in vertices:
            x, y = (
                _number(vertex.get(name) if isinstance(vertex, dict) else None, f"{name} of {place}") for name in "xy"
            )
            if not (0 <= x <= width and 0 <= y <= height):
                raise validation(f"A vertex of {place} ({x:g}, {y:g}) is not within the {width} x {height} picture.")
            points.append({"x": round(x, 2), "y": round(y, 2)})
        polygons.append({"label": _label(polygon.get("label"), labels, place), "vertices": points})
    return {"polygons": polygons, "inputImageProperties": {"width": width, "height": height}}


def _mask(told: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    width, height = _size(told)
    mappings = told.get("labelMappings")
    if not isinstance(mappings, dict):
        raise validation('labelMappings is missing; expected {"<label>": {"color": "#rrggbb"}}.')
    colors = {}
    for label, how in mappings.items():
        color = how.get("color") if isinstance(how, dict) else None
        if not isinstance(color, str) or len(color) != 7 or color[0] != "#" or not _is_hex(color[1:]):
            raise validation(f"The colour of '{label}' is {json.dumps(color)}; expected #rrggbb.")
        colors[_label(label, labels, "labelMappings")] = {"color": color.lower()}
    image = told.get("labeledImage")
    data = image.get("pngImageData") if isinstance(image, dict) else None
    try:
        png = base64.b64decode(data if isinstance(data, str) else "", validate=True)
        with Image.open(io.BytesIO(png), formats=("PNG",)) as read:
            size = read.size
            read.verify()
    except (binascii.Error, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise validation("labeledImage.pngImageData is no PNG picture in base64.") from None
    if size != (width, height):
        raise validation(
            f"The mask is {size[0]} x {size[1]} and the picture {width} x {height}; they must be of one size."
        )
    return {
        "labeledImage": {"pngImageData": data},
        "labelMappings": colors,
        "inputImageProperties": {"width": width, "height": height},
    }


def _spans(told: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    entities = []
    for number, entity in enumerate(_list(told, "entities"), 1):
        place = f"entity {number}"
        start, end = (entity.get(name) if isinstance(entity, dict) else None for name in ("startOffset", "endOffset"))
        if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end:
            raise validation(f"{place} goes from {start} to {end}; expected two whole numbers, the first one smaller.")
        entities.append({"startOffset": start, "endOffset": end, "label": _label(entity.get("label"), labels, place)})
    return {"entities": sorted(entities, key=lambda entity: (entity["startOffset"], entity["endOffset"]))}


def _fields(told: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    raise validation("A custom template's answer has no form by which one is known; take the member away.")


_READ: Mapping[Shape, Callable[[Mapping[str, Any], Sequence[str]], dict[str, Any]]] = {
    "class": _class,
    "classes": _classes,
    "boxes": _boxes,
    "polygons": _polygons,
    "mask": _mask,
    "spans": _spans,
    "fields": _fields,
}


def _label(given: Any, labels: Sequence[str], place: str) -> str:
    if given not in labels:
        listed = ", ".join(labels[:10]) + (", ..." if len(labels) > 10 else "")
        raise validation(
            f"The label {json.dumps(given)[:100]} at {place} is none of this job's; it is one of {listed}."
        )
    return str(given)


def _list(told: Mapping[str, Any], member: str) -> list[Any]:
    given = told.get(member)
    if not isinstance(given, list) or len(given) > MOST_SHAPES:
        raise validation(f"The answer needs {member}, a list of at most {MOST_SHAPES}.")
    return given


def _size(told: Mapping[str, Any]) -> tuple[int, int]:
    """(width, height) of the picture in pixels."""
    given = told.get("inputImageProperties")
    width, height = (given.get(name) if isinstance(given, dict) else None for name in ("width", "height"))
    if (
        not isinstance(width, int)
        or not isinstance(height, int)
        or width < 1
        or height < 1
        or width * height > MOST_PIXELS
    ):
        raise validation("inputImageProperties must have the picture's width and height in pixels.")
    return width, height


def _number(given: Any, place: str) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not math.isfinite(given):
        raise validation(f"{place} is {json.dumps(given)[:40]}; expected a number of pixels.")
    return float(given)


def _is_hex(text: str) -> bool:
    return all(each in "0123456789abcdefABCDEF" for each in text)
