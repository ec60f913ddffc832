"""CVAT for images, XML 1.1: one file of `<image>` with tags, boxes, polygons and masks.

The annotation form of CVAT's guide, "XML annotation format". Boxes that are turned are read as polygons. `source` is
"manual" where a person, "auto" where a machine made a shape.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from tobo.labelling.dataset import Box, DataObject, Dataset, Label, Loss, Polygon, Region, Shape
from tobo.labelling.formats import markup
from tobo.labelling.formats.geometry import bitmap, turned
from tobo.labelling.formats.markup import Element, add, child_text, line_of
from tobo.labelling.formats.naming import check_unique, ordered
from tobo.labelling.formats.options import DEFAULT, Options
from tobo.labelling.formats.pictures import root_of, sized
from tobo.labelling.formats.refusal import Place, Unsayable, shown

SAYS = frozenset({"label", "labels", "boxes", "polygons", "mixed", "regions", "origin"})
_SOURCES = {"manual": True, "semi-auto": True, "auto": False, "file": None, None: None}


def read(source: Path, options: Options = DEFAULT) -> Dataset:
    """The file, or the folder that holds `annotations.xml`. Raises Malformed naming file and line."""
    file = source / "annotations.xml" if source.is_dir() else source
    place = Place(str(file))
    root = markup.parse(file)
    if root.tag != "annotations":
        line_of(place, root).refuse("expected <annotations>, the root of a CVAT file.")
    if root.find("track") is not None:
        line_of(place, root).refuse("it holds tracks of a video; export it as 'CVAT for images 1.1'.")
    stated = tuple(
        line_of(place, label).name(child_text(label, "name")) for label in root.iterfind("./meta/*/labels/label")
    )
    check_unique(stated, place)
    others: Counter[str] = Counter()
    objects = tuple(_object(place, element, others) for element in root.findall("image"))
    if not objects:
        place.refuse("no <image> is in it; export it as 'CVAT for images 1.1'.")
    names = {mark.name for item in objects for mark in (*(item.labels or ()), *(item.shapes or ()))}
    classes = ordered(names, options.classes, place, stated)
    multi = any(len(item.labels or ()) > 1 for item in objects)
    asked = any(item.shapes for item in objects) or not any(item.labels for item in objects)
    objects = tuple(_answered(item, multi, asked) for item in objects)
    left_out = tuple(Loss(f"{count} elements <{tag}> are left out.") for tag, count in sorted(others.items()))
    return Dataset(classes, objects, multi, root_of(file, [objects[0].source], options.pictures), left_out)


def write(dataset: Dataset, target: Path, options: Options = DEFAULT) -> tuple[Loss, ...]:
    """Raises Unsayable where a picture's size is unknown or a shape has no form in CVAT."""
    root = Element("annotations")
    add(root, "version", "1.1")
    task = add(add(root, "meta"), "task")
    add(task, "name", options.job.removeprefix("labeling-job/"))
    add(task, "size", len(dataset.objects))
    add(task, "mode", "annotation")
    labels = add(task, "labels")
    for name in dataset.classes:
        add(add(labels, "label"), "name", name)
    for number, item in enumerate(dataset.objects):
        item = sized(item, dataset.root)
        image = add(root, "image", id=number, name=item.source, width=item.width, height=item.height)
        for label in item.labels or ():
            add(image, "tag", label=label.name, source=_source(label.human))
        for shape in item.shapes or ():
            _add(image, shape, item)
    markup.write(root, target)
    nobody = sum(item.labels is None and item.shapes is None for item in dataset.objects)
    if nobody:
        return (Loss(f"{nobody} pictures that nobody labelled look like pictures without anything on them.", False),)
    return ()


