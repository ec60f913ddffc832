"""Label Studio: a JSON file of tasks, as its "JSON" export writes and its import reads them.

Choices, rectangles and polygons, places in percent of the picture (Label Studio's guide, "Label Studio JSON format of
annotated tasks"). What people said stands in `annotations`, what machines said in `predictions`; inside an annotation
a result of `origin` "prediction" is a machine's, too. Rectangles that are turned are read as polygons.
"""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tobo.labelling.dataset import Box, DataObject, Dataset, Label, Loss, Polygon, Shape
from tobo.labelling.formats.geometry import turned
from tobo.labelling.formats.label_studio_tasks import task_of
from tobo.labelling.formats.naming import ordered
from tobo.labelling.formats.options import DEFAULT, Options
from tobo.labelling.formats.pictures import SUFFIXES, locate, relative, root_of, size_of
from tobo.labelling.formats.refusal import Place, shown
from tobo.labelling.formats.text_files import read_json, write_text

SAYS = frozenset({"label", "labels", "boxes", "polygons", "mixed", "confidence", "origin"})


@dataclass
class _Seen:
    """What the tasks held besides their labels; `others` counts results of other types."""

    others: Counter[str] = field(default_factory=Counter)
    several: int = 0
    classes: bool = False
    shapes: bool = False


def read(source: Path, options: Options = DEFAULT) -> Dataset:
    """Of several annotations of a task the newest is read. Raises Malformed naming task and result."""
    place = Place(str(source))
    tasks = [
        (place.inside(f"task {number}"), task)
        for number, task in enumerate(place.items(read_json(source), "the file (the JSON export, not JSON-MIN)"))
    ]
    heads = [(at, at.members(task, "the task")) for at, task in tasks]
    sources = [_source(at, task) for at, task in heads]
    root = root_of(source, sources, options.pictures)
    seen = _Seen()
    objects = [_object(at, task, name, root, seen) for (at, task), name in zip(heads, sources, strict=True)]
    multi = any(len(item.labels or ()) > 1 for item in objects)
    objects = [_answered(item, multi, seen.shapes or not seen.classes) for item in objects]
    names = {mark.name for item in objects for mark in (*(item.labels or ()), *(item.shapes or ()))}
    left_out = [Loss(f"{count} results of type {kind} are left out.") for kind, count in sorted(seen.others.items())]
    if seen.several:
        left_out.append(
            Loss(f"{seen.several} tasks have several annotations, of which the newest is read.", grave=False)
        )
    classes = ordered(names, options.classes, place)
    return Dataset(classes, tuple(objects), multi, root, tuple(left_out))


def write(dataset: Dataset, target: Path, options: Options = DEFAULT) -> tuple[Loss, ...]:
    """One task a picture; a picture without any label is a task to be done. Raises Unsayable where a size is unknown."""
    tasks = [task_of(item, number, dataset) for number, item in enumerate(dataset.objects, 1)]
    write_text(target, json.dumps(tasks, ensure_ascii=False))
    used = {mark.name for item in dataset.objects for mark in (*(item.labels or ()), *(item.shapes or ()))}
    if list(dataset.classes) == sorted(used):
        return ()
    return (
        Loss("The order of the classes is not in the file, nor is an unused class; read it with --classes.", False),
    )


def _source(place: Place, task: dict[str, Any]) -> str:
    """The picture of a task: data.image, else the first text that ends as a picture's name does."""
    data = place.members(task.get("data"), '"data"')
    if data.get("image"):
        return _address(place.text(data["image"], '"image" of "data"'))
    texts = (_address(value) for value in data.values() if isinstance(value, str))
    found = next((text for text in texts if relative(urlsplit(text).path).suffix.lower() in SUFFIXES), None)
    if found is None:
        place.refuse('no member of "data" names a picture; expected "image".')
    return found


def _address(text: str) -> str:
    """The path of a file that Label Studio serves itself; other addresses as they are."""
    if not text.startswith("/data/local-files"):
        return text
    return parse_qs(urlsplit(text).query).get("d", [text])[0]


