"""Augmented manifests: JSON lines of `source-ref` and a label attribute with its metadata, as Ground Truth writes them.

Image classification (one label or several), object detection and semantic segmentation as documented in the SageMaker
Developer Guide, "Labeling job output data". Polygons have no form there; they are annotations whose `vertices` are
points of x and y, as in Ground Truth's video frames, of the type `groundtruth/polygon`.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tobo.labelling.dataset import DataObject, Dataset, Loss
from tobo.labelling.formats import manifest_lines
from tobo.labelling.formats.manifest_attributes import METADATA, Attribute, Names, attribute_of, read_attribute
from tobo.labelling.formats.naming import indexed
from tobo.labelling.formats.options import DEFAULT, Options
from tobo.labelling.formats.pictures import root_of
from tobo.labelling.formats.refusal import Place
from tobo.labelling.formats.text_files import parse_json, read_lines, write_text

SAYS = frozenset({"label", "labels", "boxes", "polygons", "mixed", "mask", "confidence", "origin", "job"})


def read(source: Path, options: Options = DEFAULT) -> Dataset:
    """Every label attribute of a known type, or the one that `options.attribute` names.

    Raises Malformed naming the line, also where two attributes hold labels of one kind (chained jobs): one must be named.
    """
    place = Place(str(source))
    lines = [(place.inside(f"line {number}"), line) for number, line in read_lines(source)]
    if not lines:
        place.refuse('empty; expected JSON lines with "source-ref" and a label attribute.')
    names = Names(options.classes)
    told = [(at, at.members(parse_json(line, at), "the line")) for at, line in lines]
    items = [_read_line(at, line, options.attribute, names) for at, line in told]
    family = {key for key in _family(options.attribute) for key in (key, f"{key}{METADATA}")}
    if options.attribute and not any(family & line.keys() for _, line in told):
        known = ", ".join(key for key in told[0][1] if not key.endswith(METADATA))
        place.refuse(f"no line has the attribute '{options.attribute}'; the first has {known}.")
    classes = indexed(names.by_index, options.classes, place)
    used = _with_names(items, classes)
    root = root_of(source, [used[0].source], options.pictures)
    return Dataset(classes, used, names.multi, root)


def write(dataset: Dataset, target: Path, options: Options = DEFAULT) -> tuple[Loss, ...]:
    """One attribute for each kind of label; object detection needs each picture's size (Unsayable without)."""
    lines = manifest_lines.lines_of(dataset, options)
    write_text(target, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines))
    return manifest_lines.losses_of(dataset)


def _read_line(place: Place, line: dict[str, Any], wanted: str, names: Names) -> DataObject:
    if "source-ref" not in line:
        place.refuse('"source-ref" is missing; each line names its picture there.')
    item = DataObject(place.text(line["source-ref"], '"source-ref"'))
    found: list[Attribute] = []
    for key in line:
        if key == "source-ref" or key.endswith(METADATA) or (wanted and key not in _family(wanted)):
            continue
        attribute = attribute_of(place, line, key, asked=bool(wanted))
        if attribute is not None:
            found.append(attribute)
    for one in found:
        twins = [other.key for other in found if other.kind == one.kind]
        if len(twins) > 1:
            place.refuse(f"{' and '.join(twins)} both hold {one.kind}; say with --attribute which one is meant.")
        item = read_attribute(item, one, names)
    return item


def _family(attribute: str) -> tuple[str, ...]:
    """What `write` makes of one attribute's name: masks are in ...-ref, shapes beside classes in ...-shapes."""
    return attribute, f"{attribute}-ref", f"{attribute}-shapes"


def _with_names(items: list[DataObject], classes: tuple[str, ...]) -> tuple[DataObject, ...]:
    """Labels are read with the index as their name, for a later line may be the first to name it."""
    return tuple(
        replace(
            item,
            labels=None
            if item.labels is None
            else tuple(replace(it, name=classes[int(it.name)]) for it in item.labels),
            shapes=None
            if item.shapes is None
            else tuple(replace(it, name=classes[int(it.name)]) for it in item.shapes),
        )
        for item in items
    )