def _object(place: Place, element: Element, others: Counter[str]) -> DataObject:
    at = line_of(place, element)
    name = at.text(element.get("name"), "name")
    labels: list[Label] = []
    shapes: list[Shape] = []
    for child in element:
        here = line_of(place, child)
        if child.tag == "tag":
            labels.append(Label(here.name(child.get("label")), human=_human(here, child)))
        elif child.tag in _READERS:
            shapes.append(_READERS[child.tag](here, child, here.name(child.get("label")), _human(here, child)))
        else:
            others[child.tag] += 1
    if len({label.name for label in labels}) != len(labels):
        at.refuse("a class is tagged twice; tag each once.")
    width, height = at.size(element.get("width"), "width"), at.size(element.get("height"), "height")
    return DataObject(name, width, height, tuple(labels), tuple(shapes))


def _box(place: Place, element: Element, name: str, human: bool | None) -> Shape:
    left, top, right, bottom = (place.number(element.get(edge), edge) for edge in ("xtl", "ytl", "xbr", "ybr"))
    if right <= left or bottom <= top:
        place.refuse(
            f"the corners {left:g}, {top:g} and {right:g}, {bottom:g} enclose nothing; xbr and ybr are larger."
        )
    box = Box(left, top, round(right - left, 6), round(bottom - top, 6), name, human=human)
    degrees = place.number(element.get("rotation") or 0, "rotation")
    return turned(box, degrees, ((left + right) / 2, (top + bottom) / 2)) if degrees % 360 else box


def _polygon(place: Place, element: Element, name: str, human: bool | None) -> Shape:
    pairs = [pair.split(",") for pair in place.text(element.get("points"), "points").split(";")]
    if len(pairs) < 3 or any(len(pair) != 2 for pair in pairs):
        place.refuse(f"points is {shown(element.get('points'))}; expected 'x,y;x,y;x,y' with 3 points or more.")
    return Polygon((tuple((place.number(x, "x"), place.number(y, "y")) for x, y in pairs),), name, human=human)


def _region(place: Place, element: Element, name: str, human: bool | None) -> Shape:
    left, top = (place.whole(element.get(edge), edge) for edge in ("left", "top"))
    width, height = (place.whole(element.get(side), side, 1) for side in ("width", "height"))
    runs = tuple(place.whole(run, "a run of rle") for run in place.text(element.get("rle"), "rle").split(","))
    region = Region(left, top, width, height, runs, name, human=human)
    try:
        bitmap(region)
    except ValueError as error:
        place.refuse(f"rle cannot be unrolled: {error}.")
    return region


_READERS = {"box": _box, "polygon": _polygon, "mask": _region}


def _human(place: Place, element: Element) -> bool | None:
    told = element.get("source")
    if told not in _SOURCES:
        place.refuse(f"source is {shown(told)}; expected manual, semi-auto, auto or file.")
    return _SOURCES[told]


def _add(image: Element, shape: Shape, item: DataObject) -> None:
    common = {"label": shape.name, "source": _source(shape.human), "occluded": 0}
    if isinstance(shape, Box):
        right, bottom = round(shape.left + shape.width, 6), round(shape.top + shape.height, 6)
        add(image, "box", **common, xtl=shape.left, ytl=shape.top, xbr=right, ybr=bottom, z_order=0)
    elif isinstance(shape, Polygon) and len(shape.parts) == 1:
        add(image, "polygon", **common, points=";".join(f"{x},{y}" for x, y in shape.parts[0]), z_order=0)
    elif isinstance(shape, Region) and shape.width:
        edges = {edge: getattr(shape, edge) for edge in ("left", "top", "width", "height")}
        add(image, "mask", **common, rle=", ".join(map(str, shape.runs)), **edges, z_order=0)
    else:
        raise Unsayable(
            f"CVAT cannot hold the {type(shape).__name__.lower()} of {shown(shape.name)} in '{item.source}'."
        )


def _source(human: bool | None) -> str:
    return "file" if human is None else "manual" if human else "auto"


def _answered(item: DataObject, tags: bool, shapes: bool) -> DataObject:
    """An image without elements answers what the others were asked."""
    return replace(item, labels=item.labels or (() if tags else None), shapes=item.shapes or (() if shapes else None))
