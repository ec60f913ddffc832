"""One label attribute of a manifest's line, read."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tobo.labelling.dataset import Box, DataObject, Label, Mask, Polygon, Shape
from tobo.labelling.formats.refusal import Place, shown

METADATA = "-metadata"
TYPES = {
    "groundtruth/image-classification": "classes",
    "groundtruth/image-classification-multilabel": "classes",
    "groundtruth/object-detection": "shapes",
    "groundtruth/polygon": "shapes",
    "groundtruth/semantic-segmentation": "a mask",
}
"""What an attribute of each type holds. Others (label verification, text) are no labels of pictures."""
BACKGROUND = "BACKGROUND"


@dataclass
class Names:
    """The classes that the lines name, by index; `given` are the user's and win. `multi`: a line has several labels."""

    given: tuple[str, ...]
    by_index: dict[int, str] = field(default_factory=dict)
    multi: bool = False

    def see(self, place: Place, index: int, name: object = None) -> None:
        """Takes note of an index, and of its name where the line says it; refuses a second name."""
        if name is None or self.given:
            self.by_index.setdefault(index, str(index))
            return
        told = place.name(name)
        before = self.by_index.get(index, str(index))
        if before not in (told, str(index)):
            place.refuse(
                f"class {index} is {shown(told)} here and {shown(before)} before; give it one name, or read one attribute with --attribute."
            )
        self.by_index[index] = told


@dataclass(frozen=True)
class Attribute:
    """`value` and `metadata` as they stand in the line; `kind` is one of TYPES' values."""

    place: Place
    key: str
    kind: str
    type: str
    value: Any
    metadata: dict[str, Any]


def attribute_of(place: Place, line: dict[str, Any], key: str, asked: bool) -> Attribute | None:
    """The attribute, or None where it holds no labels of a picture: another type, or no metadata and no such value."""
    at, value = place.inside(key), line[key]
    metadata = at.members(line.get(f"{key}{METADATA}", {}), f"{key}{METADATA}")
    told = metadata.get("type")
    if told is not None and (not isinstance(told, str) or told not in TYPES):
        if asked:
            at.refuse(f"the type {shown(told)} is none of {', '.join(TYPES)}.")
        return None
    kind = _guessed(value) if told is None else str(told)
    if kind is None:
        if asked:
            at.refuse(f"{shown(value)} is no label: expected a class index, a list of them, or annotations.")
        return None
    return Attribute(at, key, TYPES[kind], kind, value, metadata)


def read_attribute(item: DataObject, attribute: Attribute, names: Names) -> DataObject:
    """The picture with what the attribute says."""
    reader = _READERS[attribute.type]
    item = reader(item, attribute, names)
    metadata = attribute.metadata
    return replace(
        item, made=_text(metadata.get("creation-date")) or item.made, job=_text(metadata.get("job-name")) or item.job
    )


def _guessed(value: Any) -> str | None:
    """The type of an attribute without metadata, as of a manifest made by hand."""
    if isinstance(value, str) and value.strip().startswith("["):
        return "groundtruth/image-classification-multilabel"
    if isinstance(value, list):
        return "groundtruth/image-classification-multilabel"
    if isinstance(value, dict):
        return "groundtruth/object-detection" if "annotations" in value else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "groundtruth/image-classification"
    return "groundtruth/image-classification" if isinstance(value, str) and value.strip().isdecimal() else None


def _read_label(item: DataObject, attribute: Attribute, names: Names) -> DataObject:
    place, metadata = attribute.place, attribute.metadata
    index = place.whole(attribute.value, "the class index")
    names.see(place, index, metadata.get("class-name"))
    return replace(item, labels=(Label(str(index), place.confidence(metadata.get("confidence")), _human(attribute)),))


def _read_labels(item: DataObject, attribute: Attribute, names: Names) -> DataObject:
    place, metadata, value = attribute.place, attribute.metadata, attribute.value
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            place.refuse(f"{shown(value)} is not a list of class indices.")
    indices = [place.whole(index, "a class index") for index in place.items(value, "the value")]
    if len(set(indices)) != len(indices):
        place.refuse(f"{shown(value)} names a class twice; name each once.")
    mapped = place.members(metadata.get("class-map", {}), "class-map")
    confidences = place.members(metadata.get("confidence-map", {}), "confidence-map")
    _see_map(attribute, mapped, indices, names)
    names.multi = True
    human = _human(attribute)
    return replace(
        item,
        labels=tuple(
            Label(str(index), place.confidence(confidences.get(str(index))), human) for index in indices
        ),
    )  # fmt: skip