def _object(place: Place, task: dict[str, Any], source: str, root: Path | None, seen: _Seen) -> DataObject:
    data = place.members(task.get("data"), '"data"')
    item = DataObject(source, place.size(data.get("width"), "width"), place.size(data.get("height"), "height"))
    annotations = [
        place.inside("annotations").members(one, "an annotation")
        for one in place.items(task.get("annotations") or [], '"annotations"')
    ]
    done = [one for one in annotations if not one.get("was_cancelled")]
    predictions = [
        place.inside("predictions").members(one, "a prediction")
        for one in place.items(task.get("predictions") or [], '"predictions"')
    ]
    seen.several += len(done) > 1
    if done:
        newest = max(done, key=lambda one: str(one.get("updated_at") or one.get("created_at") or ""))
        chosen = next((one for one in done if one.get("ground_truth")), newest)
    elif predictions:
        chosen = predictions[-1]
    else:
        return item
    kind = "annotations" if done else "predictions"
    for number, entry in enumerate(place.items(chosen.get("result", []), '"result"')):
        at = place.inside(f"{kind}, result[{number}]")
        item = _with_result(at, item, at.members(entry, "the result"), bool(done), chosen, root, seen)
    return replace(item, labels=item.labels or (), shapes=item.shapes or ())


def _with_result(
    place: Place,
    item: DataObject,
    told: dict[str, Any],
    human: bool,
    whole: dict[str, Any],
    root: Path | None,
    seen: _Seen,
) -> DataObject:
    kind = told.get("type")
    if kind not in ("choices", "rectanglelabels", "polygonlabels"):
        seen.others[str(kind)] += 1
        return item
    value = place.members(told.get("value"), '"value"')
    names = [place.name(name) for name in place.items(value.get(kind), kind)]
    score = told.get("score", None if human else whole.get("score"))
    confidence, by_human = place.confidence(score), human and told.get("origin") != "prediction"
    width = place.size(told.get("original_width"), "original_width") or item.width
    height = place.size(told.get("original_height"), "original_height") or item.height
    if kind == "choices":
        seen.classes = True
        labels = (*(item.labels or ()), *(Label(name, confidence, by_human) for name in names))
        if len({label.name for label in labels}) != len(labels):
            place.refuse(f"{shown(names)} names a class of this picture twice; name each once.")
        return replace(item, labels=labels, width=width, height=height)
    seen.shapes = True
    file = None if width and height else locate(root, item.source)
    if file is not None:
        width, height = size_of(file)
    if not width or not height:
        place.refuse("original_width and original_height are missing, and places are in percent of them; add them.")
    if len(names) != 1:
        place.refuse(f"{kind} is {shown(names)}; expected one class.")
    shape = (_box if kind == "rectanglelabels" else _polygon)(place, value, width / 100, height / 100)
    shape = replace(shape, name=names[0], confidence=confidence, human=by_human)
    return replace(item, shapes=(*(item.shapes or ()), shape), width=width, height=height)


def _box(place: Place, value: dict[str, Any], across: float, down: float) -> Shape:
    """`across` and `down` are pixels of one percent."""
    left, top = place.number(value.get("x"), "x") * across, place.number(value.get("y"), "y") * down
    width, height = (place.positive(value.get(side), side) for side in ("width", "height"))
    box = Box(round(left, 4), round(top, 4), round(width * across, 4), round(height * down, 4), "")
    degrees = place.number(value.get("rotation") or 0, "rotation")
    return turned(box, degrees, (box.left, box.top)) if degrees % 360 else box


def _polygon(place: Place, value: dict[str, Any], across: float, down: float) -> Shape:
    points = [place.items(point, "a point") for point in place.items(value.get("points"), "points")]
    if len(points) < 3 or any(len(point) != 2 for point in points):
        place.refuse(f"points is {shown(points)}; expected 3 or more of x and y.")
    numbers = ((place.number(x, "x"), place.number(y, "y")) for x, y in points)
    return Polygon((tuple((round(x * across, 4), round(y * down, 4)) for x, y in numbers),), "")


def _answered(item: DataObject, several: bool, shapes: bool) -> DataObject:
    """An annotation without results answers what the other tasks were asked."""
    if item.labels is None:
        return item
    return replace(
        item, labels=item.labels or (() if several else None), shapes=item.shapes or (() if shapes else None)
    )