def _read_shapes(item: DataObject, attribute: Attribute, names: Names) -> DataObject:
    place, metadata = attribute.place, attribute.metadata
    value = place.members(attribute.value, "the value")
    annotations = place.items(value.get("annotations"), '"annotations"')
    objects = place.items(metadata.get("objects", [{}] * len(annotations)), '"objects"')
    if len(objects) != len(annotations):
        place.refuse(f'"objects" of the metadata has {len(objects)} entries for {len(annotations)} annotations.')
    human, indices = _human(attribute), []
    shapes: list[Shape] = []
    for number, (annotation, told) in enumerate(zip(annotations, objects, strict=True)):
        at = place.inside(f"annotations[{number}]")
        entry = at.members(annotation, "the annotation")
        indices.append(at.whole(entry.get("class_id"), "class_id"))
        confidence = at.confidence(at.members(told, "its metadata").get("confidence"))
        shapes.append(_shape(at, entry, str(indices[-1]), confidence, human))
    _see_map(attribute, place.members(metadata.get("class-map", {}), "class-map"), indices, names)
    width, height = _image_size(place, value.get("image_size"))
    return replace(item, shapes=tuple(shapes), width=width or item.width, height=height or item.height)


def _shape(place: Place, entry: dict[str, Any], name: str, confidence: float | None, human: bool | None) -> Shape:
    if "vertices" in entry:
        points = [place.members(point, "a vertex") for point in place.items(entry["vertices"], "vertices")]
        if len(points) < 3:
            place.refuse(f"a polygon of {len(points)} vertices; expected 3 or more.")
        corners = tuple((place.number(point.get("x"), "x"), place.number(point.get("y"), "y")) for point in points)
        return Polygon((corners,), name, confidence, human)
    left, top = place.number(entry.get("left"), "left"), place.number(entry.get("top"), "top")
    width, height = place.positive(entry.get("width"), "width"), place.positive(entry.get("height"), "height")
    return Box(left, top, width, height, name, confidence, human)


def _read_mask(item: DataObject, attribute: Attribute, names: Names) -> DataObject:
    place = attribute.place
    source = place.text(attribute.value, "the mask's address")
    colors: list[tuple[str, str]] = []
    confidence: float | None = None
    mapped = place.members(attribute.metadata.get("internal-color-map"), "internal-color-map")
    for key in sorted(mapped, key=lambda key: place.whole(key, "an index of internal-color-map")):
        entry = place.inside(f"internal-color-map, {key}").members(mapped[key], "the entry")
        name = place.name(entry.get("class-name"))
        colors.append((name, _color(place, entry.get("hex-color"))))
        confidence = place.confidence(entry.get("confidence")) if confidence is None else confidence
        if name != BACKGROUND:
            _see_colored(place, name, names)
    return replace(item, mask=Mask(source, tuple(colors), confidence, _human(attribute)))


def _see_colored(place: Place, name: str, names: Names) -> None:
    """A mask's classes are known by name: each gets the next free index."""
    if names.given:
        if name not in names.given:
            place.refuse(f"the class {shown(name)} is used, but --classes lists it not; add it there.")
        return
    if name not in names.by_index.values():
        names.see(place, max(names.by_index, default=-1) + 1, name)


def _see_map(attribute: Attribute, mapped: dict[str, Any], indices: list[int], names: Names) -> None:
    place = attribute.place
    for key, name in mapped.items():
        names.see(place, place.whole(key, "an index of class-map"), name)
    for index in indices:
        if mapped and str(index) not in mapped:
            place.refuse(f"class {index} is used, but class-map has no name for it; add it there.")
        names.see(place, index)


def _image_size(place: Place, value: Any) -> tuple[int | None, int | None]:
    if value is None:
        return None, None
    sizes = place.items(value, "image_size")
    told = place.members(sizes[0] if sizes else {}, "image_size")
    return place.size(told.get("width"), "the picture's width"), place.size(told.get("height"), "the picture's height")


def _color(place: Place, value: Any) -> str:
    text = value.lower() if isinstance(value, str) else ""
    if len(text) != 7 or text[0] != "#" or any(character not in "0123456789abcdef" for character in text[1:]):
        place.refuse(f"hex-color is {shown(value)}; expected six digits such as #2acf59.")
    return text


def _human(attribute: Attribute) -> bool | None:
    told = attribute.metadata.get("human-annotated")
    if told not in (None, "yes", "no"):
        attribute.place.refuse(f'human-annotated is {shown(told)}; expected "yes" or "no".')
    return None if told is None else told == "yes"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


_READERS: dict[str, Callable[[DataObject, Attribute, Names], DataObject]] = {
    "groundtruth/image-classification": _read_label,
    "groundtruth/image-classification-multilabel": _read_labels,
    "groundtruth/object-detection": _read_shapes,
    "groundtruth/polygon": _read_shapes,
    "groundtruth/semantic-segmentation": _read_mask,
}
